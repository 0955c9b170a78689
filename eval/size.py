"""`feud eval size`: ever more passages on one machine: how long building takes, what it needs, what is found.

No million real passages is at hand, so the real ones are made more: a vector is that of a real text moved by
noise with the covariance of the real ones, its text a real sentence with every fourth word replaced by another
of its language. Times are of the index alone: vectors are looked up, not computed.
"""

import json
import random
import shutil
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import apsw
import numpy as np
from rich.console import Console
from rich.table import Table

from corpus import Document, Segment, Sentence
from corpus.passages import windows
from eval.plot import lines
from eval.pools import Pool, Query, news, xquad
from eval.runner import run_folder
from index import Index, Progress, open_index
from index.catalogue import Catalogue
from index.embedder import Embedder, Matrix, Vector, unit
from index.generations import InEnglish, catalogue_path, index_folder, writer_lock
from index.publish import newest, revise
from index.records import File, Record, key
from index.views import View
from rag.settings import Settings

T = TypeVar("T")

SENTENCES = 45  # of a document: they make some 23 passages
NOISE = 0.7  # of the real vectors' spread; a text's nearest is then as near as among the real ones, some .9
QUESTIONS, WARM = 300, 30  # that are measured, and before them some that are not
FEW = 10  # documents that are added and removed
_NOISES = 1 << 14  # whose sums in pairs are some 10^8
_WORDS = 4  # one in so many is replaced
_BYTES = ("build_anonymous", "build_resident", "disk", "files", "anonymous", "mapped")


@dataclass(frozen=True, slots=True)
class Measured:
    """What one size costs: seconds, bytes, milliseconds, shares."""

    passages: int
    sentences: int
    documents: int
    build_seconds: float
    build_anonymous: int
    build_resident: int
    disk: int
    files: int
    open_seconds: float
    anonymous: int
    mapped: int
    recall: float
    dense_p50: float
    dense_p99: float
    fused_p50: float
    fused_p99: float
    add_seconds: float
    remove_seconds: float


class Texts:
    """Documents without end, made of the sentences of the public pools, and their vectors."""

    fingerprint = name = "perturbed"

    def __init__(self, vectors: Path) -> None:
        pools: list[Pool] = [xquad(), news()]
        known = real_vectors(vectors)
        self._spoken: dict[str, list[str]] = {}
        for pool in pools:
            for sentence in pool.sentences:
                if key(sentence.text) in known:
                    self._spoken.setdefault(sentence.language, []).append(sentence.text)
        self._languages = list(self._spoken)
        self._words = {
            language: [word for text in texts for word in _words(text, language)]
            for language, texts in self._spoken.items()
        }
        self._vectors = known
        self._all = np.array(list(known.values()))
        self.dimension = self._all.shape[1]
        values, axes = np.linalg.eigh(np.cov(self._all.T))
        spread = (axes * np.sqrt(np.clip(values, 0, None))).T.astype(np.float32) * np.float32(NOISE)
        self._from: dict[str, Vector] = {}
        self._asked: dict[str, Vector] = {}
        self._chance = np.random.default_rng(1)
        self._noise = self._chance.standard_normal((_NOISES, self.dimension)).astype(np.float32) @ spread
        self.queries: list[Query] = [
            query for pool in pools for query in pool.queries if key(query.gold[0].text) in known
        ]

    @property
    def real(self) -> int:
        """How many real vectors there are."""
        return len(self._all)

    def record(self, name: str) -> Record:
        """The document of that name: the same each time."""
        chosen = random.Random(name)
        language = chosen.choice(self._languages)
        said, sentences, start = [], [], 0
        for real in chosen.choices(self._spoken[language], k=SENTENCES):
            text = self._changed(real, language, chosen)
            self._from[key(text)] = self._vectors[key(real)]
            said.append(text)
        whole = "\n".join(said)
        document = Document(name, whole, "", segments=(Segment(0, len(whole), language, "article"),))
        for text in said:
            sentences.append(Sentence(document, start, start + len(text), language))
            start += len(text) + 1
        passages = windows(sentences)
        made = Record.of(document, document.segments, sentences, passages)
        inputs = made.inputs()
        for text, passage in zip(inputs.passages, passages, strict=True):
            self._from[key(text)] = self._from[key(passage.sentences[0].text)]
        for text, sentence in zip(inputs.contexts, sentences, strict=True):
            self._from[key(text)] = self._from[key(sentence.text)]
        return made

    def made(self, name: str) -> tuple[Record, int]:
        """The document of that name, of which nothing waits for English."""
        return self.record(name), 0

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        """The vectors of texts that `record` has just made."""
        return self._moved(np.array([self._from.pop(key(text)) for text in texts]))

    def ask(self, query: Query) -> str:
        """Return the query's text, whose vector from now on is that of what answers it, moved."""
        self._asked[query.text] = self._moved(self._vectors[key(query.gold[0].text)][None])[0]
        return query.text

    def embed_question(self, text: str) -> Vector:
        """The vector of a question that was asked for."""
        return self._asked[text]

    def _moved(self, vectors: Matrix) -> Matrix:
        """Each with the sum of two noises that were drawn before: to draw one took longer than to index it."""
        first, second = self._chance.integers(_NOISES, size=(2, len(vectors)))
        return unit(vectors + (self._noise[first] + self._noise[second]) / np.float32(np.sqrt(2)))

    def _changed(self, text: str, language: str, chosen: random.Random) -> str:
        words = _words(text, language)
        others = self._words[language]
        changed = [chosen.choice(others) if chosen.random() < 1 / _WORDS else word for word in words]
        return ("" if language == "zh" else " ").join(changed)


