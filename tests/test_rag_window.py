"""Whether a prompt fits a model's window: counted by the server that can, bounded by its bytes elsewhere."""

import json
from typing import Any

import pytest

from rag.engine import Endpoint
from rag.errors import PromptError, SettingsError
from rag.llm import Message, OpenAILLM
from rag.settings import Settings
from tests.scripted_llm import DONE, Reply, ScriptedServer, finish, text

PROMPT = [Message("system", "Answer."), Message("user", "谁建了塔？" * 20)]  # 339 tokens at most


class Counting(ScriptedServer):
    """A server whose route for tokens tells `counted`."""

    counted: Any = None

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        if path != "/tokenize":
            return Reply((text("Anna Brandt."), finish(), DONE))
        return Reply((json.dumps(self.counted).encode(),), 200 if self.counted else 404, "application/json")


def written(server: ScriptedServer, window: int, reply: int = 10) -> str:
    llm = OpenAILLM("small", lambda: Endpoint(server.base_url, "sk-1"), 2.0, 2.0, window)
    return "".join(piece.text for piece in llm.stream(PROMPT, reply))


@pytest.mark.parametrize(
    ("counted", "window", "fit"),
    [
        (None, 349, True),
        (None, 348, False),
        ({"tokens": [7] * 100}, 142, True),  # llama.cpp counts the texts, to which comes what is around them
        ({"tokens": [7] * 100}, 141, False),
        ({"count": 110, "max_model_len": 8192, "tokens": [7] * 110}, 120, True),  # vLLM counts the whole
        ({"count": 110, "max_model_len": 8192, "tokens": [7] * 110}, 119, False),
        (["nonsense"], 300, False),
        ({"count": "many"}, 300, False),
    ],
)
def test_what_does_not_fit_is_not_sent(counted: Any, window: int, fit: bool) -> None:
    with Counting() as server:
        server.counted = counted
        if fit:
            assert written(server, window) == "Anna Brandt."
        else:
            with pytest.raises(PromptError, match=f"the {window} tokens that small reads at once"):
                written(server, window)
        asked = [request["path"] for request in server.requests]
    assert asked.count("/v1/chat/completions") == fit
    assert asked.count("/tokenize") == (counted is not None or not fit)


def test_the_window_is_a_setting() -> None:
    assert Settings.from_env({}).llm_context == 4096
    assert Settings.from_env({"FEUD_LLM_CONTEXT": "32768"}).llm_context == 32768


@pytest.mark.parametrize("given", ["much", "511", "-4096", "1e4", "²"])
def test_a_window_that_is_none_is_told(given: str) -> None:
    with pytest.raises(SettingsError, match=r"FEUD_LLM_CONTEXT is .+ Give it a number of tokens, 512 or"):
        Settings.from_env({"FEUD_LLM_CONTEXT": given})
