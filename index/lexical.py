"""Which rows share words with a question: BM25, a list for each language, over arrays on the disk.

Scores are those of Lucene's variant (k1 1.5, b .75) with the statistics of all volumes together. Only rows that
are asked for are scored. In a list of more than MANY rows the best are looked for among those that share rarer
words, and the frequent ones only tell for the foremost of these, somewhat after Turtle and Flood 1995, "Query
Evaluation: Strategies and Optimizations" (MaxScore).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from math import ceil
from tempfile import SpooledTemporaryFile
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.arrays import Arrays, Looks, Writer
from index.remembered import Remembered
from index.tokens import tokens
from index.vectors import Mask, Rows

Scores = NDArray[np.float32]
Ints = NDArray[np.int32]
Held = tuple[Ints, NDArray[np.uint8]]

K1, B = 1.5, 0.75
BLOCK = 1 << 19  # tokens: sorting them takes some 30 MB
_KEPT = 1 << 22  # bytes of a language's tokens that wait in memory before they go to a temporary file
_NONE: Ints = np.zeros(0, np.int32)
_NO_COUNTS = np.zeros(0, np.uint8)
MANY = 20_000  # rows of a list
FREQUENT = 1 / 16  # of the rows of such a list: a word that more hold finds none beside those of rarer words
_DEEP = 16  # times as many rows as are wanted are scored with the frequent words of such a list
_FEW = 32  # times fewer rows than the list has are sorted rather than counted
_READ = 1 << 21  # rows that are read of a list before its pages are let go: 10 MB
_QUESTIONS = 256  # that are remembered with who holds their words
_MOST = 255  # a word that a row holds more often counts as so often


class LexicalIndex(Protocol):
    """Tells for rows which part of a question's words they hold."""

    def shares(self, question: str, language: str, rows: Rows) -> Scores:
        """Return (len(rows),) float32 from 0, no word shared, to below 1. It never raises."""

    def best(self, question: str, language: str, k: int) -> dict[str, tuple[Rows, Scores]]:
        """Return for each language of rows at most `k` that share most, best first, and their shares."""

    def shared(self, question: str, language: str, row: int) -> tuple[str, ...]:
        """Return the tokens that `row` shares with the question, in the question's order."""


class WordsBuilder:
    """Collects the tokens of texts and writes, for each language, who holds which how often.

    Beside the vocabulary it keeps some megabytes a language in memory; the rest waits in temporary files.
    """

    def __init__(self, block: int = BLOCK) -> None:
        """`block` tokens are sorted at a time when the lists are written."""
        self._block = block
        self._lists: dict[str, _Collected] = {}

    def __enter__(self) -> "WordsBuilder":
        return self

    def __exit__(self, *_: object) -> None:
        for collected in self._lists.values():
            collected.file.close()

    def add(self, text: str, language: str) -> None:
        """Append a row to the list of its language."""
        if language not in self._lists:
            self._lists[language] = _Collected()
        self._lists[language].add(tokens(text, language))

    def write(self, into: Writer) -> None:
        for language, collected in self._lists.items():
            collected.write(language, into, self._block)


