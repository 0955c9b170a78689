"""Vectors and the rows closest to a question: exact over few rows, FAISS over many, and a slow exact twin.

Rows of a language lie side by side, and are searched in runs of at most RUN rows. The vectors lie in a file
that is mapped into memory. A run of more than EXACT rows has beside it an inverted file with four bits for two
dimensions (FAISS's IVF and PQ, in the layout of André et al. 2015, "Cache locality is not enough"), trained on
a sample and held in memory; what it finds is scored again by the vectors themselves, unless rough scores do.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from index.arrays import Looks
from index.embedder import Matrix, Vector

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
Among = Any
"""Which rows a search may find, as its store takes it: a mask (n,) here."""

EXACT = 10_000  # rows of a run that are all compared: 4 ms on two cores
RUN = 1 << 18  # rows of a run at most, so that 100 MB are enough to build its inverted file
PROBES = 32  # cells that are looked into: recall@10 .98 among 106,000 passages by `feud eval size`
ROUGH = 10  # cells where rough scores do
_SAMPLE = 40  # rows a cell that the cells are trained on: FAISS warns below 39
_LOOKED = 1_000  # rows that are looked at before their pages are let go: 64 kB each at most
_MORE = 30  # rows beyond the wanted that are scored again


class VectorStore(Protocol):
    """Unit vectors by row. Scores are inner products, so cosines: 1.0 is the same direction."""

    def __len__(self) -> int: ...

    def search(
        self, vector: Vector, k: int, within: range, among: Among | None = None, rough: bool = False
    ) -> tuple[Rows, Vector]:
        """Return at most `k` rows of `within` that `among` (n,) admits, best first, and their scores.

        `rough` scores, some hundredths off, are enough where what is found is scored again anyway.
        """

    def vectors(self, rows: Sequence[int] | Rows) -> Matrix:
        """Return the vectors of `rows`, (len(rows), d) float32."""


class ExactStore:
    """All rows compared: what is used for few, and what `FaissStore` must agree with."""

    def __init__(self, matrix: Matrix) -> None:
        self._matrix = matrix

    def __len__(self) -> int:
        return len(self._matrix)

    def search(
        self, vector: Vector, k: int, within: range, among: Mask | None = None, rough: bool = False
    ) -> tuple[Rows, Vector]:
        rows = np.arange(within.start, within.stop)
        whole = self._matrix[within.start : within.stop]
        if among is not None:
            rows = rows[among[within.start : within.stop]]
            whole = self._matrix[rows]
        return best(rows, products(whole, vector), k)

    def vectors(self, rows: Sequence[int] | Rows) -> Matrix:
        return self._matrix[np.asarray(rows, dtype=np.int64)]


class FaissStore(ExactStore):
    """The same, with FAISS for the runs that have an inverted file: `near`, by the run's first row."""

    def __init__(self, matrix: Matrix, near: Mapping[int, Any]) -> None:
        super().__init__(matrix)
        self._near = near
        self._looks = Looks(matrix, _LOOKED)

    def search(
        self, vector: Vector, k: int, within: range, among: Mask | None = None, rough: bool = False
    ) -> tuple[Rows, Vector]:
        index = self._near.get(within.start)
        own = None if among is None else among[within.start : within.stop]
        count = len(within) if own is None else int(np.count_nonzero(own))
        if index is None or k < 1 or count <= EXACT:
            self._looks.add(0 if own is None else count)
            return super().search(vector, k, within, among)
        import faiss

        # Where few rows are admitted, those that are near lie in more cells.
        options: dict[str, Any] = {
            "nprobe": min(index.nlist, (ROUGH if rough else PROBES) * len(within) // count)
        }
        if own is not None:
            options["sel"] = faiss.IDSelectorBitmap(np.packbits(own, bitorder="little"))  # type: ignore
        # https://github.com/facebookresearch/faiss/wiki/Setting-search-parameters-for-one-query
        parameters = faiss.SearchParametersIVF(**options)
        question = np.ascontiguousarray(vector[None, :], np.float32)
        far, near = index.search(question, min(k if rough else k + _MORE, len(within)), params=parameters)
        rows = near[0][near[0] >= 0] + within.start  # FAISS fills up with -1
        if rough:
            return rows, 1 - far[0][: len(rows)] / 2  # of unit vectors
        rows = np.sort(rows)
        return best(rows, products(self.vectors(rows), vector), k)

    def vectors(self, rows: Sequence[int] | Rows) -> Matrix:
        self._looks.add(len(rows))
        return super().vectors(rows)


class JoinedStore:
    """Several stores whose rows follow each other; a run of rows lies in one of them."""

    def __init__(self, stores: Sequence[VectorStore], dimension: int) -> None:
        self._stores, self._dimension = stores, dimension
        self._starts = np.cumsum([0, *map(len, stores)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def search(
        self, vector: Vector, k: int, within: range, among: Mask | None = None, rough: bool = False
    ) -> tuple[Rows, Vector]:
        number = int(np.searchsorted(self._starts, within.start, "right")) - 1
        start, stop = map(int, self._starts[number : number + 2])
        own = range(within.start - start, within.stop - start)
        admitted = None if among is None else among[start:stop]
        rows, scores = self._stores[number].search(vector, k, own, admitted, rough)
        return rows + start, scores

    def vectors(self, rows: Sequence[int] | Rows) -> Matrix:
        wanted = np.asarray(rows, dtype=np.int64)
        found = np.empty((len(wanted), self._dimension), np.float32)
        for store, start, stop in zip(self._stores, self._starts, self._starts[1:], strict=False):
            here = (wanted >= start) & (wanted < stop)
            if here.any():
                found[here] = store.vectors(wanted[here] - start)
        return found


def products(matrix: Matrix, vector: Vector) -> Vector:
    """Return the inner product of each row with a vector, (n,) float32, on one core.

    BLAS takes two for this, and where another process uses one of them, 3,000 rows took 8 ms instead of .2.
    """
    found: Vector = np.vecdot(matrix, vector)
    return found


def best(rows: Rows, scores: Vector, k: int) -> tuple[Rows, Vector]:
    """Return the `k` rows with the highest scores, best first, equal ones in their order."""
    if 0 < k < len(rows):
        chosen = np.sort(np.argpartition(-scores, k - 1)[:k])
        rows, scores = rows[chosen], scores[chosen]
    order = np.argsort(-scores, kind="stable")[: max(k, 0)]
    return rows[order].astype(np.int64), np.asarray(scores[order], np.float32)


def runs(start: int, count: int) -> list[range]:
    """Cut `count` rows from `start` into runs of much the same size.

    >>> runs(5, 3), runs(0, 0)
    ([range(5, 8)], [])
    """
    parts = -(-count // RUN)
    ends = [start + count * part // parts for part in range(1, parts + 1)]
    return [range(a, b) for a, b in zip([start, *ends], ends, strict=False)]


def cells(count: int) -> int:
    """How many cells the inverted file of `count` rows has."""
    return int(count**0.5)


def inverted(matrix: Matrix) -> Any:
    """Return the inverted file of a run, built from its vectors (n, d) in batches. Deterministic."""
    import faiss

    count, dimension = matrix.shape
    parts = dimension // 2 if dimension % 2 == 0 else dimension
    # Of unit vectors the nearest have the highest cosine, and cells of nearest vectors are more even [1].
    # [1] https://github.com/facebookresearch/faiss/wiki/MetricType-and-distances
    index = faiss.IndexIVFPQFastScan(
        faiss.IndexFlatL2(dimension), dimension, cells(count), parts, 4, faiss.METRIC_L2
    )
    index.by_residual = True
    index.pq.cp.niter = 10
    index.cp.niter = 10
    chosen = np.random.default_rng(1).choice(count, min(count, _SAMPLE * index.nlist), replace=False)
    index.train(matrix[np.sort(chosen)])
    for batch in batches(matrix):
        index.add(np.ascontiguousarray(batch))
    return index


def write_inverted(index: Any, path: Path) -> None:
    """Write an inverted file durably. Raises OSError, as `faiss.write_index` does not on a full disk."""
    import faiss

    with path.open("wb") as file:
        file.write(faiss.serialize_index(index).tobytes())
        file.flush()
        os.fsync(file.fileno())


def opened(path: Path) -> Any:
    """Read an inverted file. The caller knows that its bytes are right."""
    import faiss

    return faiss.read_index(str(path))


def batches(matrix: Matrix, size: int = 1 << 14) -> Iterator[Matrix]:
    """The rows of a matrix, some at a time."""
    for start in range(0, len(matrix), size):
        yield matrix[start : start + size]


def fault(matrix: Matrix, dimension: int) -> str:
    """Say in a few words why the rows are no unit vectors of that dimension, "" if they are.

    >>> fault(np.eye(2, 3, dtype=np.float32), 3), fault(np.zeros((1, 3), np.float32), 3)
    ('', 'row 0 has length 0.0000')
    """
    if matrix.ndim != 2 or matrix.shape[1] != dimension:
        return f"shape {matrix.shape} where (n, {dimension}) was announced"
    lengths = np.linalg.norm(matrix, axis=1)
    # Half-precision models are off by up to 1e-3; an un-normalised or garbled vector by far more.
    wrong = np.flatnonzero(~(np.abs(lengths - 1) < 5e-3))
    return f"row {wrong[0]} has length {lengths[wrong[0]]:.4f}" if len(wrong) else ""
