"""Files of questions to files of answers, and the library of documents, in process."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from corpus.shipped import seed
from index import EVERYTHING, Filter, Index, build, open_index
from rag.answer import Turn
from rag.assistant import Assistant
from rag.settings import Settings
from tests.scripted_llm import CloseEmbedder, ScriptedLLM
from ui.batch import BatchError, answer_all, questions
from ui.folder import LibraryError
from ui.library import add, remove


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder, home = tmp_path_factory.mktemp("documents"), tmp_path_factory.mktemp("home")
    (folder / "tower.txt").write_text(
        "The lamp burned whale oil. The tower has 214 steps. A storm broke the glass. Gas came later."
    )
    assert list(build(folder, home, CloseEmbedder()))
    return open_index(home, CloseEmbedder())


class Counting(Assistant):
    """An assistant that quotes, and counts what it is asked."""

    def __init__(self, index: Index) -> None:
        super().__init__(lambda: index, None)
        self.asked: list[tuple[str, tuple[Turn, ...]]] = []

    def ask(self, question: str, history: Sequence[Turn] = (), where: Filter = EVERYTHING) -> Any:
        self.asked.append((question, tuple(history)))
        return super().ask(question, history, where)


@pytest.fixture
def assistant(index: Index) -> Counting:
    return Counting(index)


def write(file: Path, *lines: object) -> Path:
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    return file


def answers(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").split("\n")[:-1]]


ASKED = [
    {"id": name, "question": f"What did the lamp number {name[0]} burn?"}
    for name in ("c", "a", "b\u2028\u0085", "a", "7")
]


def test_answers_stand_in_the_order_of_the_questions(assistant: Counting, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert answer_all(assistant, write(tmp_path / "in.jsonl", *ASKED), out) == 0
    assert [(a["id"], a["question"]) for a in answers(out)] == [(q["id"], q["question"]) for q in ASKED]
    assert "\u2028" in out.read_text("utf-8")  # an end of line to some readers of text, not to JSON
    assert answer_all(assistant, tmp_path / "in.jsonl", out) == 0
    assert len(assistant.asked) == len(ASKED)


@pytest.mark.parametrize("cut", [1, 12, 40, -3, -30])
def test_it_goes_on_after_a_line_that_was_cut(assistant: Counting, tmp_path: Path, cut: int) -> None:
    inn, out = write(tmp_path / "in.jsonl", *ASKED), tmp_path / "out.jsonl"
    answer_all(assistant, inn, out)
    *lines, _ = out.read_bytes().split(b"\n")
    out.write_bytes(b"\n".join([*lines[:2], lines[2][:cut]]))
    assert answer_all(assistant, inn, out) == 0
    assert [question for question, _ in assistant.asked[5:]] == [q["question"] for q in ASKED[2:]]
    assert [a["id"] for a in answers(out)] == [q["id"] for q in ASKED]
    assert [line.split(b'"timing"')[0] for line in out.read_bytes().split(b"\n")[:-1]] == [
        line.split(b'"timing"')[0] for line in lines
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"dear diary",
        b"dear diary\n",
        b'{"id": "c", "question": "What did the lamp number c burn?"}\n',
        b"[1]\n",
        b"\xff\xfe\n",
        b'{"schema": 1, "id": "c", "question": "What did the lamp number c burn?"}\n',
        b'{"schema": 2, "id": "z", "question": "What did the lamp number c burn?"}\n',
        b'{"schema": 2, "id": "c", "question": "Something else?"}\n',
    ],
)
def test_a_file_of_something_else_stays_as_it_is(assistant: Counting, tmp_path: Path, content: bytes) -> None:
    out = tmp_path / "out.jsonl"
    out.write_bytes(content)
    with pytest.raises(BatchError, match=r"out\.jsonl .*Name another file with --out"):
        answer_all(assistant, write(tmp_path / "in.jsonl", *ASKED), out)
    assert out.read_bytes() == content
    assert assistant.asked == []


@pytest.mark.parametrize("name", ["", "none/out.jsonl"])
def test_an_output_that_can_not_be_written_is_named(assistant: Counting, tmp_path: Path, name: str) -> None:
    with pytest.raises(BatchError, match="--out"):
        answer_all(assistant, write(tmp_path / "in.jsonl", *ASKED), tmp_path / name)


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "7",
        '"why?"',
        '{"id": "x"}',
        '{"question": null}',
        '{"question": 7}',
        '{"question": "Why?", "history": [{"role": "user"}]}',
        '{"question": "Why?", "history": [{"role": "user", "content": 7}]}',
        '{"question": "Why?", "history": "none"}',
        "[" * 100_000,
    ],
    ids=lambda line: line[:40],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text(f'{{"question": "Why?"}}\n\n{line}\n')
    with pytest.raises(BatchError, match=r"^Line 3 of .*in\.jsonl is no question\."):
        list(questions(file))


def test_ids_histories_and_odd_ends_of_lines_are_read(tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    turns = (("system", "s"), ("user", "Who?"), ("assistant", "Lund."))
    said = json.dumps([{"role": role, "content": content} for role, content in turns])
    file.write_bytes(
        b'\xef\xbb\xbf{"question": "One?"}\r\n'
        + f'{{"id": 7, "question": "Two\u2028\u0085?", "history": {said}}}\n'.encode()
        + b'{"id": null, "question": "Three?", "history": null}'
    )
    assert list(questions(file)) == [
        ("1", "One?", []),
        ("7", "Two\u2028\u0085?", [Turn("Who?", "Lund.")]),
        ("3", "Three?", []),
    ]
    with pytest.raises(BatchError, match="can't be read"):
        list(questions(tmp_path / "none.jsonl"))


def test_a_question_that_fails_has_its_line_too(index: Index, tmp_path: Path) -> None:
    inn = tmp_path / "in.jsonl"
    inn.write_text('{"id": "\\ud800", "question": ""}\n{"question": "What did the lamp burn?"}\n')
    out = tmp_path / "out.jsonl"
    failing = Assistant(lambda: index, ScriptedLLM("The lamp burned oil.", fail_after=1, answers=["oil."]))
    assert answer_all(failing, inn, out) == 3
    first, second = answers(out)
    assert (first["id"], first["status"], first["statements"]) == ("\ud800", "failed", [])
    assert (second["id"], second["status"]) == ("2", "failed")
    assert second["citations"]
    assert answer_all(failing, inn, out) == 0  # all are there


@pytest.fixture
def library(tmp_path: Path) -> Settings:
    (tmp_path / "documents").mkdir()
    return Settings(tmp_path, tmp_path / "documents", tmp_path / "models", "http://127.0.0.1:9/v1#none")


def held(settings: Settings) -> list[str]:
    return sorted(
        p.relative_to(settings.documents).as_posix() for p in settings.documents.rglob("*") if p.is_file()
    )


def test_nothing_is_added_if_one_file_can_not_be(library: Settings, tmp_path: Path) -> None:
    for folder, words in (("a", "one"), ("b", "two")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "note.txt").write_text(words)
    with pytest.raises(LibraryError, match="have the same name"):
        add(library, [tmp_path / "a" / "note.txt", tmp_path / "b" / "note.txt"])
    with pytest.raises(LibraryError, match="There is no file"):
        add(library, [tmp_path / "a" / "note.txt", tmp_path / "c"])
    assert held(library) == []
    (library.documents / "note.txt").write_text("three")
    with pytest.raises(LibraryError, match="with other content"):
        add(library, [tmp_path / "a", tmp_path / "b" / "note.txt"])
    assert held(library) == ["note.txt"]


def test_a_folder_is_added_under_its_name_without_what_is_hidden(library: Settings, tmp_path: Path) -> None:
    source = tmp_path / "letters"
    for name in ("one.txt", "deep/two.txt", ".git/config", "deep/.three.txt"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(b"")  # empty files are set aside, so that no embedder is asked
    add(library, [source / "deep" / ".."])
    assert held(library) == ["letters/deep/two.txt", "letters/one.txt"]
    add(library, [library.documents / "letters" / "one.txt", source])  # the same again is no mistake
    assert held(library) == ["letters/deep/two.txt", "letters/one.txt", "one.txt"]


def test_what_is_removed_is_kept_each_time(library: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (b"", b" "):
        (library.documents / "note.txt").write_bytes(words)
        remove(library, ["note.txt", "./note.txt"])
    assert held(library) == []
    kept = sorted((library.home / "removed").glob("*/note.txt"))
    assert [(file.parent.name, file.read_bytes()) for file in kept] == [("1", b""), ("2", b" ")]
    assert f"feud add {kept[0]}" in capsys.readouterr().out
    (library.documents / "note.txt").write_bytes(b"")
    remove(library, [str(library.documents / "note.txt")])
    assert held(library) == []


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/hostname", "", "none", "a\x1b[2J"])
def test_only_documents_can_be_removed(library: Settings, name: str) -> None:
    (library.home / "secret.txt").write_text("secret")
    with pytest.raises(LibraryError) as caught:
        remove(library, [name])
    assert "\x1b" not in str(caught.value)
    assert (library.home / "secret.txt").exists()


def test_the_shipped_documents_are_copied_once(tmp_path: Path) -> None:
    assert seed(tmp_path / "new" / "documents")
    first = sorted((tmp_path / "new" / "documents").iterdir())
    assert len([file for file in first if file.suffix == ".txt"]) == 5
    first[0].unlink()
    assert not seed(tmp_path / "new" / "documents")
    assert not first[0].exists()
