"""What an engine has read of prompts is kept, whole, without a word of a reader; else it is read anew."""

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corpus import Document, Sentence
from rag.answer import Question, Turn
from rag.beginnings import folder_for
from rag.engine import Endpoint, Engine
from rag.errors import LLMError
from rag.llm import Message, OpenAILLM, Prompt
from rag.prompt import (
    answering,
    controlling,
    judging,
    rewriting,
    searching,
    supporting,
    telling,
    translating,
)
from tests.scripted_llm import DONE, Reply, ScriptedServer, finish, text
from tests.test_rag_engine import SMALL, small

__all__ = ["small"]

JUDGE = [Message("system", "Reply Yes or No."), Message("user", "Is it red?"), Message("assistant", "Yes")]
WRITE = [Message("system", "Answer.")]


class Slots(ScriptedServer):
    """A server with a slot that it saves into `folder`; `lost` bytes of it never reach the disk."""

    folder = Path()
    lost, restores, pause = 0, True, 0.0

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        if not path.startswith("/slots/0"):
            return Reply((self.pause, text("Anna Brandt."), finish(), DONE))
        file, status, written = self.folder / body["filename"], 200, 0
        if path.endswith("save"):
            state = json.dumps(self.requests[-2]["body"]["messages"]).encode()
            written = file.write_bytes(state[: len(state) - self.lost]) + self.lost
        elif not (self.restores and file.exists()):
            status = 400
        return Reply((json.dumps({"n_written": written}).encode(),), status, "application/json")

    def done(self) -> list[str]:
        """What was asked since last time: the end of the route, or of the prompt."""
        told = [
            r["path"].rpartition("=")[2] if "slots" in r["path"] else r["body"]["messages"][-1]["content"]
            for r in self.requests
        ]
        self.requests.clear()
        return told


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Slots]:
    with Slots() as running:
        running.folder = tmp_path
        yield running


def model(server: Slots, seconds: float = 5.0) -> OpenAILLM:
    endpoint = Endpoint(server.base_url, "sk-1", embedded=True, beginnings=server.folder)
    return OpenAILLM("small", lambda: endpoint, seconds, seconds)


def reply(llm: OpenAILLM, beginning: Prompt, question: str) -> str:
    return "".join(piece.text for piece in llm.stream([*beginning, Message("user", question)], 10))


def test_a_beginning_is_read_once_and_is_there_again_after_another(server: Slots) -> None:
    llm = model(server)
    assert reply(llm, JUDGE, "Who?") == "Anna Brandt."
    assert server.done() == ["?", "save", "Who?"]
    reply(llm, JUDGE, "Where?")
    reply(llm, WRITE, "When?")
    reply(llm, JUDGE, "Why?")
    assert server.done() == ["Where?", "?", "save", "When?", "restore", "Why?"]
    reply(model(server), WRITE, "How?")  # in another process
    assert server.done() == ["restore", "How?"]
    assert len(list(server.folder.iterdir())) == 2


def test_no_word_of_a_reader_is_kept(server: Slots) -> None:
    reply(model(server), JUDGE, "Who is my doctor?")
    [kept] = server.folder.iterdir()
    assert [m["content"] for m in json.loads(kept.read_bytes())] == [*(m.content for m in JUDGE), "?"]


def test_a_damaged_file_is_not_given_to_the_engine(server: Slots) -> None:
    reply(model(server), JUDGE, "Who?")
    [kept] = server.folder.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-1])
    server.done()
    reply(model(server), JUDGE, "Who?")
    assert server.done() == ["?", "save", "Who?"]
    assert [file.read_bytes() for file in server.folder.iterdir()] == [whole]


def test_what_the_engine_does_not_take_is_read_anew(server: Slots) -> None:
    reply(model(server), JUDGE, "Who?")
    server.done()
    server.restores = False
    reply(model(server), JUDGE, "Who?")
    assert server.done() == ["restore", "?", "save", "Who?"]


def test_where_the_disk_is_full_nothing_is_kept_and_it_is_not_tried_again(server: Slots) -> None:
    reply(model(server), JUDGE, "Who?")
    server.done()
    server.lost, llm = 1, model(server)
    assert reply(llm, WRITE, "Who?") == "Anna Brandt."
    assert server.done() == ["?", "save", "Who?"]
    reply(llm, JUDGE, "Where?")
    reply(llm, WRITE, "When?")
    assert server.done() == ["restore", "Where?", "When?"]
    assert len(list(server.folder.iterdir())) == 1


