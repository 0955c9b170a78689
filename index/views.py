"""One kind of vectors, of passages or of sentences, with the language of each row."""

from collections.abc import Sequence
from math import ceil

import numpy as np

from index.embedder import Matrix, Vector
from index.vectors import Mask, Rows, VectorStore

BEST = 10  # rows whose mean says how close the rows of a language are that are not meant


class View:
    """Vectors by language."""

    def __init__(self, store: VectorStore, languages: Sequence[str]) -> None:
        self._store = store
        column = np.array(languages)
        self.among: dict[str, Mask] = {name: column == name for name in dict.fromkeys(languages)}

    def __len__(self) -> int:
        return len(self._store)

    def best(self, vector: Vector, k: int, language: str, admitted: Mask | None = None) -> Rows:
        """Return at most `k` rows of `language` that are closest to `vector`, best first."""
        among = self.among[language]
        return self._store.search(vector, k, among if admitted is None else among & admitted)[0]

    def vectors(self, rows: Sequence[int] | Rows) -> Matrix:
        """Return the vectors of `rows`, (len(rows), d) float32."""
        return self._store.vectors(rows)

    def others(self, vector: Vector, row: int) -> float:
        """Return the mean score of the best other rows in the row's language, a third of them, ten at most."""
        among = next(mask for mask in self.among.values() if mask[row])
        count = int(among.sum()) - 1
        rows, scores = self._store.search(vector, taken(count) + 1, among)
        best = scores[rows != row][: taken(count)]
        return float(np.mean(best)) if len(best) else 0.0


def taken(count: int) -> int:
    """How many of `count` rows stand for those that are not meant.

    >>> [taken(count) for count in (0, 1, 3, 12, 30, 5000)]
    [0, 1, 1, 4, 10, 10]
    """
    return min(BEST, ceil(count / 3))