class _Collected:
    """The rows of one language while they come in; tokens are numbered by first appearance."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._lengths: list[int] = []
        self._waiting: list[int] = []
        self.file = SpooledTemporaryFile(max_size=_KEPT)  # noqa: SIM115  (lives as long as this object)

    def add(self, cut: Sequence[str]) -> None:
        numbers = self._numbers
        self._waiting += [numbers.setdefault(token, len(numbers)) for token in cut]
        self._lengths.append(len(cut))
        if len(self._waiting) >= 1 << 16:
            self._spill()

    def write(self, language: str, into: Writer, block: int) -> None:
        self._spill()
        names = named(tuple(self._numbers))
        order = np.argsort(names, kind="stable")
        place = np.empty(len(names), np.int64)
        place[order] = np.arange(len(names))
        lengths = np.array(self._lengths, np.int32)
        into.add(f"{language}/lengths", lengths)
        into.add(f"{language}/names", names[order])
        holding = np.zeros(len(names) + 1, np.int64)
        for held, _, _ in self._blocks(lengths, place, block):
            holding[1:] += np.bincount(held, minlength=len(names))
        first = np.cumsum(holding)
        into.add(f"{language}/first", first)
        rows = into.empty(f"{language}/rows", (int(first[-1]),), np.int32)
        counts = into.empty(f"{language}/counts", (int(first[-1]),), np.uint8)
        free = first[:-1].copy()
        for held, inside, often in self._blocks(lengths, place, block):
            here, begins, size = np.unique(held, return_index=True, return_counts=True)
            places = np.repeat(free[here] - begins, size) + np.arange(len(held))
            rows[places], counts[places] = inside, np.minimum(often, _MOST)
            free[here] += size

    def _spill(self) -> None:
        self.file.write(np.array(self._waiting, np.int32).tobytes())
        self._waiting = []

    def _blocks(self, lengths: Ints, place: NDArray[np.int64], block: int) -> Iterator[tuple[Rows, Rows, Rows]]:
        """Tokens in the order of their names, the rows that hold them, and how often: rows come in turn."""
        self.file.seek(0)
        row, ends = 0, np.cumsum(lengths, dtype=np.int64)
        while row < len(lengths):
            done = int(ends[row] - lengths[row])
            last = max(row + 1, int(np.searchsorted(ends, done + block, "right")))
            size = int(ends[last - 1]) - done
            own = place[np.frombuffer(self.file.read(4 * size), np.int32)]
            pairs = own * len(lengths) + np.repeat(np.arange(row, last), lengths[row:last])
            pairs, often = np.unique(pairs, return_counts=True)
            yield pairs // len(lengths), pairs % len(lengths), often
            row = last


class Postings:
    """The rows of one language in one volume, and for each token those that hold it, in order."""

    def __init__(self, arrays: Arrays, language: str) -> None:
        self.lengths: Ints = arrays[f"{language}/lengths"]
        self.tokens = int(self.lengths.sum())
        self._names, self._first = arrays[f"{language}/names"], arrays[f"{language}/first"]
        self._rows, self._counts = arrays[f"{language}/rows"], arrays[f"{language}/counts"]
        self._looks = Looks(self._rows, _READ)

    def __len__(self) -> int:
        return len(self.lengths)

    def lists(self) -> Iterator[tuple[int, Ints, NDArray[np.uint8]]]:
        """Each token by its name, the rows that hold it, ascending, and how often they do."""
        for name, start, stop in zip(self._names.tolist(), self._first[:-1], self._first[1:], strict=True):
            yield name, self._rows[start:stop], self._counts[start:stop]

    def by_row(self) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint8]]:
        """The names of the tokens of each row, one row after the other, how often it holds them, and where
        each row begins: (rows + 1,). In memory are some 20 bytes a token of a row."""
        order = np.argsort(self._rows, kind="stable")
        names = np.repeat(self._names, np.diff(self._first))[order]
        sizes = np.bincount(self._rows, minlength=len(self))
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]), names, self._counts[order]

    def holding(self, tokens: Sequence[str]) -> list[Held]:
        """For each token the rows that hold it, ascending, and how often they do."""
        names = named(tokens)
        places = np.searchsorted(self._names, names)
        known = places < len(self._names)
        known[known] = self._names[places[known]] == names[known]
        places[~known] = 0
        spans = list(zip(self._first[places].tolist(), self._first[places + known].tolist(), strict=True))
        self._looks.add(sum(stop - start for start, stop in spans))
        return [(self._rows[start:stop], self._counts[start:stop]) for start, stop in spans]


@dataclass(frozen=True, slots=True)
class _Terms:
    """A question in a language: its tokens, what each can give at most, rarest first, and who holds them."""

    tokens: tuple[str, ...]
    weights: Scores
    whole: float
    held: tuple[tuple[Held, ...], ...]  # by volume, then by token


class Bm25Index:
    """BM25 lists by language. A row's score is divided by the most that the question's words could give.

    `lists` has for each language its lists, of one volume each, with the row at which each begins. The same
    names and numbers are found in every list, since each cuts the question as it cut its own texts.
    """

    def __init__(
        self, lists: Mapping[str, Sequence[tuple[int, Postings]]], alive: Mask | None = None, many: int = MANY
    ) -> None:
        self._lists, self._alive, self._many = lists, alive, many
        self._dead = {
            start: np.flatnonzero(~alive[start : start + len(part)]).astype(np.int32)
            if alive is not None
            else _NONE
            for parts in lists.values()
            for start, part in parts
        }
        self._rows, self._average = {}, {}
        for own, parts in lists.items():
            dead = [(part, self._dead[start]) for start, part in parts]
            self._rows[own] = sum(len(part) - len(gone) for part, gone in dead)
            size = sum(part.tokens - int(part.lengths[gone].sum()) for part, gone in dead)
            self._average[own] = max(1, size) / max(1, self._rows[own])
        self._norms = {
            start: self._saturating(own, part) for own, parts in lists.items() for start, part in parts
        }
        self._remembered = Remembered[tuple[str, str, str], _Terms](_QUESTIONS)

    def statistics(self) -> dict[str, tuple[int, float]]:
        """How many living rows each language has, and how many tokens they have in the mean."""
        return {own: (self._rows[own], self._average[own]) for own in self._lists}

    def shares(self, question: str, language: str, rows: Rows) -> Scores:
        found = np.zeros(len(rows), np.float32)
        for own, parts in self._lists.items():
            terms = self._terms(question, own, language)
            for (start, part), held in zip(parts, terms.held, strict=True):
                here = np.flatnonzero((rows >= start) & (rows < start + len(part)))
                if len(here) and len(terms.weights):
                    inside = (rows[here] - start).astype(np.int32)
                    found[here] = self._scores(inside, self._norms[start], terms, held)
        return found

    def best(self, question: str, language: str, k: int) -> dict[str, tuple[Rows, Scores]]:
        found = {}
        for own, parts in self._lists.items():
            terms = self._terms(question, own, language)
            several = [
                self._best(start, part, terms, held, k)
                for (start, part), held in zip(parts, terms.held, strict=True)
            ]
            rows = np.concatenate([rows for rows, _ in several])
            scores = np.concatenate([scores for _, scores in several])
            order = np.lexsort((rows, -scores))[:k]
            found[own] = rows[order], scores[order]
        return found

    def shared(self, question: str, language: str, row: int) -> tuple[str, ...]:
        for own, parts in self._lists.items():
            for start, part in parts:
                if start <= row < start + len(part):
                    asked = self._terms(question, own, language).tokens
                    held = zip(asked, part.holding(asked), strict=True)
                    return tuple(token for token, (rows, _) in held if _holds(rows, row - start))
        return ()

    def _terms(self, question: str, own: str, written: str) -> _Terms:
        return self._remembered.get((question, own, written), self._cut)

    def _cut(self, key: tuple[str, str, str]) -> _Terms:
        question, own, written = key
        words = asked(question, own, written)
        held = [part.holding(words) for _, part in self._lists[own]]
        holding = np.array(
            [
                [self._living(start, rows, counts) for rows, counts in part]
                for (start, _), part in zip(self._lists[own], held, strict=True)
            ],
            np.float64,
        )
        often = holding.reshape(len(held), len(words)).sum(axis=0)
        weights = rarity(often, self._rows[own])
        known = [i for i in np.argsort(-weights, kind="stable").tolist() if often[i]]
        by_volume = tuple(tuple(part[i] for i in known) for part in held)
        return _Terms(words, weights[known].astype(np.float32), float(weights.sum()), by_volume)

    def _living(self, start: int, rows: Ints, counts: NDArray[np.uint8]) -> int:
        """How many of the rows that hold a token are alive."""
        dead = self._dead[start]
        if not len(dead):
            return len(rows)
        if self._alive is not None and len(dead) > len(rows):
            return int(np.count_nonzero(self._alive[start + rows]))
        return len(rows) - int(np.count_nonzero(_counts(dead, rows, counts)))

    def _saturating(self, own: str, part: Postings) -> Scores:
        """What is added to a word's number below the line, for each row of a list: longer ones count less."""
        return saturating(part.lengths, self._average[own])

    def _scores(
        self,
        rows: Ints,
        norms: Scores,
        terms: _Terms,
        held: Sequence[Held],
    ) -> Scores:
        total, own = np.zeros(len(rows), np.float32), norms[rows]
        for weight, (holding, counts) in zip(terms.weights, held, strict=True):
            total += weight * saturated(_counts(rows, holding, counts), own)
        return total / np.float32(terms.whole)

    def _best(
        self,
        start: int,
        part: Postings,
        terms: _Terms,
        held: Sequence[Held],
        k: int,
    ) -> tuple[Rows, Scores]:
        """The best rows of one list. In a long one the rarer words `find` them, and some of the rows of a
        frequent word where these are too few; the others only tell for those that are then foremost."""
        frequent = ceil(FREQUENT * len(part)) if len(part) > self._many else len(part)
        rare = next((i for i, (rows, _) in enumerate(held) if len(rows) > frequent), len(held))
        sizes = np.array([len(rows) for rows, _ in held], np.int64)
        find = min(len(held), max(rare, int(np.searchsorted(np.cumsum(sizes), k)) + 1))
        looked = [slice(None, None, max(1, -(-size // frequent))) for size in sizes[:find].tolist()]
        holding = [(rows[some], often[some]) for (rows, often), some in zip(held, looked, strict=False)]
        rows = np.concatenate([_NONE, *(rows for rows, _ in holding)])
        counts = np.concatenate([_NO_COUNTS, *(often for _, often in holding)])
        weights = np.repeat(terms.weights[:find], [len(rows) for rows, _ in holding])
        rows, reached = _summed(rows, weights * saturated(counts, self._norms[start][rows]), len(part))
        if self._alive is not None:
            alive = self._alive[start + rows]
            rows, reached = rows[alive], reached[alive]
        most = k if find == len(held) else _DEEP * k
        if len(rows) > most:
            rows = rows[reached >= np.partition(reached, -most)[-most]]
        scores = self._scores(rows, self._norms[start], terms, held)
        order = np.lexsort((rows, -scores))[:k]
        return rows[order].astype(np.int64) + start, scores[order]


def rarity(often: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """What a word weighs that so many of the rows hold."""
    return np.asarray(np.log(1 + (rows - often + 0.5) / (often + 0.5)))


def saturating(lengths: Ints, average: float) -> Scores:
    """What is added to a word's number below the line, for rows of those lengths: longer ones count less."""
    own = lengths / np.float32(average)
    return np.asarray(np.float32(K1 * (1 - B)) + np.float32(K1 * B) * own, np.float32)


def named(tokens: Sequence[str]) -> NDArray[np.uint64]:
    """Sixty-four bits for each token: among a million two are the same with a chance of 3e-8."""
    digests = (blake2b(token.encode(), digest_size=8).digest() for token in tokens)
    return np.frombuffer(b"".join(digests), "<u8")


@lru_cache(maxsize=_QUESTIONS)
def asked(question: str, own: str, written: str) -> tuple[str, ...]:
    """The different tokens of a question; the lists of passages and of sentences both need them."""
    return tuple(dict.fromkeys(tokens(question, own, written)))


def _summed(rows: Ints, given: Scores, size: int) -> tuple[Ints, NDArray[np.float64]]:
    """Each row once, ascending, with the sum of what it is given; `rows` are below `size`."""
    if _FEW * len(rows) < size:
        each, back = np.unique(rows, return_inverse=True)
        return each, np.asarray(np.bincount(back, given, len(each)), np.float64)
    sums = np.asarray(np.bincount(rows, given), np.float64)
    each = np.flatnonzero(sums > 0).astype(np.int32)
    return each, sums[each]


def saturated(counts: NDArray[np.uint8], norms: Scores) -> Scores:
    often = counts.astype(np.float32)
    return np.asarray(often / (often + norms), np.float32)


def _counts(rows: Ints, holding: Ints, counts: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """How often each of `rows` holds a token."""
    if not len(holding):
        return np.zeros(len(rows), np.uint8)
    places = np.minimum(np.searchsorted(holding, rows), len(holding) - 1)
    return np.where(holding[places] == rows, counts[places], np.uint8(0))


def _holds(holding: Ints, row: int) -> bool:
    place = int(np.searchsorted(holding, np.int32(row)))
    return place < len(holding) and int(holding[place]) == row
