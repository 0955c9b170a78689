"""The catalogue gives back what was put in, whole or not at all, and notices damage."""

import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import apsw
import numpy as np
import pytest

from corpus import Document, Passage, Published, Segment, Sentence, said
from index.catalogue import Catalogue
from index.errors import IndexDamaged, IndexMissing
from index.records import File, Record
from index.snapshot import Snapshot

TEXT = "Der Turm steht.\r\nEr ist 40 m hoch.\x00 塔很高。🗼"


@pytest.fixture
def record() -> Record:
    published = Published("2021-03", "month", True, "2021-04", "März oder April", "two months are named")
    segments = (Segment(0, 35, "de", "article"), Segment(35, len(TEXT), "zh", "noise", "another language"))
    document = Document(
        "a/türm.txt", TEXT, 'Der "Turm"', "Blatt", published, "https://a.example/", "N. N.", segments
    )
    sentences = (Sentence(document, 0, 15, "de"), Sentence(document, 17, 34, "de"))
    own = (Segment(0, len(TEXT), "de", "article"),)
    return Record.of(
        document, own, sentences, [Passage(document, sentences, "Höhe"), Passage(document, sentences[1:])]
    )


def put(path: Path, record: Record, number: int = 1) -> None:
    """Publish a generation of one document, in a volume of its own."""
    with Catalogue(path, create=True) as catalogue, catalogue.transaction():
        catalogue.add(number, 0, [record])
        catalogue.publish([File(record.document.id, "ab", "", 9, 1, 2, "indexed")], [], [number])
        catalogue.name_generation(number, "2026-01-01T00:00:00+00:00", json.dumps({"number": number}), kept=2)


def test_a_record_comes_back_equal(tmp_path: Path, record: Record) -> None:
    put(tmp_path / "c.sqlite", record)
    with Catalogue(tmp_path / "c.sqlite") as catalogue:
        assert list(catalogue.records(1)) == [record]
        assert catalogue.record((1, 0)).document.text == TEXT
        assert catalogue.places([1]) == {"a/türm.txt": (1, 0)}
        assert catalogue.counts([1, 2]) == {1: (1, 2, 2), 2: (0, 0, 0)}
        assert catalogue.files() == {"a/türm.txt": File("a/türm.txt", "ab", "", 9, 1, 2, "indexed")}
        assert catalogue.generation() == (1, '{"number": 1}')


def empty_and_fail(catalogue: Catalogue) -> None:
    before = catalogue.digest([1])
    with catalogue.transaction():
        catalogue.publish([], [(1, 0)], [1])
        assert catalogue.digest([1]) != before
        assert catalogue.counts([1]) == {1: (0, 0, 0)}
        raise ZeroDivisionError


def test_a_transaction_that_fails_leaves_the_old_state(tmp_path: Path, record: Record) -> None:
    put(tmp_path / "c.sqlite", record)
    with Catalogue(tmp_path / "c.sqlite") as catalogue:
        before = catalogue.digest([1])
        with pytest.raises(ZeroDivisionError):
            empty_and_fail(catalogue)
        assert catalogue.digest([1]) == before
        assert list(catalogue.records(1)) == [record]


def test_what_a_build_that_died_left_is_swept(tmp_path: Path, record: Record) -> None:
    put(tmp_path / "c.sqlite", record)
    with Catalogue(tmp_path / "c.sqlite") as catalogue:
        with catalogue.transaction():
            catalogue.add(2, 0, [record, record])
        catalogue.sweep([1])
        assert catalogue.counts([1, 2]) == {1: (1, 2, 2), 2: (0, 0, 0)}


def test_documents_that_share_a_sentence_are_found(tmp_path: Path, record: Record) -> None:
    put(tmp_path / "c.sqlite", record)
    with Catalogue(tmp_path / "c.sqlite") as catalogue:
        own = catalogue.said((1, 0))
        assert own == said(replace(record.document, segments=record.own))
        assert catalogue.saying(list(own)[:1], [1]) == {(1, 0)}
        assert catalogue.saying([min(own) + 1], [1]) == catalogue.saying(own, [2]) == set()