def measure(settings: Settings, rows: Sequence[int]) -> None:
    """Build and measure an index of each size, print the table, write it as JSON and as a plot."""
    folder = run_folder(settings.home, "size", datetime.now())
    out = Console(highlight=False)
    vectors = vectors_of(settings)
    done: list[Measured] = []
    for count in rows:
        home = folder / f"{count}"
        made = apart(built, vectors, home, count)
        found = apart(_search, vectors, home)
        changed = apart(_change, vectors, home)
        done.append(Measured(**made, **found, **changed))
        shutil.rmtree(home)
        out.print(_table(done))
        report = {"real_vectors": Texts(vectors).real, "noise": NOISE, "sizes": [asdict(each) for each in done]}
        (folder / "size.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        points = {
            "build, seconds": [(each.passages, each.build_seconds) for each in done],
            "add ten documents, seconds": [(each.passages, each.add_seconds) for each in done],
            "search p99, milliseconds": [(each.passages, each.fused_p99) for each in done],
        }
        (folder / "size.svg").write_text(lines("passages", points), encoding="utf-8")
    out.print(f"Report: {folder}")


def vectors_of(settings: Settings) -> Path:
    """Where `feud eval retrieval` keeps the vectors of the pools."""
    return settings.home / "eval" / "pools" / "index" / "vectors.sqlite"


def searched(vectors: Path, home: Path, count: int) -> dict[str, Any]:
    """Build an index of `count` passages in `home` and return what is measured of searching it."""
    apart(built, vectors, home, count)
    return apart(_search, vectors, home)


