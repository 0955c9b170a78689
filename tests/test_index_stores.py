"""One contract for all stores: each finds the same for the same reasons, and a reader keeps its generation."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from corpus import FeudError
from index import (
    RANKING,
    Embedder,
    Filter,
    Hit,
    Index,
    IndexMismatch,
    IndexMissing,
    Report,
    Store,
    StoreFault,
    build,
    filtered,
    open_index,
    store_named,
)
from tests.fakes import HashEmbedder
from tests.milvus_servers import EMULATOR, NO_SERVERS, emulator, forget
from tests.test_index_search import STORIES

ROOT = Path(__file__).parents[1]
QUESTIONS = (
    "How many steps had the keeper climbed every evening?",
    "Wie viele Millionen Mark kostete sie 1897?",
    "Qui vendait la farine au marché ?",
    "图书馆藏书多少册？",
)
META = """["tower.txt"]
title = "The tower"
publisher = 'The "Cliff" \\ Post'
published = {value = "2024-02-03", precision = "day"}
["moulin.txt"]
title = "Le moulin"
publisher = "Le Meunier"
published = {value = "2025-06-01", precision = "day"}
"""


@pytest.fixture(params=["disk", "milvus"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Returns a store of the home `tmp_path / "home"`, another each time that it is called."""
    address = request.getfixturevalue("milvus") if request.param == "milvus" else ""
    return lambda: store_named(address, tmp_path / "home")


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, text in STORIES.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "documents.toml").write_text(META)
    return folder


def publish(documents: Path, store: Store, small: int = 20_000, embedder: Embedder | None = None) -> int | None:
    """Build the index of a folder and publish it; returns the generation's number."""
    *_, report = build(documents, documents.parent / "home", embedder or HashEmbedder(), small=small)
    assert isinstance(report, Report)
    return finished(store)


def finished(store: Store, anew: bool = False) -> int | None:
    steps = store.publish(anew)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            number: int | None = end.value
            return number


def told(hits: Sequence[Hit]) -> list[tuple[object, ...]]:
    """Hits as they are compared, with why they were found."""
    return [
        (
            hit.passage,
            pytest.approx(hit.score, abs=1e-5),
            hit.grounds.words,
            hit.grounds.second_of,
            hit.grounds.in_english,
            pytest.approx(hit.grounds.lexical, abs=1e-5),
            hit.grounds.time,
        )
        for hit in hits
    ]


def test_every_store_finds_the_same_with_the_same_reasons(
    documents: Path, made: Callable[[], Store], tmp_path: Path
) -> None:
    number = publish(documents, made())
    assert made().current() == number
    found, one = made().open(HashEmbedder()), open_index(tmp_path / "home", HashEmbedder())
    assert (found.generation, found.languages) == (number, one.languages)
    assert list(found.documents) == list(one.documents)
    assert list(found.passages) == list(one.passages)
    assert list(found.sentences) == list(one.sentences)
    for question in QUESTIONS:
        assert told(found.search(question, k=20)) == told(one.search(question, k=20))
        sparing = replace(RANKING, large=0, leading=1)
        assert told(found.search(question, 3, ranking=sparing)) == told(
            one.search(question, 3, ranking=sparing)
        )
    assert told(found.search(QUESTIONS[0], wordings=QUESTIONS[1:])) == told(
        one.search(QUESTIONS[0], wordings=QUESTIONS[1:])
    )
    same_of_sentences(found, one)
    for where in filters(one):
        assert told(found.search("the tower of 1811", 20, where)) == told(
            one.search("the tower of 1811", 20, where)
        )
    assert finished(made()) == number  # nothing has changed


def same_of_sentences(found: Index, one: Index) -> None:
    vector = HashEmbedder().embed_question("the keeper of the mill")
    some = [one.sentences[3], one.sentences[-1]]
    assert found.sentence_vectors(some) == pytest.approx(one.sentence_vectors(some))
    assert found.standing_out(vector, some) == pytest.approx(one.standing_out(vector, some), abs=1e-5)
    assert found.likeness("mill", one.passages[:2]) == pytest.approx(one.likeness("mill", one.passages[:2]))
    assert found.counterparts(some[0], -1.0) == one.counterparts(some[0], -1.0)
    assert found.english(some[0]) == one.english(some[0])
    assert found.document("tower.txt") == one.document("tower.txt")
    with pytest.raises(KeyError):
        found.document("nowhere.txt")
    with pytest.raises(KeyError):
        found.sentence_vectors([replace(some[0], start=1)])