def test_a_folder_that_is_gone_costs_no_answer(server: Slots) -> None:
    server.folder = server.folder / "gone"
    assert reply(model(server), JUDGE, "Who?") == "Anna Brandt."


def test_what_others_ask_meanwhile_does_not_come_between(server: Slots) -> None:
    llm, beginnings = model(server), [JUDGE, WRITE]
    threads = [threading.Thread(target=reply, args=(llm, beginnings[n % 2], f"{n}")) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = [json.loads(file.read_bytes()) for file in server.folder.iterdir()]
    assert sorted(len(messages) for messages in kept) == [2, 4]
    assert all(messages[-1]["content"] == "?" for messages in kept)


def test_who_left_while_others_were_answered_takes_none_of_the_engine(server: Slots) -> None:
    server.pause, llm = 1.2, model(server, 0.3)
    for question in ("Who?", "Where?", "When?"):
        with pytest.raises(LLMError, match="silent for"):
            reply(llm, JUDGE, question)
    server.pause, end = 0.0, time.monotonic() + 20
    while len(server.requests) < 2:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert reply(llm, JUDGE, "Why?") == "Anna Brandt."
    assert server.done() == ["?", "save", "Why?"]


def test_an_engine_that_had_ended_costs_no_file(server: Slots) -> None:
    reply(model(server), JUDGE, "Who?")
    gone = Endpoint("http://127.0.0.1:9/v1", "sk-1", embedded=True, beginnings=server.folder)
    with pytest.raises(LLMError, match="ended before its answer did"):
        reply(OpenAILLM("small", lambda: gone, 5.0, 5.0), JUDGE, "Who?")
    assert len(list(server.folder.iterdir())) == 1


def test_what_is_kept_of_a_prompt_has_no_word_of_a_reader_or_a_document() -> None:
    made: list[list[Prompt]] = []
    for word in ("Wolpertinger", "Jackalope"):
        asked, turns = Question(word, "en", word), [Turn(word, word)]
        sentence = Sentence(Document(word, word, word, word), 0, len(word), "en")
        made.append(
            [
                judging(asked, word),
                controlling(asked),
                answering(asked, sentence, sentence),
                supporting(word, sentence, sentence),
                translating(word),
                telling(word, "de"),
                rewriting(word, turns),
                searching(word, turns),
            ]
        )
    for one, other in zip(*made, strict=True):
        assert one[:-1] == other[:-1]
        assert one[-1] != other[-1]


def test_each_file_version_and_wording_has_a_folder_and_unused_ones_go(tmp_path: Path) -> None:
    file, home = tmp_path / "small.gguf", tmp_path / "engine"
    file.write_bytes(b"one")
    first = folder_for(file, "1.0", home)
    assert folder_for(file, "1.0", home) == first
    other = folder_for(file, "1.1", home)
    half, whole = other / "state.a1", other / "state-b2"
    for path in (half, whole):
        path.touch()
        os.utime(path, (0, 0))
    os.utime(first, (0, 0))
    assert folder_for(file, "1.1", home) == other
    file.write_bytes(b"another")
    third = folder_for(file, "1.1", home)
    assert {*home.iterdir()} == {other, third}
    assert [*other.iterdir()] == [whole]


@pytest.mark.model
def test_the_engine_says_the_same_with_what_was_kept(small: Path, tmp_path: Path) -> None:
    def asked(beginnings: Path | None) -> list[float | None]:
        engine = Engine(lambda: small, context_tokens=512, beginnings=beginnings)
        try:
            llm = OpenAILLM(SMALL, engine.endpoint)
            prompts = [[*JUDGE, Message("user", "Is it blue?")], [*WRITE, Message("user", "Is snow white?")]]
            return [llm.yes(prompt) for prompt in prompts * 2]
        finally:
            engine.stop()

    plain, first, again = asked(None), asked(tmp_path), asked(tmp_path)
    assert first == pytest.approx(plain, abs=0.02)
    assert again == first
    [folder] = tmp_path.iterdir()
    files = sorted(folder.iterdir())
    assert len(files) == 2
    whole = files[0].read_bytes()
    files[0].write_bytes(whole[: len(whole) // 2])  # of which the engine itself would die
    assert asked(tmp_path) == first
    assert files[0].read_bytes() == whole
