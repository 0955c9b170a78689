"""Whether a prompt fits into the window of a model: what it reads at once, its reply included."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import openai

    from rag.llm import Prompt

WINDOW = 4096
"""Tokens that a model reads at once, unless another number is set."""
AROUND = 16
"""Tokens that a chat template may set around each message. That of Qwen2.5 sets five."""
_SECONDS = 5.0  # that a server may take on a route of its own


def bound(prompt: "Prompt") -> int:
    """The tokens that a prompt has at most, whatever the tokenizer: none makes more of a text than its bytes.

    >>> from rag.llm import Message
    >>> bound([Message("user", "谁建了塔？")])
    31
    """
    return sum(len(message.content.encode()) + AROUND for message in prompt)


def fits(prompt: "Prompt", room: int, client: "openai.OpenAI", model: str) -> bool:
    """Whether a prompt has `room` tokens or fewer.

    The server is asked only where the bytes don't show it. llama.cpp counts `content`, vLLM `messages`; of a
    server that counts neither the bytes decide.
    """
    if bound(prompt) <= room:
        return True
    import openai

    texts = "\n".join(message.content for message in prompt)
    asked = {"model": model, "messages": [asdict(message) for message in prompt], "content": texts}
    with suppress(openai.OpenAIError, ValueError, TypeError, KeyError):
        told = beside(client, "/tokenize", asked)
        counted = told["count"] if "count" in told else len(told["tokens"]) + AROUND * len(prompt)
        return int(counted) <= room
    return False


def beside(client: "openai.OpenAI", route: str, body: Mapping[str, Any]) -> Any:
    """What a server answers on a route of its own, which stands beside OpenAI's. Raises what openai does."""
    address = str(client.base_url).rstrip("/").removesuffix("/v1") + route
    return client.with_options(timeout=_SECONDS).post(address, cast_to=object, body=body)
