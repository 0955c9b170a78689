"""Which passages share words with a question: BM25 over tokens that suit any script."""

import io
import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]

STEM = 6  # letters of a word's start that stand for its forms, in any language, without a stemmer

# Scripts that are written without spaces between words, and Hangul, whose words carry their particles.
_DENSE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff"
_NUMBER = r"\d{1,3}(?: \d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,'’]\d+)*"
_TOKEN = re.compile(rf"(?P<number>{_NUMBER})|(?P<dense>[{_DENSE}]+)|(?P<word>(?:(?![{_DENSE}])[^\W\d_])+)")
_GROUPED = re.compile(r"(\d{1,3}(?:([ .,'’])\d{3})(?:\2\d{3})*)(?:[.,](\d+))?")
_INVISIBLE = {"Mn", "Mc", "Me", "Cf"}


class LexicalIndex(Protocol):
    """Scores every passage by the words that it shares with a question."""

    def __len__(self) -> int: ...

    def scores(self, question: str) -> Scores:
        """Return (n,) float32, 0 where no word is shared. It never raises, whatever the question."""


def tokens(text: str) -> list[str]:
    """Cut a text into what BM25 counts: word starts, numbers, and pairs of characters where no spaces are.

    >>> tokens("Musk's Klagen: 97,4 Milliarden")
    ['musk', 's', 'klagen', '97.4', 'millia']
    >>> tokens("马斯克起诉 OpenAI")
    ['马斯', '斯克', '克起', '起诉', 'openai']
    >>> tokens("1.000.000 = 1,000,000 = 1 000 000"), tokens("What's C++?")
    (['1000000', '1000000', '1000000'], ['what', 's', 'c'])
    """
    found: list[str] = []
    for match in _TOKEN.finditer(_folded(text)):
        token = match.group()
        if match.lastgroup == "number":
            found += numbers(token)
        elif match.lastgroup == "dense":
            found += [token[i : i + 2] for i in range(max(1, len(token) - 1))]
        else:
            found.append(token[:STEM])
    return found


def numbers(digits: str) -> list[str]:
    """Write a number one way: decimal point, no separators of thousands, no idle zeros.

    A date or a version becomes its parts. Three digits after a separator are thousands ("1.234").

    >>> [numbers(d) for d in ("97,40", "1,234.5", "1.234", "12.11.2025", "007", "0,5")]
    [['97.4'], ['1234.5'], ['1234'], ['12', '11', '2025'], ['7'], ['0.5']]
    """
    if grouped := _GROUPED.fullmatch(digits):
        return [_plain(re.sub(r"\D", "", grouped[1]), grouped[3] or "")]
    whole, *rest = re.split(r"[ .,'’]", digits)
    if len(rest) == 1:
        return [_plain(whole, rest[0])]
    return [_plain(part, "") for part in (whole, *rest)]


def _plain(whole: str, decimals: str) -> str:
    decimals = decimals.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{decimals}" if decimals else "")


def _folded(text: str) -> str:
    """Fold case and width; drop marks that no letter absorbs and characters that can't be seen."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    if folded.isascii():
        return folded
    return "".join(
        str(unicodedata.decimal(character, "")) or character
        for character in folded
        if unicodedata.category(character) not in _INVISIBLE
    )


class Bm25Index:
    """BM25 (Lucene's variant, k1 1.5, b .75) by bm25s, one row a passage."""

    def __init__(self, texts: Sequence[str]) -> None:
        from bm25s import BM25

        cut = [tokens(text) for text in texts]
        # bm25s numbers tokens in the order of a set; sorted, equal texts give equal bytes.
        self._vocabulary = {token: i for i, token in enumerate(sorted({t for row in cut for t in row}))}
        self._bm25: Any = BM25()
        self._count = len(texts)
        if self._vocabulary:
            ids = [[self._vocabulary[token] for token in row] for row in cut]
            self._bm25.index((ids, self._vocabulary), show_progress=False, create_empty_token=False)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Bm25Index":
        """Read what `to_bytes` made. The caller has checked the hash."""
        from bm25s import BM25

        index = cls.__new__(cls)
        index._bm25 = BM25()
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            index._count = int(arrays["count"])
            words = arrays["vocabulary"].tobytes().decode().split()  # no token holds white space
            index._vocabulary = {word: i for i, word in enumerate(words)}
            index._bm25.scores = {name: arrays[name] for name in ("data", "indices", "indptr")}
        index._bm25.scores["num_docs"] = index._count
        index._bm25.nonoccurrence_array = None
        return index

    def to_bytes(self) -> bytes:
        words = np.frombuffer("\n".join(self._vocabulary).encode(), dtype=np.uint8)
        empty = np.empty(0, np.int32)
        scores = self._bm25.scores if self._vocabulary else dict.fromkeys(("data", "indices", "indptr"), empty)
        buffer = io.BytesIO()
        np.savez(
            buffer,
            count=np.array(self._count),
            vocabulary=words,
            data=scores["data"],
            indices=scores["indices"],
            indptr=scores["indptr"],
        )
        return buffer.getvalue()

    def __len__(self) -> int:
        return self._count

    def scores(self, question: str) -> Scores:
        known = sorted({self._vocabulary[token] for token in tokens(question) if token in self._vocabulary})
        if not known:
            return np.zeros(self._count, np.float32)
        return np.asarray(self._bm25.get_scores_from_ids(known), dtype=np.float32)
