"""Conversations kept on this computer: they come back as they were, whatever became of the documents."""

import sqlite3
from dataclasses import replace
from datetime import date
from pathlib import Path
from threading import Thread

import pytest

from corpus import Document
from index import Filter
from rag import Answer, Citation, Question, Statement
from tests.scripted import ANSWER, PIER, QUESTION, sentence
from ui.archive import Archive, ArchiveError
from ui.conversation import KEPT, Conversation, Exchange

WHERE = Filter(frozenset({"fr"}), frozenset({"海港报"}), frozenset(), date(2021, 5, 1), None)
ASKED = Conversation().ask(QUESTION, WHERE).show(1, ANSWER)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "home" / "conversations.sqlite")


def test_a_conversation_comes_back_as_it_was(archive: Archive) -> None:
    talk = ASKED.tell(ASKED.exchanges[0], 3, "开放").ask("Why?").end("stopped").ask("And who?").show(3, ANSWER)
    name, version = archive.keep("", 0, talk)
    found = archive.load(name)
    assert found == (replace(talk, exchanges=(talk.exchanges[0], talk.exchanges[2])), version)
    back = found[0].exchanges[0]
    assert back.answer
    assert [c.quote for c in back.answer.citations] == [c.quote for c in ANSWER.citations]
    assert back.answer.citations[0].document.segments == ANSWER.citations[0].document.segments
    assert archive.load("other") is None


def test_what_no_encoding_carries_comes_back_too(archive: Archive) -> None:
    document = Document("odd\ud800.txt", "Half \ud83d a pair.\r\nNUL \x00.", "")
    said = replace(sentence(PIER, PIER.text[:5]), document=document, start=0, end=14)
    answer = Answer(
        Question("?", "en", "?"),
        "answered",
        (Statement("Half.", (1,), "quoted", 0.5),),
        citations=(Citation(1, (said,)),),
    )
    name, _ = archive.keep("", 0, Conversation((Exchange(1, "?", answer, "done"),), 1))
    found = archive.load(name)
    assert found
    assert found[0].exchanges[0].answer == answer


def test_nothing_unfinished_is_kept(archive: Archive) -> None:
    assert archive.keep("", 0, Conversation().ask("?")) == ("", 0)
    assert archive.keep("", 0, Conversation()) == ("", 0)
    assert archive.listed() == []


def test_the_newest_is_first_and_all_that_was_said_can_be_searched(archive: Archive) -> None:
    first = archive.keep("", 0, ASKED)
    second = archive.keep("", 0, Conversation().ask("谁？").show(1, ANSWER))
    assert [kept.title for kept in archive.listed()] == ["谁？", QUESTION]
    assert archive.keep(*first, ASKED.ask("Why?").show(2, ANSWER)) == (first[0], 2)
    newest, older = archive.listed()
    assert (newest.id, older.id) == (first[0], second[0])
    assert newest.said == (QUESTION, *(s.text for s in ANSWER.statements), "Why?", *newest.said[1:3])
    assert newest.changed >= older.changed


def test_two_windows_that_go_on_with_one_conversation_lose_nothing(archive: Archive) -> None:
    name, version = archive.keep("", 0, ASKED)
    here, there = (archive.keep(name, version, ASKED.ask(words).show(2, ANSWER)) for words in ("Why?", "Who?"))
    assert here == (name, 2)
    assert there[0] != name
    assert sorted(kept.said[3] for kept in archive.listed()) == ["Who?", "Why?"]


def test_the_beginning_of_a_long_conversation_stays(archive: Archive) -> None:
    talk, kept = Conversation(), ("", 0)
    for number in range(1, KEPT + 4):
        talk = talk.ask(f"Question {number}?").show(number, ANSWER)
        kept = archive.keep(*kept, talk)
    assert len(talk.exchanges) == KEPT
    found = archive.load(kept[0])
    assert found
    assert [e.number for e in found[0].exchanges] == list(range(1, KEPT + 4))
    assert archive.listed()[0].title == "Question 1?"


def test_who_goes_on_with_a_deleted_conversation_loses_nothing(archive: Archive) -> None:
    kept = archive.keep("", 0, ASKED)
    archive.delete(kept[0])
    again = archive.keep(*kept, ASKED.ask("Why?").show(2, ANSWER))
    archive.purge()
    assert again[0] != kept[0]
    assert archive.load(again[0])


def test_a_question_that_no_encoding_carries_is_a_title(archive: Archive) -> None:
    archive.keep("", 0, Conversation().ask("Half \ud83d?").show(1, ANSWER))
    assert [kept.title for kept in archive.listed()] == ["Half ??"]


def test_renamed(archive: Archive) -> None:
    name, version = archive.keep("", 0, ASKED)
    archive.rename(name, "  The \n quay ")
    archive.rename(name, " ")
    assert archive.keep(name, version, ASKED.ask("Why?").show(2, ANSWER)) == (name, 2)
    assert [kept.title for kept in archive.listed()] == ["The quay"]


def test_what_is_deleted_can_be_brought_back_until_it_is_erased(archive: Archive, tmp_path: Path) -> None:
    name, _ = archive.keep("", 0, ASKED)
    archive.delete(name)
    assert archive.listed() == []
    assert archive.load(name) is None
    archive.restore(name)
    assert archive.load(name)
    archive.delete(name)
    archive.purge()
    archive.restore(name)
    assert archive.load(name) is None
    everything = b"".join(file.read_bytes() for file in (tmp_path / "home").iterdir())
    assert QUESTION.encode() not in everything
    assert b"gramme du port" not in everything


def test_a_document_is_kept_once_and_while_an_answer_cites_it(archive: Archive, tmp_path: Path) -> None:
    first, _ = archive.keep("", 0, ASKED)
    second, _ = archive.keep("", 0, ASKED)
    archive.delete(first)
    archive.purge()
    found = archive.load(second)
    assert found
    assert found[0].exchanges == ASKED.exchanges
    with sqlite3.connect(tmp_path / "home" / "conversations.sqlite") as database:
        assert database.execute("SELECT count(*) FROM document").fetchone() == (3,)


def test_many_threads_keep_theirs(archive: Archive) -> None:
    threads = [Thread(target=archive.keep, args=("", 0, ASKED)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(archive.listed()) == 8


def test_a_file_that_is_none_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "conversations.sqlite").write_bytes(b"not a database" * 99)
    with pytest.raises(ArchiveError, match=r"^Conversations can't be kept in .*not a database"):
        Archive(tmp_path / "conversations.sqlite").keep("", 0, ASKED)
