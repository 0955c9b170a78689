"""What an engine has read of prompts is kept, whole, without a word of a reader; else it is read anew."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from index import ModelStore
from rag.beginnings import folder_for
from rag.engine import Endpoint, Engine
from rag.llm import Message, OpenAILLM, Prompt
from rag.settings import Settings
from tests.scripted_llm import DONE, Reply, ScriptedServer, finish, text

SMALL = "qwen2.5-coder-0.5b-instruct"
JUDGE = [Message("system", "Reply Yes or No."), Message("user", "Is it red?"), Message("assistant", "Yes")]
WRITE = [Message("system", "Answer.")]


class Slots(ScriptedServer):
    """A server with a slot that it saves into `folder`; `lost` bytes of it never reach the disk."""

    folder = Path()
    lost, restores = 0, True

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        if not path.startswith("/slots/0"):
            return Reply((text("Anna Brandt."), finish(), DONE))
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


def model(server: Slots) -> OpenAILLM:
    endpoint = Endpoint(server.base_url, "sk-1", embedded=True, beginnings=server.folder)
    return OpenAILLM("small", lambda: endpoint, 5.0, 5.0)


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


def test_where_the_disk_is_full_nothing_is_kept_and_the_answer_is_there(server: Slots) -> None:
    server.lost = 1
    assert reply(model(server), JUDGE, "Who?") == "Anna Brandt."
    assert list(server.folder.iterdir()) == []


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


def test_what_is_kept_of_another_file_of_the_model_is_deleted(tmp_path: Path) -> None:
    file, home = tmp_path / "small.gguf", tmp_path / "engine"
    file.write_bytes(b"one")
    first = folder_for(file, "1.0", home)
    assert folder_for(file, "1.0", home) == first
    other = folder_for(file, "1.1", home)
    file.write_bytes(b"another")
    third = folder_for(file, "1.1", home)
    assert len({first, other, third}) == 3
    assert list(home.iterdir()) == [third]


@pytest.mark.model
def test_the_engine_says_the_same_with_what_was_kept(tmp_path: Path) -> None:
    file = ModelStore(Settings.from_env().models).find(SMALL)

    def asked(beginnings: Path | None) -> list[float | None]:
        engine = Engine(lambda: file, context_tokens=512, beginnings=beginnings)
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
