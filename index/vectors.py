"""Vectors and the rows closest to a question: FAISS, and a slow exact twin to test it against."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from index.embedder import Matrix, Vector

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


class VectorStore(Protocol):
    """Unit vectors by row. Scores are inner products, so cosines: 1.0 is the same direction."""

    def __len__(self) -> int: ...

    def search(self, vector: Vector, k: int, among: Mask | None = None) -> tuple[Rows, Vector]:
        """Return at most `k` rows and their scores, best first, of those where `among` (n,) is true."""

    def vectors(self, rows: Sequence[int] | Rows) -> Matrix:
        """Return the vectors of `rows`, (len(rows), d) float32."""


class FaissStore:
    """Exact inner-product search by FAISS. It never writes a file: `to_bytes` is written by the caller.

    `faiss.write_index` truncates the good file first, doesn't fsync, and reports no error on a full disk.
    """

    def __init__(self, matrix: Matrix) -> None:
        import faiss

        self._index: Any = faiss.IndexFlatIP(matrix.shape[1])
        self._index.add(np.ascontiguousarray(matrix, dtype=np.float32))

    @classmethod
    def from_bytes(cls, data: bytes) -> "FaissStore":
        """Read what `to_bytes` made. The caller has checked the hash: FAISS can't tell damaged bytes."""
        import faiss

        store = cls.__new__(cls)
        store._index = faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
        return store

    def to_bytes(self) -> bytes:
        import faiss

        return bytes(faiss.serialize_index(self._index).tobytes())

    @property
    def dimension(self) -> int:
        return int(self._index.d)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, vector: Vector, k: int, among: Mask | None = None) -> tuple[Rows, Vector]:
        import faiss

        k = min(k, len(self))
        if k < 1:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        parameters = None
        if among is not None:
            # FAISS's stubs describe the C++ constructors; its Python wrappers take these [1].
            # [1] https://github.com/facebookresearch/faiss/wiki/Setting-search-parameters-for-one-query
            bits = np.packbits(among, bitorder="little")
            selector = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg,arg-type]
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        scores, rows = self._index.search(vector[None, :].astype(np.float32), k, params=parameters)
        found = rows[0] >= 0  # FAISS fills the places that no row takes with -1
        return rows[0][found], scores[0][found]

    def vectors(self, rows: Sequence[int] | Rows) -> Matrix:
        wanted = np.asarray(rows, dtype=np.int64)
        if not len(wanted):
            return np.empty((0, self.dimension), np.float32)
        return np.asarray(self._index.reconstruct_batch(wanted), dtype=np.float32)


class ExactStore:
    """The same by plain matrix products: what `FaissStore` must agree with."""

    def __init__(self, matrix: Matrix) -> None:
        self._matrix = matrix

    def __len__(self) -> int:
        return len(self._matrix)

    def search(self, vector: Vector, k: int, among: Mask | None = None) -> tuple[Rows, Vector]:
        rows = np.arange(len(self)) if among is None else np.flatnonzero(among)
        scores = self._matrix[rows] @ vector
        best = np.argsort(-scores, kind="stable")[:k]
        return rows[best], scores[best]

    def vectors(self, rows: Sequence[int] | Rows) -> Matrix:
        return self._matrix[np.asarray(rows, dtype=np.int64)]


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