def filters(index: Index) -> list[Filter]:
    """Filters of every kind, and such as break out of an expression where they are part of one."""
    hostile = ['x" or id >= 0 or name == "', "\\", "\n", "'; drop", "{}", "塔", "\ud800"]
    return [
        filtered(["fr", "zh"]),
        filtered(["ja"]),
        filtered(publishers=['The "Cliff" \\ Post']),
        filtered(documents=["tower.txt", "图书馆.txt"]),
        filtered(since="2025", until="2025-06"),
        filtered(until="2024-02"),
        filtered(["en"], ["le meunier"], ["moulin.txt"], "2025-01-02"),
        Filter(since=date.min, until=date.max),
        *(filtered(publishers=[words]) for words in hostile),
        *(filtered(documents=[words, "moulin.txt"]) for words in hostile),
    ]


def test_a_reader_keeps_its_generation_and_a_new_one_is_seen(
    documents: Path, made: Callable[[], Store]
) -> None:
    first = publish(documents, made(), small=1)  # so that the volume stays
    reader = made()
    held = reader.open(HashEmbedder())
    before = told(held.search(QUESTIONS[0]))
    (documents / "bruecke.txt").unlink()
    (documents / "news.txt").write_text(
        "News\n\nThe keeper climbed 300 steps. The tower is closed in winter.\n"
    )
    second = publish(documents, made(), small=1)
    assert first is not None
    assert reader.current() == second == first + 1
    assert told(held.search(QUESTIONS[0])) == before
    assert "bruecke.txt" in {hit.passage.document.id for hit in held.search(QUESTIONS[1])}
    now, one = reader.open(HashEmbedder()), open_index(documents.parent / "home", HashEmbedder())
    assert sorted(d.id for d in now.documents) == ["moulin.txt", "news.txt", "tower.txt", "图书馆.txt"]
    assert list(now.passages) == list(one.passages)
    for question in (*QUESTIONS, "Is the tower closed in winter?"):
        found = now.search(question, 20)
        assert [hit.passage for hit in found] == [hit.passage for hit in one.search(question, 20)]
        assert "bruecke.txt" not in {hit.passage.document.id for hit in found}
    with pytest.raises(KeyError):
        now.document("bruecke.txt")


def test_another_embedder_or_splitter_is_refused(documents: Path, made: Callable[[], Store]) -> None:
    publish(documents, made())
    with pytest.raises(IndexMismatch, match=r"embedder hash \(hash-64\).*ask for other"):
        made().open(HashEmbedder(name="other"))


@pytest.fixture
def empty(milvus: str, tmp_path: Path) -> str:
    """The address of a database that holds nothing of feud's."""
    forget(milvus)
    return milvus


def test_an_empty_store_is_missing_and_a_cut_one_is_sent_anew(
    empty: str, documents: Path, tmp_path: Path
) -> None:
    from index.milvus import Server

    store = store_named(empty, tmp_path / "home")
    assert store.current() is None
    with pytest.raises(IndexMissing, match="feud index"):
        store.open(HashEmbedder())
    *_, _ = build(documents, tmp_path / "home", HashEmbedder())
    half = store.publish()
    for _ in range(3):
        next(half)
    half.close()
    assert store.current() is None  # what a killed publisher leaves is never answered from
    assert any("passages" in name for name in Server(empty).names())
    assert finished(store) == 1
    [hit, *_] = store.open(HashEmbedder()).search(QUESTIONS[0])
    assert "214 steps" in hit.passage.text


def test_a_rebuild_with_other_metadata_is_published(empty: str, documents: Path, tmp_path: Path) -> None:
    """The files of the volume are the same, byte for byte; what is told of the documents is not."""
    store = store_named(empty, tmp_path / "home")
    first = publish(documents, store)
    shutil.rmtree(tmp_path / "home")
    (documents / "documents.toml").write_text(META.replace("Le Meunier", "La Meule"))
    assert publish(documents, store) != first
    assert store.open(HashEmbedder()).document("moulin.txt").publisher == "La Meule"


