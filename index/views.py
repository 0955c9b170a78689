"""One kind of vectors, of passages or of sentences, with the language of each row."""

from collections.abc import Sequence
from math import ceil

import numpy as np

from index.embedder import Matrix, Vector
from index.vectors import Mask, Rows, VectorStore

BEST = 10  # scores whose mean is a question's background in a language
POOL = 0.5  # rows that the whole pool's background counts for, where a language has fewer than thirty


class View:
    """Vectors by language. A question's scores are read above its background in each language."""

    def __init__(self, store: VectorStore, languages: Sequence[str]) -> None:
        self._store = store
        column = np.array(languages)
        self._among: dict[str, Mask] = {name: column == name for name in dict.fromkeys(languages)}

    def __len__(self) -> int:
        return len(self._store)

    def best(self, vector: Vector, k: int, language: str) -> Rows:
        """Return at most `k` rows of `language` that are closest to the question, best first."""
        return self._store.search(vector, k, self._among[language])[0]

    def vectors(self, rows: Sequence[int] | Rows) -> Matrix:
        """Return the vectors of `rows`, (len(rows), d) float32."""
        return self._store.vectors(rows)

    def backgrounds(self, vector: Vector) -> dict[str, float]:
        """Return for each language the score that a passage has without answering the question.

        It is the mean of the ten best scores in that language: cosines between a question and passages of its
        own language run higher, and this takes the difference away (arXiv 2507.07543 finds the same fault).
        Where a language has fewer than thirty rows, ten would be most of them and one would be the answer
        itself, so a third of the rows is taken, and the whole pool's background counts a little, for which
        one row says too little. XQuAD-R, 20 documents each of de, en, es, zh, multilingual-e5-small: of the
        gold sentences in other languages .91 are in the first eight passages, .59 without backgrounds; with
        20, 10, 5 and 2 documents .84, and .73 without.
        """
        overall = self._mean_of_best(vector, None)
        found = {}
        for language, among in self._among.items():
            taken = _taken(int(among.sum()))
            own = self._mean_of_best(vector, among)
            weight = 0 if taken == BEST else POOL
            found[language] = (taken * own + weight * overall) / (taken + weight)
        return found

    def others(self, vector: Vector, row: int) -> float:
        """Return the mean score of the best other rows in the row's language, a third of them, ten at most."""
        among = next(mask for mask in self._among.values() if mask[row])
        count = int(among.sum()) - 1
        rows, scores = self._store.search(vector, _taken(count) + 1, among)
        best = scores[rows != row][: _taken(count)]
        return float(np.mean(best)) if len(best) else 0.0

    def _mean_of_best(self, vector: Vector, among: Mask | None) -> float:
        count = len(self._store) if among is None else int(among.sum())
        _, scores = self._store.search(vector, _taken(count), among)
        return float(np.mean(scores)) if len(scores) else 0.0


def _taken(count: int) -> int:
    """How many of `count` rows make the background.

    >>> [_taken(count) for count in (0, 1, 3, 12, 30, 5000)]
    [0, 1, 1, 4, 10, 10]
    """
    return min(BEST, ceil(count / 3))
