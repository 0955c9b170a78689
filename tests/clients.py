"""What other people's clients get from a running `feud serve`: make clients, in an environment of their own.

    python tests/clients.py http://127.0.0.1:7860/v1

asks with each client, whole and then streamed after a turn, and as Open WebUI documents its own requests. It
prints a row for each, and ends with 1 where one got no cited answer.
"""

# mypy: ignore-errors
# What it imports is not installed where types are checked.

import json
import sys
from collections.abc import Callable
from importlib.metadata import version

BEFORE = ("Who is Shivon Zilis?", "Shivon Zilis is an executive at Neuralink.")
QUESTION = "When did Altman write to her?"


def openai(address: str) -> tuple[str, str]:
    """The client of OpenAI: its whole answer, and its streamed one after a turn."""
    from openai import OpenAI

    client = OpenAI(base_url=address, api_key="none")
    whole = client.chat.completions.create(model="feud", messages=[{"role": "user", "content": BEFORE[0]}])
    assert whole.choices[0].message.annotations
    turns = [
        {"role": "user", "content": BEFORE[0]},
        {"role": "assistant", "content": BEFORE[1]},
        {"role": "user", "content": QUESTION},
    ]
    pieces = client.chat.completions.create(model="feud", messages=turns, stream=True)
    return whole.choices[0].message.content, "".join(piece.choices[0].delta.content or "" for piece in pieces)


def langchain(address: str) -> tuple[str, str]:
    """LangChain's chat model for OpenAI, by messages."""
    from langchain_core.messages import AIMessage, HumanMessage
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(base_url=address, api_key="none", model="feud")
    whole = model.invoke([HumanMessage(BEFORE[0])])
    pieces = model.stream([HumanMessage(BEFORE[0]), AIMessage(BEFORE[1]), HumanMessage(QUESTION)])
    return whole.text, "".join(piece.text for piece in pieces)


def llama_index(address: str) -> tuple[str, str]:
    """LlamaIndex's model for what is like OpenAI."""
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai_like import OpenAILike

    model = OpenAILike(model="feud", api_base=address, api_key="none", is_chat_model=True, timeout=600.0)
    whole = model.chat([ChatMessage(role="user", content=BEFORE[0])])
    turns = zip(("user", "assistant", "user"), (*BEFORE, QUESTION), strict=True)
    pieces = model.stream_chat([ChatMessage(role=role, content=words) for role, words in turns])
    return whole.message.content or "", "".join(piece.delta or "" for piece in pieces)


def open_webui(address: str) -> tuple[str, str]:
    """What Open WebUI sends to a connection of the kind OpenAI: its list of models, then a streamed chat."""
    import httpx

    head = {"Authorization": "Bearer none", "Content-Type": "application/json"}
    models = httpx.get(f"{address}/models", headers=head).json()
    assert [model["id"] for model in models["data"]] == ["feud"]

    def chat(*words: str) -> str:
        roles = ("user", "assistant", "user")[: len(words)]
        messages = [
            {"role": r, "content": [{"type": "text", "text": w}]} for r, w in zip(roles, words, strict=True)
        ]
        asked = {
            "model": "feud",
            "messages": messages,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        said = ""
        more = {"temperature": 0.8, "max_tokens": 300, "user": "me", "metadata": {"chat_id": "1"}}
        with httpx.stream(
            "POST", f"{address}/chat/completions", json=asked | more, headers=head, timeout=600
        ) as got:
            lines = [line.removeprefix("data: ") for line in got.iter_lines() if line]
        assert lines.pop() == "[DONE]"
        for chunk in map(json.loads, lines):
            for choice in chunk["choices"]:
                said += choice["delta"].get("content") or ""
        return said

    return chat(BEFORE[0]), chat(*BEFORE, QUESTION)


CLIENTS: dict[str, tuple[str, Callable[[str], tuple[str, str]]]] = {
    "OpenAI": ("openai", openai),
    "LangChain": ("langchain-openai", langchain),
    "LlamaIndex": ("llama-index-llms-openai-like", llama_index),
    "Open WebUI's requests": ("httpx", open_webui),
}


def main() -> int:
    """Try each client and print its row."""
    wrong = 0
    for name, (package, ask) in CLIENTS.items():
        try:
            said = ask(sys.argv[1])
            good = all("[1]" in words for words in said)
        except Exception as error:  # a row tells it
            said, good = (f"{type(error).__name__}: {error}",), False
        wrong += not good
        print(f"{'works ' if good else 'FAILS '} {name}, {package} {version(package)}")
        for words in said:
            print(f"       {' '.join(words.split())}")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