def apart(step: Callable[..., T], *arguments: Any) -> T:
    """Do a step in a process of its own, so that its memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(step, *arguments).result()


def built(vectors: Path, home: Path, count: int) -> dict[str, Any]:
    """Build an index of `count` passages in `home` and return what it took: seconds, bytes."""
    texts = Texts(vectors)
    with Peak() as peak:
        started = time.perf_counter()
        revised(home, texts, texts.made, [_name(number) for number in range(count // (SENTENCES // 2 + 1) + 1)])
        seconds = time.perf_counter() - started
    disk = sum(path.stat().st_size for path in index_folder(home).rglob("*") if path.is_file())
    return {
        "build_seconds": seconds,
        "build_anonymous": peak.anonymous,
        "build_resident": peak.resident,
        "disk": disk,
        "files": disk - catalogue_path(home).stat().st_size,
    }


def _search(vectors: Path, home: Path) -> dict[str, Any]:
    texts = Texts(vectors)
    before = _memory()
    started = time.perf_counter()
    index = open_index(home, texts)
    opened = time.perf_counter() - started
    view = index.views["passages"]
    asked = [texts.ask(query) for query in random.Random(2).sample(texts.queries, QUESTIONS + WARM)]
    for text in asked[:WARM]:
        index.search(text)
    asked = asked[WARM:]
    dense, found = _timed(lambda text: _nearest(view, index, texts.embed_question(text)), asked)
    fused, _ = _timed(index.search, asked)
    after = _memory()
    exact = _exact(view, np.array([texts.embed_question(text) for text in asked]))
    recall = np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found, exact, strict=True)])
    return {
        "documents": len(index.documents),
        "passages": len(index.passages),
        "sentences": len(index.sentences),
        "open_seconds": opened,
        "anonymous": after["RssAnon"],
        "mapped": after["RssFile"] - before["RssFile"],
        "recall": float(recall),
        **{f"dense_p{q}": float(np.percentile(dense, q) * 1000) for q in (50, 99)},
        **{f"fused_p{q}": float(np.percentile(fused, q) * 1000) for q in (50, 99)},
    }


def _change(vectors: Path, home: Path) -> dict[str, Any]:
    texts = Texts(vectors)
    with Catalogue(catalogue_path(home)) as catalogue:
        names = list(catalogue.files())
    more = [_name(10**9 + number) for number in range(FEW)]
    started = time.perf_counter()
    revised(home, texts, texts.made, [*names, *more])
    added = time.perf_counter()
    revised(home, texts, texts.made, [*names[FEW:], *more])
    removed = time.perf_counter()
    index = open_index(home, texts)
    assert len(index.documents) == len(names)
    return {"add_seconds": added - started, "remove_seconds": removed - added}


def revised(
    home: Path, embedder: Embedder, made: Callable[[str], tuple[Record, int]], names: Sequence[str]
) -> None:
    """Make the index hold exactly those documents, which are `made` by their names."""
    with writer_lock(home), Catalogue(catalogue_path(home), create=True) as catalogue:
        present = newest(catalogue)
        kept = {} if present is None else catalogue.places(present[1].volumes)
        stay = {name: kept[name] for name in names if name in kept}
        files = [File(name, name, "", 0, 0, 0, "indexed") for name in sorted(names)]
        fresh = [name for name in names if name not in kept]
        for step in revise(home, catalogue, files, fresh, made, stay, embedder, InEnglish()):
            _tell(step)


def _tell(step: Progress) -> None:
    if step.stage == "write" or step.done % (1 << 14) == 0:
        print(f"\r{step.stage} {step.done:,}  ", end="", file=sys.stderr, flush=True)


def _name(number: int) -> str:
    return f"{number:010}.txt"


def _nearest(view: View, index: Index, vector: Vector) -> list[int]:
    """The ten nearest passages of all languages."""
    rows = np.concatenate([view.best(vector, 10, language) for language in index.languages])
    order = np.argsort(-(view.vectors(rows) @ vector))[:10]
    return [int(row) for row in rows[order]]


def _exact(view: View, vectors: Matrix, k: int = 10) -> list[list[int]]:
    """The same by comparing all."""
    rows, scores = np.zeros((len(vectors), 0), np.int64), np.zeros((len(vectors), 0), np.float32)
    for start in range(0, len(view), 1 << 15):
        here = np.arange(start, min(start + (1 << 15), len(view)))
        rows = np.concatenate([rows, np.tile(here, (len(vectors), 1))], axis=1)
        scores = np.concatenate([scores, vectors @ view.vectors(here).T], axis=1)
        best = np.argsort(-scores, axis=1)[:, :k]
        rows, scores = np.take_along_axis(rows, best, 1), np.take_along_axis(scores, best, 1)
    return [[int(row) for row in own] for own in rows]


def _timed(ask: Callable[[str], Any], questions: Sequence[str]) -> tuple[list[float], list[Any]]:
    seconds, found = [], []
    for question in questions:
        started = time.perf_counter()
        found.append(ask(question))
        seconds.append(time.perf_counter() - started)
    return seconds, found


class Peak:
    """Watches the memory of this process while it is open: anonymous, and resident with mapped files, bytes."""

    def __enter__(self) -> "Peak":
        self.anonymous = self.resident = 0
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            now = _memory()
            self.anonymous = max(self.anonymous, now["RssAnon"])
            self.resident = max(self.resident, now["VmRSS"])


def _memory() -> dict[str, int]:
    """Bytes by the names of https://man7.org/linux/man-pages/man5/proc_pid_status.5.html."""
    fields = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return {line[0][:-1]: int(line[1]) << 10 for line in fields if line[-1] == "kB"}


def real_vectors(path: Path) -> dict[str, Vector]:
    """What `feud eval retrieval` has embedded, by the texts' keys."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    rows = connection.execute("SELECT embedded, vector FROM vectors")
    return {name: np.frombuffer(vector, np.float32) for name, vector in rows}


def _words(text: str, language: str) -> list[str]:
    """What can be replaced: words, and characters in Chinese."""
    return list(text) if language == "zh" else text.split()


def _table(done: Sequence[Measured]) -> Table:
    table = Table("", *(f"{each.passages:,}" for each in done), title="passages")
    for name in Measured.__slots__[1:]:
        values = [getattr(each, name) for each in done]
        unit = 1e6 if name in _BYTES else 1
        label = name.replace("_", " ") + (" MB" if unit > 1 else "")
        table.add_row(label, *(f"{value / unit:,.3f}".rstrip("0").rstrip(".") for value in values))
    return table
