"""What answers is put together before it is needed, and what is wrong with it shows when it is."""

import threading
from pathlib import Path

import pytest

from rag.errors import LLMError
from rag.llm import Message
from rag.opening import open_llm
from rag.settings import Settings


@pytest.mark.parametrize("begin", [False, True])
def test_a_missing_model_is_said_with_the_first_answer(tmp_path: Path, begin: bool) -> None:
    before = set(threading.enumerate())
    llm = open_llm(Settings.from_env({"FEUD_HOME": str(tmp_path), "FEUD_LLM_MODEL": "nowhere.gguf"}), begin)
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    with pytest.raises(LLMError, match=r"^'nowhere\.gguf' is neither a file nor a known model"):
        list(llm.stream([Message("user", "Who?")], 5))
