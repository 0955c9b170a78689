"""A space in which texts of different languages lie side by side.

An embedder puts a question nearer to texts of its own language than to those that answer it. What the vectors
of a language have in common is therefore taken out of all of them, and of the question: the mean of each
language's sentences, which also takes out what a whole corpus has in common. After Yang et al. 2021,
"A Simple and Effective Method To Eliminate the Self Language Bias" (arXiv 2109.04727), who take out principal
components of each language instead. `feud eval retrieval` shows what it gives.
"""

from collections.abc import Sequence

import numpy as np

from index.embedder import Matrix, unit

FEW = 10  # sentences of which a language's mean counts for half: fewer say more of their subject
RIDGE = 0.005  # of the squared length of a mean: what is shorter stays in


class Neutral:
    """Takes out of vectors what is common to those of each language."""

    def __init__(self, sums: Matrix, counts: Sequence[int]) -> None:
        """`sums` (l, d) are of the vectors of each language, `counts` say of how many."""
        means = [total / (count + FEW) for total, count in zip(sums, counts, strict=True) if count]
        self._means = np.asarray(means, np.float32).reshape(len(means), sums.shape[-1])
        self._inverse = np.linalg.inv(
            self._means @ self._means.T + RIDGE * np.eye(len(means), dtype=np.float32)
        )

    def __call__(self, vectors: Matrix) -> Matrix:
        """Return the vectors without it, (n, d) float32 of unit length."""
        return unit(vectors - (vectors @ self._means.T) @ self._inverse @ self._means)
