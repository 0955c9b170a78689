"""Volumes: the files of some documents, which never change. A generation is a list of volumes.

    index/volumes/000012/   rows                tables of spans
                            passages.vectors    the vectors, by row and view, and the sum of each language
                            passages.words      the lexical lists
                            passages-0.faiss    the inverted file of the run that begins at row 0, of large runs
                            sentences.…         the same of sentences

What is added later stands in a volume of its own; what is removed is dead in the volume where it was. Small
volumes are merged with new ones, and those with many dead rows are written again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from index.arrays import Arrays, Writer, mapped
from index.embedder import Matrix
from index.lexical import Postings, WordsBuilder
from index.records import Inputs, Record, key
from index.rows import KINDS, Kind, Languages, RowsBuilder, VolumeRows, runs_of
from index.vectors import EXACT, FaissStore, batches, inverted, opened, write_inverted

VIEWS: dict[str, Kind] = {view: "passages" if view == "passages" else "sentences" for view in Inputs._fields}
_OF = {kind: [view for view in VIEWS if VIEWS[view] == kind] for kind in KINDS}
SentenceView = Literal["sentences", "english"]
SEARCHED = ("passages", "sentences", "english")  # the others are only looked up
_KEPT = 1 << 20  # bytes of keys that wait in memory
SMALL = 20_000  # rows: what is smaller is written again rather than added to


@dataclass(frozen=True, slots=True)
class Volume:
    """What a volume consists of; `files` gives SHA-256 and size."""

    documents: int
    passages: Languages
    sentences: Languages
    files: dict[str, tuple[str, int]]

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> "Volume":
        """Make one from what its manifest holds as JSON."""
        languages = {kind: tuple((str(name), int(count)) for name, count in fields[kind]) for kind in KINDS}
        files = {name: (str(digest), int(size)) for name, (digest, size) in fields["files"].items()}
        return cls(fields["documents"], languages["passages"], languages["sentences"], files)

    @property
    def languages(self) -> dict[Kind, Languages]:
        return {"passages": self.passages, "sentences": self.sentences}

    @property
    def rows(self) -> int:
        """Passages and sentences together, the dead ones too."""
        return sum(count for kind in KINDS for _, count in self.languages[kind])


@dataclass(frozen=True, slots=True)
class Opened:
    """A volume whose files are mapped into memory."""

    rows: VolumeRows
    stores: dict[str, FaissStore]
    words: dict[Kind, dict[str, Postings]]
    sums: Arrays


def write_volume(
    folder: Path, records: Iterable[Record], vectors: Callable[[Sequence[str]], Matrix], dimension: int
) -> dict[Kind, Languages]:
    """Write the files of these documents into `folder`, durably, and return their languages.

    `vectors` looks up the vectors under some keys. Texts and vectors pass through; in memory are the tables of
    rows, the vocabulary and one run's inverted file. Raises OSError and what `vectors` raises.
    """
    spans = RowsBuilder()
    with ExitStack() as stack:
        keys = {view: stack.enter_context(SpooledTemporaryFile(_KEPT)) for view in VIEWS}
        words = {kind: stack.enter_context(WordsBuilder()) for kind in KINDS}
        for record in records:
            spans.add(record)
            inputs = record.inputs()
            for text, passage in zip(inputs.passages, record.passages, strict=True):
                words["passages"].add(text, passage.language)
            for text, sentence in zip(inputs.sentences, record.sentences, strict=True):
                words["sentences"].add(text, sentence.language)
            for view, texts in zip(VIEWS, inputs, strict=True):
                keys[view].write(b"".join(bytes.fromhex(key(text)) for text in texts))
        for kind in KINDS:
            with Writer(folder / f"{kind}.words") as into:
                words[kind].write(into)
        with Writer(folder / "rows") as into:
            languages, rows = spans.write(into)
        for kind in KINDS:
            with Writer(folder / f"{kind}.vectors") as into:
                matrix = into.empty("vectors", (len(rows[kind]), len(_OF[kind]), dimension), np.float32)
                done = 0
                for of_views in zip(*(_keys(keys[view]) for view in _OF[kind]), strict=True):
                    own = rows[kind][done : done + len(of_views[0])]
                    for place, batch in enumerate(of_views):
                        matrix[own, place] = vectors(batch)
                    done += len(own)
                spoken = runs_of(languages[kind])
                for language, runs in spoken.items():
                    total = sum((_total(matrix[run.start : run.stop, 0]) for run in runs), np.zeros(dimension))
                    into.add(f"sums/{language}", total)
            for place, view in enumerate(_OF[kind]):
                for run in (run for runs in spoken.values() for run in runs):
                    if len(run) > EXACT and view in SEARCHED:
                        index = inverted(matrix[run.start : run.stop, place])
                        write_inverted(index, folder / f"{view}-{run.start}.faiss")
    return languages


def _keys(file: IO[bytes]) -> Iterator[list[str]]:
    """The keys that were written to a file, in hexadecimal, some at a time."""
    file.seek(0)
    while data := file.read(32 << 12):
        yield [data[i : i + 32].hex() for i in range(0, len(data), 32)]


def _total(matrix: Matrix) -> NDArray[np.float64]:
    total = np.zeros(matrix.shape[1])
    for part in batches(matrix):
        total += part.sum(axis=0, dtype=np.float64)
    return total


def open_volume(folder: Path, number: int, volume: Volume) -> Opened:
    """Map the files of a volume into memory. The caller knows that they are what was written."""
    stores: dict[str, FaissStore] = {}
    words: dict[Kind, dict[str, Postings]] = {}
    arrays = {kind: mapped(folder / f"{kind}.vectors") for kind in KINDS}
    for view, kind in VIEWS.items():
        near = {
            int(name.partition("-")[2].removesuffix(".faiss")): opened(folder / name)
            for name in volume.files
            if name.startswith(f"{view}-")
        }
        stores[view] = FaissStore(arrays[kind]["vectors"][:, _OF[kind].index(view)], near)
    sums = {language: arrays["sentences"][f"sums/{language}"] for language, _ in volume.sentences}
    for kind in KINDS:
        lists = mapped(folder / f"{kind}.words")
        words[kind] = {language: Postings(lists, language) for language, _ in volume.languages[kind]}
    rows = VolumeRows(number, volume.documents, volume.languages, mapped(folder / "rows"))
    return Opened(rows, stores, words, sums)
