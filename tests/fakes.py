"""Stand-ins at the seams, for tests. They are deterministic and need no model."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from index.embedder import Matrix, Vector

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\w+")


class HashEmbedder:
    """An embedder that hashes words: texts are as close as the words that they share.

    Each word (each character, in Chinese and Japanese) is a fixed random direction; a text is their sum at unit
    length. A text without words gets a direction of its own. Questions and passages are treated alike.
    """

    def __init__(self, dimension: int = 64, name: str = "hash") -> None:
        self.name = name
        self.dimension = dimension
        self.fingerprint = f"{name}-{dimension}"

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        """Return `(len(texts), dimension) float32`, rows of unit length."""
        rows = [self.embed_question(text) for text in texts]
        return np.asarray(rows, np.float32).reshape(len(rows), self.dimension)

    def embed_question(self, text: str) -> Vector:
        """Return `(dimension,) float32` of unit length."""
        words = _WORD.findall(text.casefold()) or [f"\0{text}"]
        total = np.sum([self._direction(word) for word in words], axis=0)
        return np.asarray(total / np.linalg.norm(total), np.float32)

    def _direction(self, word: str) -> Vector:
        seed = int.from_bytes(hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()[:8], "little")
        return np.random.default_rng(seed).standard_normal(self.dimension).astype(np.float32)
