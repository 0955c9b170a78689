"""Which rows share words with a question: BM25, a list for each language, over tokens that suit any script."""

import io
import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.numbers import quantities

Scores = NDArray[np.float32]

START = 6  # letters of a word's start that stand for its forms where there is no stemmer
LARGE = 1000  # from here on a quantity is one token however it is written: "97.4 billion", "974亿"

# Scripts that are written without spaces between words, and Hangul, whose words carry their particles.
_DENSE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff"
_NUMBER = r"\d{1,3}(?: \d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,'’]\d+)*"
_TOKEN = re.compile(rf"(?P<number>{_NUMBER})|(?P<dense>[{_DENSE}]+)|(?P<word>(?:(?![{_DENSE}])[^\W\d_])+)")
_GROUPED = re.compile(r"(\d{1,3}(?:([ .,'’])\d{3})(?:\2\d{3})*)(?:[.,](\d+))?")
_INVISIBLE = {"Mn", "Mc", "Me", "Cf"}


class LexicalIndex(Protocol):
    """Tells for every row which part of a question's words it holds."""

    def __len__(self) -> int: ...

    def shares(self, question: str, language: str) -> Scores:
        """Return (n,) float32 from 0, no word shared, to below 1. It never raises, whatever the question."""

    def shared(self, question: str, language: str, row: int) -> tuple[str, ...]:
        """Return the tokens that `row` shares with the question, in the question's order."""


def tokens(text: str, language: str, written: str = "") -> list[str]:
    """Cut a text into what BM25 counts: stems, numbers, and pairs of characters where no spaces are.

    Words are stemmed as those of `language`, by Snowball where it knows it, else cut to their start. A text in
    another language, such as a question, tells which by `written`, so that its numbers are read right.

    >>> tokens("Musk's Klagen: 97,4 Milliarden", "de")
    ['musk', 's', 'klag', '97.4', 'milliard', '=97400000000']
    >>> tokens("马斯克出价974亿", "zh")
    ['马斯', '斯克', '克出', '出价', '974', '亿', '=97400000000']
    >>> tokens("1.000.000 = 1,000,000", "en"), tokens("What's C++?", "xx")
    (['1000000', '1000000'], ['what', 's', 'c'])
    """
    found: list[str] = []
    for match in _TOKEN.finditer(_folded(text)):
        token = match.group()
        if match.lastgroup == "number":
            found += numbers(token)
        elif match.lastgroup == "dense":
            found += [token[i : i + 2] for i in range(max(1, len(token) - 1))]
        else:
            found.append(_stem(token, language))
    return [*found, *_large(text, written or language, set(found))]


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


def _large(text: str, language: str, known: set[str]) -> Iterator[str]:
    """The large quantities that don't stand in the text digit by digit."""
    for readings in quantities(text, language):
        for value in sorted(readings):
            if value >= LARGE and (written := f"{value.normalize():f}") not in known:
                yield f"={written}"


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


_TURN = Lock()  # a stemmer must not be used by two threads at once


@lru_cache(maxsize=1 << 16)
def _stem(word: str, language: str) -> str:
    stemmer = _stemmer(language)
    if stemmer is None:
        return word[:START]
    with _TURN:
        return str(stemmer.stemWord(word))


@cache
def _stemmer(language: str) -> Any:
    from Stemmer import Stemmer

    try:
        return Stemmer(language)
    except KeyError:
        return None


@lru_cache(maxsize=1 << 8)
def _asked(question: str, language: str, written: str) -> tuple[str, ...]:
    """The different tokens of a question; a search needs them for every list and every hit."""
    return tuple(dict.fromkeys(tokens(question, language, written)))


