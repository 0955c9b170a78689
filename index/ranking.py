"""How passages and sentences are scored for a question: each sentence in each passage around it, as a pair."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from index.embedder import Vector
from index.lexical import LexicalIndex, Scores
from index.times import Period
from index.vectors import Rows
from index.views import BEST, View, taken

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Ranking:
    """What counts, and how much. `feud eval retrieval` switches the parts off one by one.

    `neutral` takes out of vectors what languages have in common. A score is `sentence` parts the cosine of a
    sentence, `context` parts that of the sentence after the one before it, `english` parts that of the sentence
    in English, and the rest that of its passage; and `lexical` for the share of the question's words that
    sentence and passage hold beyond what the best of their language hold anyway, times `foreign` where that is
    not the question's. A sentence that names the time that is asked for gains `time`, one of a document of that
    time half of it.
    The `seconds` best sentences each bring up their other versions, in other documents and languages, where
    those are nearer by `apart` than the next nearest; a version loses `loss` for each point of cosine that it
    is away. The values were chosen on the development cases, 300 questions of XQuAD-R and the NTREX news; with
    more weight on English (.3) fewer needs were found in 8 passages, of all cases .82 instead of .85.
    Where a question has further wordings, the one that a sentence is closest to counts `wordings` parts, the
    question itself the rest: follow-ups find .84 of their needs in 8 passages, .69 without, n 16.
    Of an index of more than `large` passages only candidates are scored that lead among all languages in one of
    the views or in shared words: `leading` times as many in each as are wanted. Of the best ten among 106,000
    passages .998 are then the same.
    """

    neutral: bool = True
    sentence: float = 0.35
    context: float = 0.1
    english: float = 0.2
    lexical: float = 0.4
    foreign: float = 0.5
    time: float = 0.05
    seconds: int = 3
    apart: float = 0.18
    loss: float = 0.2
    wordings: float = 0.5
    large: int = 5_000
    leading: int = 4


RANKING = Ranking()


class Beyond:
    """How much more of a question's words rows hold than the best of their language do in the mean.

    Where a question shares words with many rows, such as those of its own language, that says little of each.
    In another language than the question's it counts `foreign` times. `best` are the best rows of all languages
    and what they hold more.
    """

    def __init__(self, question: str, language: str, words: LexicalIndex, view: View, foreign: float) -> None:
        self._question, self._language, self._words, self._view = question, language, words, view
        best = words.best(question, language, BEST)
        counts = {own: taken(count) for own, count in view.counts.items()}
        self._floors = {own: float(best[own][1][:n].sum()) / max(n, 1) for own, n in counts.items()}
        self._weights = {own: 1.0 if own == language else foreign for own in view.counts}
        rows, shares = (np.concatenate(parts) for parts in zip(*best.values(), strict=True))
        self.best = rows, self._beyond(rows, shares)

    def __call__(self, rows: Rows) -> Scores:
        """Return (len(rows),) float32."""
        return self._beyond(rows, self._words.shares(self._question, self._language, rows))

    def _beyond(self, rows: Rows, shares: Scores) -> Scores:
        beyond = shares - self._view.by_language(self._floors, rows)
        return np.asarray(self._view.by_language(self._weights, rows) * beyond, np.float32)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, its vector, the times that it names, and how far rows go beyond others in shared words."""

    text: str
    language: str
    vector: Vector
    times: Sequence[Period]
    passage_words: Beyond
    sentence_words: Beyond


@dataclass(frozen=True, slots=True)
class Pairs:
    """A sentence in a passage, per row: their rows in the index, their cosines, shared words and score."""

    passages: Rows
    sentences: Rows
    wholes: Floats
    singles: Floats
    contexts: Floats
    english: Floats
    words: Floats
    times: Floats
    scores: Floats

    @classmethod
    def scored(
        cls,
        passages: Rows,
        sentences: Rows,
        near: Sequence[Floats],
        words: Floats,
        times: Floats,
        ranking: Ranking,
    ) -> "Pairs":
        """`near` are the cosines of the passages and of the sentences alone, in context and in English."""
        wholes, singles, contexts, english = near
        whole = 1 - ranking.sentence - ranking.context - ranking.english
        near_by = (whole, ranking.sentence, ranking.context, ranking.english)
        parts = np.array([*near_by, ranking.lexical, ranking.time], np.float32)
        scores = parts @ np.stack([*near, words, times])
        return cls(passages, sentences, wholes, singles, contexts, english, words, times, scores)

    def level(self) -> float:
        """The mean of the best scores: how close rows are that are not meant."""
        return float(np.sort(self.scores)[-BEST:].mean()) if len(self.scores) else 0.0

    def blended(self, others: Sequence["Pairs"], levels: Sequence[float], share: float) -> "Pairs":
        """The same with `share` parts of the best score by `others`, each measured from its own level.

        `levels` has that of these pairs, then those of the others; the scores keep the first one.
        """
        if not others:
            return self
        beyond = np.max([other.scores - level for other, level in zip(others, levels[1:], strict=True)], axis=0)
        scores = (1 - share) * self.scores + share * (levels[0] + beyond)
        return replace(self, scores=scores.astype(np.float32))

    def joined(self, other: "Pairs") -> "Pairs":
        """Both, one after the other."""
        columns = ((getattr(self, name), getattr(other, name)) for name in self.__slots__)
        return Pairs(*(np.concatenate(both) for both in columns))

    def lifted(self, floors: Mapping[int, float]) -> "Pairs":
        """The same, no sentence with a score below its floor."""
        least = np.array([floors.get(row, -np.inf) for row in self.sentences.tolist()], np.float32)
        return replace(self, scores=np.maximum(self.scores, least))

    def of(self, passage: int) -> Rows:
        """The pairs of a passage, in the order of its sentences."""
        return np.flatnonzero(self.passages == passage)

    def ranked(self) -> list[int]:
        """Every passage once, that with the best sentence first; equal ones by their row."""
        order = np.lexsort((self.passages, -self.scores))
        return list(dict.fromkeys(self.passages[order].tolist()))

    def best_sentences(self, count: int) -> list[int]:
        """The pairs with the highest scores, `count` different sentences."""
        found: dict[int, int] = {}
        for pair in np.lexsort((self.passages, -self.scores)).tolist():
            if len(found) == count:
                break
            found.setdefault(int(self.sentences[pair]), pair)
        return list(found.values())
