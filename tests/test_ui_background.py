"""While nobody asks, the page puts new sentences into English and publishes them."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from index import Index, build, current_generation, open_index
from index.generations import catalogue_path
from rag.assistant import Assistant
from rag.errors import LLMError
from rag.settings import Settings
from tests.fakes import HashEmbedder
from tests.scripted_llm import ScriptedLLM
from ui.background import go_on, put_into_english


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "a.txt").write_text("Die Brücke\n\nDie Brücke wurde gesperrt. Der Turm brannte nachts lange.\n")
    *_, _ = build(folder, tmp_path / "home", HashEmbedder())
    return Settings(tmp_path / "home", folder, tmp_path / "models")


def latest(settings: Settings) -> Callable[[], Index]:
    return lambda: open_index(settings.home, HashEmbedder())


def test_sentences_are_put_into_english_and_published(settings: Settings) -> None:
    llm = ScriptedLLM("The bridge was closed by them.", "The tower burned for long at night.")
    put_into_english(settings, Assistant(latest(settings), llm), quiet=0.01)
    assert current_generation(settings.home) == 2
    [hit, *_] = latest(settings)().search("Who closed the bridge?")
    assert hit.grounds.in_english == "The bridge was closed by them."
    put_into_english(settings, Assistant(latest(settings), ScriptedLLM()), quiet=0.01)  # nothing is left to do
    assert current_generation(settings.home) == 2


def test_a_question_goes_first(settings: Settings) -> None:
    llm = ScriptedLLM("The bridge was closed by them.", "The tower burned for long at night.")
    assistant = Assistant(latest(settings), llm)
    assert assistant.idle_seconds() > 10**6
    answering = assistant.stream("Wer sperrte die Brücke?")
    next(answering)
    assert assistant.idle_seconds() == 0
    work = threading.Thread(target=put_into_english, args=(settings, assistant, 0.05), daemon=True)
    work.start()
    time.sleep(0.3)
    assert llm.prompts == []  # it waits as long as somebody is being answered
    *_, _ = answering
    asked = len(llm.prompts)
    work.join(10)
    assert len(llm.prompts) == asked + 2
    assert current_generation(settings.home) == 2


def test_what_a_failing_model_left_is_taken_up_later(settings: Settings) -> None:
    llm = ScriptedLLM("The bridge was closed by them.", "The tower burned for long at night.", fail_after=7)
    broken = Assistant(latest(settings), llm)
    with pytest.raises(LLMError):
        put_into_english(settings, broken, quiet=0.01)
    llm = ScriptedLLM("The tower burned for long at night.")
    put_into_english(settings, Assistant(latest(settings), llm), quiet=0.01)
    assert len(llm.prompts) == 1


def test_it_goes_on_whatever_fails_and_tells_it_once(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    catalogue, llm, over = catalogue_path(settings.home), ScriptedLLM(), threading.Event()
    whole = catalogue.read_bytes()
    catalogue.write_bytes(b"no database" * 1000)
    assistant = Assistant(latest(settings), llm)
    work = threading.Thread(target=go_on, args=(settings, assistant, over, 0.01, 0.01), daemon=True)
    work.start()
    until(lambda: len(caplog.messages) == 1)
    catalogue.write_bytes(whole)
    until(lambda: len(caplog.messages) == 2 and len(llm.prompts) > 2)
    llm.replies = ["The bridge was closed by them.", "The tower burned for long at night."]
    until(lambda: current_generation(settings.home) == 2)
    over.set()
    work.join(10)
    assert not work.is_alive()
    damaged, broken = caplog.messages
    assert damaged.startswith("sentences were not put into English: The index is damaged")
    assert broken == "sentences were not put into English"
    assert caplog.records[1].exc_info is not None
    assert caplog.records[1].exc_info[0] is IndexError


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)