class _List:
    """The rows of one language: BM25 (Lucene's variant, k1 1.5, b .75) by bm25s."""

    def __init__(self, rows: NDArray[np.int64], texts: Sequence[str], language: str) -> None:
        from bm25s import BM25

        cut = [tokens(text, language) for text in texts]
        # bm25s numbers tokens in the order of a set; sorted, equal texts give equal bytes.
        self.vocabulary = {token: i for i, token in enumerate(sorted({t for row in cut for t in row}))}
        self.rows, self._bm25 = rows, BM25()
        if self.vocabulary:
            ids = [[self.vocabulary[token] for token in row] for row in cut]
            self._bm25.index((ids, self.vocabulary), show_progress=False, create_empty_token=False)

    @classmethod
    def of(cls, arrays: dict[str, Any]) -> "_List":
        from bm25s import BM25

        made = cls.__new__(cls)
        made.rows, made._bm25 = arrays["rows"], BM25()
        words = arrays["vocabulary"].tobytes().decode().split()  # no token holds white space
        made.vocabulary = {word: i for i, word in enumerate(words)}
        made._bm25.scores = {name: arrays[name] for name in ("data", "indices", "indptr")}
        made._bm25.scores["num_docs"] = len(made.rows)
        made._bm25.nonoccurrence_array = None
        return made

    def arrays(self) -> dict[str, Any]:
        empty = np.empty(0, np.int32)
        scores = self._bm25.scores if self.vocabulary else dict.fromkeys(("data", "indices", "indptr"), empty)
        words = np.frombuffer("\n".join(self.vocabulary).encode(), dtype=np.uint8)
        return {"rows": self.rows, "vocabulary": words} | {n: scores[n] for n in ("data", "indices", "indptr")}

    def shares(self, asked: Sequence[str]) -> Scores:
        known = sorted({self.vocabulary[token] for token in asked if token in self.vocabulary})
        if not known:
            return np.zeros(len(self.rows), np.float32)
        scores = np.asarray(self._bm25.get_scores_from_ids(known), dtype=np.float32)
        return scores / np.float32(sum(self._idf(token) for token in asked))

    def _idf(self, token: str) -> float:
        starts = self._bm25.scores["indptr"]
        i = self.vocabulary.get(token)
        holding = 0 if i is None else int(starts[i + 1] - starts[i])
        return math.log(1 + (len(self.rows) - holding + 0.5) / (holding + 0.5))

    def holds(self, token: str, row: int) -> bool:
        i = self.vocabulary.get(token)
        if i is None:
            return False
        scores = self._bm25.scores
        return row in self.rows[scores["indices"][scores["indptr"][i] : scores["indptr"][i + 1]]]


class Bm25Index:
    """A BM25 list for each language. A row's score is divided by the most that the question's words could give.

    The same names and numbers are found in every list, since each cuts the question as it cut its own texts.
    """

    def __init__(self, texts: Sequence[str], languages: Sequence[str]) -> None:
        column = np.array(languages)
        self._count = len(texts)
        self._lists: dict[str, _List] = {}
        for language in dict.fromkeys(languages):
            rows = np.flatnonzero(column == language)
            self._lists[language] = _List(rows, [texts[row] for row in rows.tolist()], language)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Bm25Index":
        """Read what `to_bytes` made. The caller has checked the hash."""
        index = cls.__new__(cls)
        parts: dict[str, dict[str, Any]] = {}
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            index._count = int(arrays["count"])
            for name in arrays.files:
                language, _, part = name.rpartition("/")
                if language:
                    parts.setdefault(language, {})[part] = arrays[name]
        index._lists = {language: _List.of(part) for language, part in parts.items()}
        return index

    def to_bytes(self) -> bytes:
        arrays = {
            f"{language}/{name}": array
            for language, part in self._lists.items()
            for name, array in part.arrays().items()
        }
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, count=np.array(self._count), **arrays)
        return buffer.getvalue()

    def __len__(self) -> int:
        return self._count

    def shares(self, question: str, language: str) -> Scores:
        found = np.zeros(self._count, np.float32)
        for own, part in self._lists.items():
            found[part.rows] = part.shares(_asked(question, own, language))
        return found

    def shared(self, question: str, language: str, row: int) -> tuple[str, ...]:
        for own, part in self._lists.items():
            if row in part.rows:
                return tuple(token for token in _asked(question, own, language) if part.holds(token, row))
        return ()
