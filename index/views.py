"""One kind of vectors, of passages or of sentences, with the language of each row."""

from collections.abc import Mapping, Sequence
from math import ceil

import numpy as np

from index.embedder import Matrix, Vector
from index.vectors import Among, Rows, VectorStore, best

BEST = 10  # rows whose mean says how close the rows of a language are that are not meant


class View:
    """Vectors by language: `runs` are its rows, `alive` those that still stand for something, None for all.

    `counts` says how many of each language do.
    """

    def __init__(
        self,
        store: VectorStore,
        runs: Mapping[str, Sequence[range]],
        counts: Mapping[str, int],
        alive: Among | None = None,
    ) -> None:
        self._store, self._alive = store, alive
        self.runs, self.counts = runs, counts
        placed = sorted((run.start, language) for language, own in runs.items() for run in own if len(run))
        self._starts = np.array([start for start, _ in placed], np.int64)
        self._languages = [language for _, language in placed]

    def __len__(self) -> int:
        return len(self._store)

    def language(self, row: int) -> str:
        """Return the language of a row."""
        return self._languages[int(np.searchsorted(self._starts, row, "right")) - 1]

    def by_language(self, values: Mapping[str, float], rows: Rows) -> Vector:
        """Return for each row the value of its language, (len(rows),) float32."""
        column = np.array([values[language] for language in self._languages], np.float32)
        found: Vector = column[np.searchsorted(self._starts, rows, "right") - 1]
        return found

    def best(self, vector: Vector, k: int, language: str, admitted: Among | None = None) -> Rows:
        """Return at most `k` rows of `language` that are closest to `vector`, best first."""
        return self._nearest(vector, k, language, admitted)[0]

    def near(self, vector: Vector, k: int, language: str, admitted: Among | None = None) -> tuple[Rows, Vector]:
        """The same with their scores, both as far as these can be told without looking at the vectors."""
        return self._nearest(vector, k, language, admitted, rough=True)

    def vectors(self, rows: Sequence[int] | Rows) -> Matrix:
        """Return the vectors of `rows`, (len(rows), d) float32."""
        return self._store.vectors(rows)

    def others(self, vector: Vector, row: int) -> float:
        """Return the mean score of the best other rows in the row's language, a third of them, ten at most."""
        language = self.language(row)
        count = taken(self.counts[language] - 1)
        rows, scores = self._nearest(vector, count + 1, language)
        others = scores[rows != row][:count]
        return float(np.mean(others)) if len(others) else 0.0

    def outstanding(self, vector: Vector, k: int, language: str) -> tuple[Rows, Vector]:
        """Return at most `k` rows of `language` closest to `vector`, and by how much closer than `others`."""
        count = taken(self.counts[language] - 1)
        rows, scores = self._nearest(vector, max(k, count + 1), language)
        rest = scores[: count + 1].sum() - np.maximum(scores, scores[: count + 1].min(initial=np.inf))
        return rows[:k], (scores - rest / max(1, count))[:k]

    def _nearest(
        self, vector: Vector, k: int, language: str, admitted: Among | None = None, rough: bool = False
    ) -> tuple[Rows, Vector]:
        among = self._alive if admitted is None else admitted
        found = [self._store.search(vector, k, run, among, rough) for run in self.runs[language]]
        if len(found) == 1:
            return found[0]
        return best(np.concatenate([rows for rows, _ in found]), np.concatenate([s for _, s in found]), k)


def taken(count: int) -> int:
    """How many of `count` rows stand for those that are not meant.

    >>> [taken(count) for count in (0, 1, 3, 12, 30, 5000)]
    [0, 1, 1, 4, 10, 10]
    """
    return min(BEST, ceil(count / 3))
