"""`feud eval store`: the same index from the disk and from a server: what is found, how soon, at which size.

The feud cases, XQuAD-R and NTREX with the real embedder, then ever more made-up passages as `feud eval size`
makes them, whose vectors are looked up.
"""

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console
from rich.table import Table

from corpus import FeudError, Sentence
from eval.case import Gold
from eval.casefile import load
from eval.measures import retrieved
from eval.plot import lines
from eval.pools import Pool, news, xquad
from eval.retrieval import place
from eval.retrieval_report import pool_index, pool_records, some
from eval.runner import run_folder
from eval.size import Texts, apart, built, real_vectors, revised, vectors_of
from eval.summary import SEED
from index import Embedder, Hit, Index, open_index, store_named
from index.catalogue import Catalogue
from index.generations import catalogue_path, writer_lock
from index.publish import texts
from index.records import Record
from rag.opening import Library, open_embedder
from rag.question import understand
from rag.settings import Settings

K = 8
ASKED = 100  # questions to each made-up index


class StoreInUseError(FeudError):
    """The store that was named to be filled holds documents."""


@dataclass(frozen=True, slots=True)
class Searched:
    """What is searched for, and how much of it hits have found; None where nothing is known to be right."""

    text: str
    wordings: Sequence[str] = ()
    found: Callable[[Sequence[Hit]], float] | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """Pairs of the disk and the store: shares found, milliseconds of a search.

    `same` is the share of questions for which both find the same passages in the same order.
    """

    name: str
    passages: int
    questions: int
    found: tuple[float, float] | None
    same: float
    p50: tuple[float, float]
    p95: tuple[float, float]
    publish_seconds: float


def measure(settings: Settings, address: str, rows: Sequence[int], sample: int) -> None:
    """Publish, ask both, print the table, and keep it as JSON and, of the sizes, as a plot.

    What a store holds would be replaced: raises StoreInUseError where it holds something.
    """
    if (store := store_named(address, settings.home)).current() is not None:
        raise StoreInUseError(f"{store.name} holds documents, which would be replaced. Name an empty database.")
    folder = run_folder(settings.home, "store", datetime.now())
    out, done = Console(highlight=False), list[Compared]()
    for compared in _compared(settings, address, rows, sample):
        done.append(compared)
        out.print(_table(done))
        folder.mkdir(parents=True, exist_ok=True)
        report = json.dumps([asdict(each) for each in done], indent=1)
        (folder / "store.json").write_text(report + "\n", "utf-8")
        sizes = [each for each in done if each.found is None]
        points = {
            "a search on the disk, p50 ms": [(each.passages, each.p50[0]) for each in sizes],
            "a search in the store, p50 ms": [(each.passages, each.p50[1]) for each in sizes],
            "publishing, seconds": [(each.passages, each.publish_seconds) for each in sizes],
        }
        if sizes:
            (folder / "store.svg").write_text(lines("passages", points), "utf-8")
    out.print(f"Report: {folder}")


def _compared(settings: Settings, address: str, rows: Sequence[int], sample: int) -> Iterator[Compared]:
    embedder = open_embedder(settings)
    index = Library(settings, embedder).latest()
    yield _both("feud cases", settings.home, address, embedder, some(list(_cases(index)), sample))
    for pool in (news(), xquad()):
        pool_index(settings, pool, Console(stderr=True))  # embeds, and keeps the vectors
        with TemporaryDirectory() as name:
            _build(Path(name), list(pool_records(pool)), embedder, vectors_of(settings))
            yield _both(pool.name, Path(name), address, embedder, some(list(_questions(pool)), sample))
    for count in rows:
        with TemporaryDirectory() as name:
            apart(built, vectors_of(settings), Path(name), count)
            made = Texts(vectors_of(settings))
            asked = [Searched(made.ask(each)) for each in random.Random(SEED).sample(made.queries, ASKED)]
            yield _both("made up", Path(name), address, made, asked)


def _both(name: str, home: Path, address: str, embedder: Embedder, asked: Sequence[Searched]) -> Compared:
    """Publish the index of a home, and ask both the same."""
    started = time.perf_counter()
    for _ in store_named(address, home).publish():
        pass
    published = time.perf_counter() - started
    disk, store = open_index(home, embedder), store_named(address, home).open(embedder)
    seconds: dict[str, list[float]] = {"disk": [], "store": []}
    shares: dict[str, list[float]] = {"disk": [], "store": []}
    same = []
    for index in (disk, store):
        index.search(asked[0].text)  # loads what is loaded once
    for each in asked:
        passages = []
        for where, index in (("disk", disk), ("store", store)):
            started = time.perf_counter()
            hits = index.search(each.text, K, wordings=each.wordings)
            seconds[where].append((time.perf_counter() - started) * 1000)
            passages.append([hit.passage for hit in hits])
            if each.found:
                shares[where].append(each.found(hits))
        same.append(passages[0] == passages[1])
    found = (fmean(shares["disk"]), fmean(shares["store"])) if shares["disk"] else None
    p50, p95 = (
        (float(np.percentile(seconds["disk"], q)), float(np.percentile(seconds["store"], q))) for q in (50, 95)
    )
    return Compared(name, len(disk.passages), len(asked), found, fmean(same), p50, p95, published)


def _cases(index: Index) -> Iterator[Searched]:
    held = {document.id: document.text for document in index.documents}
    for case in load():
        if case.needs:
            asked = understand(case.question, case.history, None)

            def found(hits: Sequence[Hit], needs: Sequence[Sequence[Gold]] = case.needs) -> float:
                shown = [place(hit.passage) for hit in hits]
                return fmean(retrieved(need, shown, held) for need in needs)

            yield Searched(asked.standalone, asked.wordings, found)


def _questions(pool: Pool) -> Iterator[Searched]:
    for query in pool.queries:

        def found(hits: Sequence[Hit], gold: Sequence[Sentence] = query.gold) -> float:
            shown = {sentence for hit in hits for sentence in hit.passage.sentences}
            return fmean(each in shown for each in gold)

        yield Searched(query.text, (), found)


def _build(home: Path, records: Iterable[Record], embedder: Embedder, vectors: Path) -> None:
    """Make an index of records whose vectors are known."""
    held = {record.document.id: (record, 0) for record in records}
    wanted = texts(record for record, _ in held.values())
    known = {key: vector for key, vector in real_vectors(vectors).items() if key in wanted}
    with writer_lock(home), Catalogue(catalogue_path(home), create=True) as catalogue:
        catalogue.keep_vectors(embedder.fingerprint, known)
    revised(home, embedder, held.__getitem__, list(held))


def _table(done: Sequence[Compared]) -> Table:
    """Columns as the lines of a list: disk / store where both were asked."""

    def pair(values: tuple[float, float] | None, form: str) -> str:
        return " / ".join(format(value, form) for value in values) if values else ""

    table = Table("disk / store", *(each.name for each in done))
    table.add_row("passages", *(f"{each.passages:,}" for each in done))
    table.add_row("questions", *(str(each.questions) for each in done))
    table.add_row(f"found in the first {K}", *(pair(each.found, ".3f") for each in done))
    table.add_row("the same found", *(f"{each.same:.3f}" for each in done))
    table.add_row("p50 ms", *(pair(each.p50, ".0f") for each in done))
    table.add_row("p95 ms", *(pair(each.p95, ".0f") for each in done))
    table.add_row("published in s", *(f"{each.publish_seconds:.0f}" for each in done))
    return table