def test_rare_and_frequent_words_are_counted_alike(empty: str, documents: Path, tmp_path: Path) -> None:
    """More volumes than one, and a word in every row: what BM25 counts is of the whole generation."""
    store = store_named(empty, tmp_path / "home")
    publish(documents, store, small=1)
    for name in ("keeper", "evening", "farm"):
        (documents / f"{name}.txt").write_text(
            f"The {name}\n\nThe {name} by the tower burned. It was {name}.\n"
        )
        publish(documents, store, small=1)
    found, one = store.open(HashEmbedder()), open_index(tmp_path / "home", HashEmbedder())
    for question in ("Which keeper burned the tower?", "evening farm", *QUESTIONS):
        assert told(found.search(question, 20)) == told(one.search(question, 20))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("milvus://", "no address of a store"),
        ("redis://localhost", "no address of a store"),
        ("milvus://localhost:x", "no address of a store"),
        ("milvus://localhost?colour=3", "no address of a store"),
    ],
)
def test_what_is_no_address_is_said(address: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(FeudError, match=said):
        store_named(address, tmp_path)


def test_a_server_that_is_not_there_is_said_in_one_line_and_soon(tmp_path: Path) -> None:
    from index.milvus import Server

    began = monotonic()
    with pytest.raises(StoreFault, match=r"The store 127\.0\.0\.1:9/x failed: .*Check that it runs") as caught:
        Server("milvus://reader:secret@127.0.0.1:9/x", patience=1.0)
    assert caught.value.exit_code == 3
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert monotonic() - began < 15


def test_nothing_of_the_client_is_imported_unless_asked_for() -> None:
    code = "import sys, ui.cli, rag.opening, index; print([m for m in sys.modules if 'milvus' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.skipif(not EMULATOR.exists(), reason=NO_SERVERS)
def test_a_store_that_hangs_is_told_and_then_answers_again(documents: Path, tmp_path: Path) -> None:
    from index.milvus.server import PATIENCE

    with emulator(tmp_path / "emulator") as (address, process):
        store = store_named(address, tmp_path / "home")
        publish(documents, store)
        index = store.open(HashEmbedder())
        hits = index.search(QUESTIONS[0])
        passages = [hit.passage for hit in hits]
        likeness = index.likeness(QUESTIONS[0], passages)
        process.send_signal(signal.SIGSTOP)
        assert index.likeness(QUESTIONS[0], passages) == likeness  # what was found is not asked for again
        asked = monotonic()
        with pytest.raises(StoreFault, match="Deadline Exceeded"):
            index.search(QUESTIONS[0])
        assert monotonic() - asked < 2 * PATIENCE
        process.send_signal(signal.SIGCONT)
        assert told(index.search(QUESTIONS[0])) == told(hits)


@pytest.mark.skipif("PID_QUERY2" not in os.environ, reason="needs a cluster: see test_index_servers.py")
def test_a_lost_query_node_costs_time_but_no_answer(empty: str, documents: Path, tmp_path: Path) -> None:
    store = store_named(f"{empty}?replicas=2&shards=2", tmp_path / "home")
    publish(documents, store)
    one = open_index(tmp_path / "home", HashEmbedder())
    expected = {question: told(one.search(question)) for question in QUESTIONS}
    waits, began, killed = [], monotonic(), False
    while monotonic() < began + 20:
        if not killed and monotonic() > began + 3:
            os.kill(int(os.environ["PID_QUERY2"]), signal.SIGKILL)
            killed = True
        asked = monotonic()
        index = store.open(HashEmbedder())  # anew, so that nothing is remembered
        for question in QUESTIONS:
            assert told(index.search(question)) == expected[question]
        waits.append(monotonic() - asked)
    print(f"{len(waits) * len(QUESTIONS)} searches, all right; the longest wait was {max(waits):.1f} s")
    assert killed
    assert max(waits) < 30  # each call is tried again for 15 s


def test_vectors_come_back_as_they_were_sent() -> None:
    from index.milvus.layout import packed, vector_of

    vector = np.random.default_rng(3).normal(size=384).astype(np.float32)
    assert (vector_of(packed(vector)) == vector).all()
