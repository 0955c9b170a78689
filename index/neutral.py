"""A space in which texts of different languages lie side by side.

An embedder puts a question nearer to texts of its own language than to those that answer it. What the vectors
of a language have in common is therefore taken out of all of them, and of the question: the mean of each
language's sentences, which also takes out what a whole corpus has in common. After Yang et al. 2021,
"A Simple and Effective Method To Eliminate the Self Language Bias" (arXiv 2109.04727), who take out principal
components of each language instead. `feud eval retrieval` shows what it gives.
"""

from collections.abc import Sequence

import numpy as np

from index.embedder import Matrix, Vector, unit

FEW = 10  # sentences of which a language's mean counts for half: fewer say more of their subject
RIDGE = 0.005  # of the squared length of a mean: what is shorter stays in


class Neutral:
    """Takes out of vectors what is common to those of each language."""

    def __init__(self, sums: Matrix, counts: Sequence[int]) -> None:
        """`sums` (l, d) are of the vectors of each language, `counts` say of how many."""
        self._means = np.asarray(sums / (np.array(counts) + FEW)[:, None], np.float32)
        products = self._means @ self._means.T
        self._inverse = np.linalg.inv(products + RIDGE * np.eye(len(products), dtype=np.float32))
        # What is taken out of a vector whose products with the means are p makes it shorter by p @ this @ p.
        self._shorter = 2 * self._inverse - self._inverse @ products @ self._inverse

    def __call__(self, vectors: Matrix) -> Matrix:
        """Return the vectors without it, (n, d) float32 of unit length."""
        return unit(vectors - self._common(vectors))

    def cosines(self, question: Vector, vectors: Matrix) -> Vector:
        """Return the cosines of `question` (d,) with `vectors` (n, d), all without it, (n,) float32.

        The same as by calling it, but reading the vectors once, and on one core like `products`.
        """
        [plain] = self(question[None])
        [aside] = plain - self._common(plain[None])
        products = np.vecdot(vectors[:, None], np.vstack([aside, self._means]))
        shorter = np.vecdot(np.vecdot(products[:, None, 1:], self._shorter), products[:, 1:])
        lengths = np.sqrt(np.maximum(np.vecdot(vectors, vectors) - shorter, np.finfo(np.float32).tiny))
        return np.asarray(products[:, 0] / lengths, np.float32)

    def shared(self, question: Vector) -> Vector:
        """Return what it takes out of the cosine of `question` with a typical vector of each language, (l,)."""
        return np.asarray(np.vecdot(self._means, self._common(question[None])), np.float32)

    def _common(self, vectors: Matrix) -> Matrix:
        return np.asarray((vectors @ self._means.T) @ self._inverse @ self._means, np.float32)