def test_a_snapshot_keeps_the_documents_that_it_began_with(tmp_path: Path, record: Record) -> None:
    path = tmp_path / "c.sqlite"
    put(path, record)
    with Catalogue(path) as held:
        held.hold()
        snapshot = Snapshot(held, [1])
        put(path, replace(record, document=replace(record.document, id="b.txt")), number=2)
        assert snapshot.record((1, 0)) == record
        assert snapshot.place(record.document.id) == (1, 0)
        with pytest.raises(KeyError):
            snapshot.place("b.txt")
        assert [place for place, _ in snapshot.described()] == snapshot.places() == [(1, 0)]


def test_a_document_that_goes_while_all_are_read_is_told_and_who_holds_a_state_has_it(
    tmp_path: Path, record: Record
) -> None:
    put(tmp_path / "c.sqlite", record)
    with Catalogue(tmp_path / "c.sqlite") as writer:
        writer.add(1, 1, [record])
        with Catalogue(tmp_path / "c.sqlite") as reader, Catalogue(tmp_path / "c.sqlite") as held:
            held.hold()
            plain, whole = reader.all_records(), held.all_records()
            assert next(plain) == next(whole) == record
            writer.sweep([])
            assert list(whole) == [record]
            with pytest.raises(IndexDamaged, match="document 1 of volume 1 is not there"):
                next(plain)


def test_a_reader_keeps_the_state_that_it_began_with(tmp_path: Path, record: Record) -> None:
    put(tmp_path / "c.sqlite", record)
    with Catalogue(tmp_path / "c.sqlite") as reader, reader.transaction():
        assert reader.generation() == (1, '{"number": 1}')
        put(tmp_path / "c.sqlite", record, number=2)
        assert reader.generation() == (1, '{"number": 1}')
    with Catalogue(tmp_path / "c.sqlite") as reader:
        assert reader.generation() == (2, '{"number": 2}')


def test_the_newest_generations_are_kept(tmp_path: Path, record: Record) -> None:
    for number in (1, 2, 3, 4):
        put(tmp_path / "c.sqlite", record, number)
    with Catalogue(tmp_path / "c.sqlite") as catalogue:
        assert sorted(catalogue.manifests()) == ['{"number": 3}', '{"number": 4}']


def test_vectors_belong_to_an_embedder_and_go_with_their_text(tmp_path: Path) -> None:
    first, second = np.eye(2, dtype=np.float32)
    with Catalogue(tmp_path / "c.sqlite", create=True) as catalogue:
        catalogue.keep_vectors("one", {"a": first, "b": second})
        catalogue.keep_vectors("two", {"a": second})
        assert catalogue.vectors("one", ["a", "b", "?"]).keys() == {"a", "b"}
        assert np.array_equal(catalogue.vectors("two", ["a"])["a"], second)
        catalogue.keep_english("model", {"s": "It stands.", "t": ""})
        with catalogue.transaction():
            catalogue.forget_all_but(["a", "c"], ["t"])
        assert catalogue.vectors("one", ["a", "b"]).keys() == {"a"}
        assert catalogue.english(["s", "t"]) == {"t": ""}


def spoil(path: Path, statement: str, *values: object) -> None:
    connection = apsw.Connection(str(path))
    connection.execute(statement, values)
    connection.close()


def test_a_damaged_vector_is_not_returned(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    with Catalogue(path, create=True) as catalogue:
        catalogue.keep_vectors("one", {"a": np.array([1, 0], np.float32), "b": np.array([0, 1], np.float32)})
    spoil(
        path, "UPDATE vectors SET vector = ? WHERE embedded = 'a'", np.array([0.6, 0.8], np.float32).tobytes()
    )
    with Catalogue(path) as catalogue:
        assert catalogue.vectors("one", ["a", "b"]).keys() == {"b"}


def test_vectors_come_in_the_order_of_their_keys(tmp_path: Path) -> None:
    rows = np.eye(3, dtype=np.float32)
    with Catalogue(tmp_path / "c.sqlite", create=True) as catalogue:
        catalogue.keep_vectors("one", dict(zip("abc", rows, strict=True)))
        assert np.array_equal(catalogue.matrix("one", ["c", "a", "c"]), rows[[2, 0, 2]])
        with pytest.raises(IndexDamaged, match="2 vectors are missing"):
            catalogue.matrix("one", ["a", "d", "e", "d"])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE documents SET text = replace(text, '40', '41')",
        "UPDATE documents SET own = '[]'",
        "UPDATE sentences SET start = 1 WHERE number = 0",
        "UPDATE passages SET heading = '' WHERE number = 0",
        "DELETE FROM passages WHERE number = 1",
    ],
)
def test_a_document_with_a_changed_row_is_not_returned(tmp_path: Path, record: Record, statement: str) -> None:
    path = tmp_path / "c.sqlite"
    put(path, record)
    spoil(path, statement)
    with Catalogue(path) as catalogue, pytest.raises(IndexDamaged, match=r"türm\.txt.*not those"):
        catalogue.record((1, 0))


