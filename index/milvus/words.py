"""Which rows share words with a question, asked of the store: BM25 with the numbers of the whole generation."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.lexical import Scores, asked, named, rarity, saturated, saturating
from index.milvus.layout import unpacked
from index.milvus.spans import Span, Spans
from index.milvus.upload import word_id
from index.remembered import Remembered
from index.rows import Kind
from index.vectors import Rows

_DEEP = 16  # times as many rows as are wanted are scored by all their words


@dataclass(frozen=True, slots=True)
class _Terms:
    """A question in a language: its words, what each weighs, and rows that hold them with what these give."""

    tokens: tuple[str, ...]
    names: NDArray[np.uint64]
    weights: NDArray[np.float32]
    whole: float
    rows: Rows
    reached: NDArray[np.float64]


class StoredWords:
    """The words of passages or of sentences, by language. `statistics` has rows and mean length of each."""

    def __init__(self, spans: Spans, kind: Kind, statistics: Mapping[str, tuple[int, float]]) -> None:
        self._spans, self._kind, self._statistics = spans, kind, statistics
        self._remembered = Remembered[tuple[str, str], dict[str, _Terms]](256)

    def shares(self, question: str, language: str, rows: Rows) -> Scores:
        terms = self._terms(question, language)
        wanted = rows.tolist()
        found = [
            self._score(span, terms[own], own)
            for span, own in zip(self._spans.get(self._kind, wanted), map(self._language, wanted), strict=True)
        ]
        return np.array(found, np.float32)

    def best(self, question: str, language: str, k: int) -> dict[str, tuple[Rows, Scores]]:
        found = {}
        for own, terms in self._terms(question, language).items():
            order = np.lexsort((terms.rows, -terms.reached))[: _DEEP * k]
            rows = np.sort(terms.rows[order])
            spans = self._spans.get(self._kind, rows.tolist())
            alive = [span.document not in self._spans.parts[span.part].dead for span in spans]
            scores = np.array([self._score(span, terms, own) for span in spans], np.float32)
            rows, scores = rows[np.array(alive, bool)], scores[np.array(alive, bool)]
            order = np.lexsort((rows, -scores))[:k]
            found[own] = rows[order], scores[order]
        return found

    def shared(self, question: str, language: str, row: int) -> tuple[str, ...]:
        terms = self._terms(question, language)[self._language(row)]
        [span] = self._spans.get(self._kind, [row])
        held = set(span.words.tolist())
        return tuple(t for t, name in zip(terms.tokens, terms.names.tolist(), strict=True) if name in held)

    def _language(self, row: int) -> str:
        return self._spans.language(self._kind, row)

    def _score(self, span: Span, terms: _Terms, own: str) -> float:
        if not len(terms.weights):
            return 0.0
        hit = span.words[None] == terms.names[:, None]
        counts = np.asarray((hit * span.counts[None]).sum(axis=1), np.uint8)
        norm = saturating(np.array([span.length], np.int32), self._statistics[own][1])
        return float((terms.weights * saturated(counts, norm)).sum() / np.float32(terms.whole))

    def _terms(self, question: str, written: str) -> dict[str, _Terms]:
        return self._remembered.get((question, written), self._cut)

    def _cut(self, key: tuple[str, str]) -> dict[str, _Terms]:
        """The question's words in each language; all languages are read at once."""
        question, written = key
        tokens = {own: asked(question, own, written) for own in self._statistics}
        ids = {
            own: [word_id(self._kind, own, n) for n in named(words).tolist()] for own, words in tokens.items()
        }
        wanted = sorted({each for own in ids.values() for each in own})
        held: list[dict[int, tuple[int, str]]] = []
        for part in self._spans.parts:
            read = self._spans.server.get(part.collection("words"), wanted, ("rows", "data")) if wanted else []
            held.append({int(each["id"]): (int(each["rows"]), str(each["data"])) for each in read})
        return {own: self._terms_of(own, words, ids[own], held) for own, words in tokens.items()}

    def _terms_of(
        self,
        own: str,
        tokens: tuple[str, ...],
        ids: Sequence[int],
        held: Sequence[Mapping[int, tuple[int, str]]],
    ) -> _Terms:
        count, average = self._statistics[own]
        often = np.array([sum(part.get(each, (0, ""))[0] for part in held) for each in ids], np.float64)
        weights = rarity(np.minimum(often, count), count)
        rows, reached = [np.zeros(0, np.int64)], [np.zeros(0, np.float64)]
        for part, start in zip(held, self._spans.firsts[self._kind], strict=False):
            for each, weight in zip(ids, weights.tolist(), strict=True):
                if each not in part:
                    continue
                data = json.loads(part[each][1])
                lengths = unpacked(data["lengths"], "<u2").astype(np.int32)
                told = saturated(unpacked(data["counts"], "u1"), saturating(lengths, average))
                rows.append(unpacked(data["rows"], "<i4").astype(np.int64) + start)
                reached.append(weight * told.astype(np.float64))
        every, back = np.unique(np.concatenate(rows), return_inverse=True)
        sums = np.asarray(np.bincount(back, np.concatenate(reached), len(every)), np.float64)
        known = np.asarray(np.where(often > 0, weights, 0), np.float32)
        return _Terms(tokens, named(tokens), known, float(weights.sum()), every, sums)
