"""The news as files: whole, read as the pool has them, and never among other documents."""

import tomllib
from pathlib import Path

import pytest

from corpus import parse, read_bytes, scan
from eval.demo import DemoError, lay_out
from eval.pools import LANGUAGES, news
from rag.settings import Settings
from ui.examples import to_try

NEWS = news()
SAMPLE = 6  # one in each language: reading takes most of the time


def settings(home: Path) -> Settings:
    return Settings(home, home / "documents", home / "models")


def test_each_file_is_read_as_the_pool_has_it(tmp_path: Path) -> None:
    own = settings(tmp_path)
    done = lay_out(own, NEWS, SAMPLE)
    assert (done.documents, done.of) == (6, 123)
    texts = {f"{s.document.id}.txt": s.document for s in NEWS.sentences}
    assert len(scan(own.documents)) == 6
    languages = set()
    for entry in scan(own.documents):
        read, given = parse(entry.id, read_bytes(own.documents, entry.id), {}), texts[entry.id]
        article = [read.text[s.start : s.end] for s in read.segments if s.kind != "noise"]
        assert "".join("".join(article).split()) == "".join(given.text.split()), "something was left out"
        assert read.title == " ".join(given.text.splitlines()[0].split())[:150]
        assert read.publisher == entry.id.removesuffix(".txt").rpartition(".")[0]
        assert read.languages == (given.segments[0].language,)
        languages |= set(read.languages)
    assert languages == set(LANGUAGES)


def test_started_again_it_goes_on_and_keeps_what_is_there(tmp_path: Path) -> None:
    own = settings(tmp_path)
    lay_out(own, NEWS, 3)
    before = {entry.id: entry.mtime_ns for entry in scan(own.documents)}
    torn = own.documents / min(before)
    torn.write_text("half of", "utf-8")
    (own.documents / ".left.txt.new").write_text("the rest of one that was stopped", "utf-8")
    assert lay_out(own, NEWS).documents == 123
    after = {entry.id: entry.mtime_ns for entry in scan(own.documents)}
    assert len(after) == 123
    assert [name for name in before if after[name] != before[name]] == [torn.name]
    assert torn.read_text("utf-8") != "half of"


def test_questions_are_about_what_is_there_in_another_language(tmp_path: Path) -> None:
    done = lay_out(settings(tmp_path), NEWS, 24)
    ids = {entry.id for entry in scan(tmp_path / "documents")}
    assert [query.language for query in done.questions] == list(LANGUAGES)
    for query in done.questions:
        assert f"{query.gold[0].document.id}.txt" in ids
        assert query.language != query.gold[0].language
    asked = tuple((query.language, query.text) for query in done.questions)
    assert to_try(tmp_path, ids) == asked
    assert len(tomllib.loads((tmp_path / "examples.toml").read_text("utf-8"))["example"]) == 6


def test_other_documents_are_left_alone(tmp_path: Path) -> None:
    own = settings(tmp_path)
    own.documents.mkdir()
    (own.documents / "mine.txt").write_text("The tower was built in 1811.", "utf-8")
    with pytest.raises(DemoError, match=r"other documents in .*mine\.txt.*FEUD_HOME="):
        lay_out(own, NEWS, 3)
    assert [entry.id for entry in scan(own.documents)] == ["mine.txt"]
    assert not (tmp_path / "examples.toml").exists()