@pytest.mark.parametrize("statement", ["UPDATE files SET sha256 = 'ac'", "DELETE FROM documents"])
def test_another_file_or_document_changes_the_digest(tmp_path: Path, record: Record, statement: str) -> None:
    path = tmp_path / "c.sqlite"
    put(path, record)
    with Catalogue(path) as catalogue:
        before = catalogue.digest([1])
    spoil(path, statement)
    with Catalogue(path) as catalogue:
        assert catalogue.digest([1]) != before


BEFORE = """
CREATE TABLE files (id TEXT); CREATE TABLE documents (id TEXT); CREATE TABLE sentences (id TEXT);
CREATE TABLE passages (id TEXT); CREATE TABLE generations (number INTEGER);
CREATE TABLE vectors (
    embedder TEXT NOT NULL, embedded TEXT NOT NULL, vector BLOB NOT NULL, crc32 INTEGER NOT NULL,
    PRIMARY KEY (embedder, embedded)) STRICT, WITHOUT ROWID;
"""


def test_of_the_format_before_the_vectors_are_kept(tmp_path: Path, record: Record) -> None:
    connection = apsw.Connection(str(tmp_path / "c.sqlite"))
    connection.execute(BEFORE)
    vector = np.array([0, 1], np.float32).tobytes()
    connection.execute("INSERT INTO vectors VALUES ('one', 'a', ?, ?)", (vector, zlib.crc32(vector)))
    connection.pragma("user_version", 1)
    connection.close()
    put(tmp_path / "c.sqlite", record)
    with Catalogue(tmp_path / "c.sqlite") as catalogue:
        assert catalogue.vectors("one", ["a"])["a"].tolist() == [0, 1]
        assert list(catalogue.records(1)) == [record]


def test_a_changed_manifest_is_refused(tmp_path: Path, record: Record) -> None:
    put(tmp_path / "c.sqlite", record)
    spoil(tmp_path / "c.sqlite", "UPDATE generations SET manifest = replace(manifest, '1', '2')")
    with (
        Catalogue(tmp_path / "c.sqlite") as catalogue,
        pytest.raises(IndexDamaged, match="does not match its hash"),
    ):
        catalogue.generation()


def garbage(path: Path) -> None:
    path.write_bytes(b"this is no database, but long enough to be taken for one" * 100)


def other_format(path: Path) -> None:
    Catalogue(path, create=True).__exit__()
    spoil(path, "PRAGMA user_version = 99")


@pytest.mark.parametrize(("make", "message"), [(garbage, "not a database"), (other_format, "format 99")])
def test_what_is_no_catalogue_is_refused_with_the_next_step(
    tmp_path: Path, make: Callable[[Path], None], message: str
) -> None:
    make(tmp_path / "c.sqlite")
    with pytest.raises(IndexDamaged, match=f"{message}.*feud index --rebuild"):
        Catalogue(tmp_path / "c.sqlite")


def test_nothing_yet_is_said(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="feud index"):
        Catalogue(tmp_path / "c.sqlite")
    (tmp_path / "c.sqlite").touch()  # a first build was killed before it made the tables
    with pytest.raises(IndexMissing, match="feud index"):
        Catalogue(tmp_path / "c.sqlite")


def test_commits_are_durable(tmp_path: Path) -> None:
    with Catalogue(tmp_path / "c.sqlite", create=True) as catalogue:
        pragma = catalogue._connection.pragma
        assert (pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")) == ("wal", 2, 1)
