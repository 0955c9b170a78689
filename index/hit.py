"""What a search returns."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from corpus import Passage, Sentence


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why a passage was found.

    `passage`, `sentence`, `context` and `english` are cosines with the question, of the whole passage and of
    its best sentence alone, after the one before it and in English, without what their languages have in
    common. `in_english` is that English, "" where there is none and the sentence itself counts. `lexical` is
    the share of the question's words that passage and sentence hold beyond the best of their language, `words`
    are those words, as they are counted. `time` is 1 where the sentence names the time that is asked for, ½
    where its document is of that time. `second_of` is the sentence of which this passage seems to be another
    version, where that and not the question brought it up.
    """

    passage: float = 0.0
    sentence: float = 0.0
    context: float = 0.0
    english: float = 0.0
    in_english: str = ""
    lexical: float = 0.0
    words: tuple[str, ...] = ()
    time: float = 0.0
    second_of: Sentence | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question. Higher is better; scores are comparable across languages.

    `sentences` has the score of each of its sentences; that of the passage is the best of them.
    """

    passage: Passage
    score: float
    sentences: tuple[float, ...] = ()
    grounds: Grounds = field(default=Grounds(), compare=False)


def sentence_scores(hits: Iterable[Hit]) -> dict[Sentence, float]:
    """The best score of each sentence of the hits, in the order in which they stand there."""
    best: dict[Sentence, float] = {}
    for hit in hits:
        for sentence, score in zip(hit.passage.sentences, hit.sentences, strict=True):
            best[sentence] = max(score, best.get(sentence, score))
    return best
