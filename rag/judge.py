"""What the model says Yes to: which sentences answer a question, and whether what it wrote says the same.

Whether a sentence answers is weighed with how well it was found, and with how like the question the passages
are. The model reads it in English where the index has it so, and the question as it is. That tells an answered
question from an unanswered one with an area under the ROC curve of .84 (84 development cases, 28 of them near
misses; .94 without those) and .89 (150 questions about NTREX, from half of which the answer was taken away),
and the likeliest sentence answers .79 and .68 of those that some sentence answers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from corpus import Sentence
from index import Index
from rag.answer import Question
from rag.evidence import Evidence
from rag.llm import LLM
from rag.prompt import controlling, judging, supporting


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts how much for the log odds that a sentence answers.

    `said` weighs the log odds of the model's Yes with the question behind the sentence, `again` those with the
    question before it; `behind` each point of score that the sentence is behind the best, `likeness` each point
    of cosine by which the likest passage is above `USUAL`.
    """

    said: float
    again: float
    behind: float
    likeness: float
    bias: float


USUAL = 0.85
ONCE = Weights(said=1.31, again=0, behind=11.15, likeness=4.55, bias=-1.45)
"""By a logistic regression on the 1,236 sentences of those questions, both sets counting alike."""
TWICE = Weights(said=1.19, again=0.89, behind=4.2, likeness=3.1, bias=-2.42)
"""The same on the likeliest sentences: 191 of 84 development cases and 40 news questions."""
AGAIN = 3
"""The likeliest sentences are read again, the question first: a worse opinion, but it errs elsewhere.

For those (ten-fold) the area under the ROC curve of answered questions is .86 instead of .82 (cases) and
.88 as before (NTREX), and the likeliest sentence answers .78 instead of .77, and .63 instead of .58.
"""
DOUBTFUL = 0.1
"""Least probability of those."""
CLEAR = 0.7
"""Probability with which the likeliest is not read again, nor the others, where it is `AHEAD` of the next.

With both it is 1.3 sentences for each of those questions, and the same choices.
"""
AHEAD = 0.3
ANYTHING = 0.35
"""Least probability that a sentence about something else answers, too.

Of 205 development questions, 140 of them about NTREX, an order to write a word and a poem that was asked for
reach it; of those that the documents answer one comes near, a follow-up (.31).
"""
FEW = 4
"""Sentences that are read in any case."""
SURE = 0.5
"""Probability of one that answers, with which no more than these `FEW` are read."""
SOME = 6
"""Sentences that are read where none is so sure; more only while none is likely enough.

For the development cases (n 93) that is 7.0 sentences of 10 in the mean, with the same choices as reading all;
with 6 for each question one answer less is found.
"""
SAYS = 0.65
"""Least probability that a sentence says what was written from it.

Of 24 sentences that the model wrote for the development cases 4 of 6 wrong ones are below it, and 1 of the
others.
"""


def judged(
    question: Question, evidence: Evidence, likeness: float, index: Index, llm: LLM, least: float
) -> list[float]:
    """Return the probability that a sentence answers, for the best of the evidence. Raises `LLMError`.

    The model reads on while none has a probability of `least`, and stops early where one is sure. The likeliest
    it reads again.

    Where the model says neither Yes nor No, the search alone decides. What any sentence at all would answer,
    such as an order to say Yes, is no question, and nothing answers it.
    """
    if (llm.yes(controlling(question)) or 0) >= ANYTHING:
        return []
    behind = (evidence.scores.max(initial=0) - evidence.scores).tolist()
    said: list[float | None] = []
    likely: list[float] = []
    for read, sentence in enumerate(evidence.sentences):
        if max(likely, default=0) >= (least if read >= SOME else SURE if read >= FEW else 1):
            break
        said.append(llm.yes(judging(question, index.english(sentence) or sentence.text)))
        likely.append(weighed(said[-1], None, behind[read], likeness))
    for place in _unclear(likely):
        sentence = evidence.sentences[place]
        again = llm.yes(judging(question, index.english(sentence) or sentence.text, reverse=True))
        likely[place] = weighed(said[place], again, behind[place], likeness)
    return likely


def _unclear(likely: Sequence[float]) -> list[int]:
    """The places of the sentences that are to be read again; none where the likeliest is clear."""
    order = sorted(range(len(likely)), key=lambda place: -likely[place])
    first, second = [*(likely[place] for place in order[:2]), 0.0, 0.0][:2]
    if first >= CLEAR and first - second >= AHEAD:
        return []
    return [place for place in order[:AGAIN] if likely[place] >= DOUBTFUL]


def weighed(said: float | None, again: float | None, behind: float, likeness: float) -> float:
    """The probability that a sentence answers, from what the model `said`, once or twice, and how it was found.

    `behind` is its distance to the best score, `likeness` the highest cosine of a passage with the question.

    >>> found = ((0.9, 0), (0.9, 0.1), (0.2, 0), (None, 0))
    >>> [round(weighed(said, None, behind, 0.85), 2) for said, behind in found]
    [0.81, 0.58, 0.04, 0.19]
    >>> [round(weighed(0.9, again, 0, 0.85), 2) for again in (0.9, 0.2)]
    [0.9, 0.26]
    """
    weights = ONCE if again is None else TWICE
    odds = weights.said * _odds(said) + weights.again * _odds(again) - weights.behind * behind
    odds += weights.likeness * (likeness - USUAL) + weights.bias
    return 1 / (1 + math.exp(-odds))


def _odds(yes: float | None) -> float:
    """The log odds of a probability; none either way where the model won't tell."""
    said = 0.5 if yes is None else min(max(yes, 1e-4), 1 - 1e-4)
    return math.log(said / (1 - said))


def says(written: str, sentence: Sentence, before: Sentence | None, llm: LLM) -> bool:
    """Whether the model finds what was `written` in its source; so too if it won't tell. Raises `LLMError`."""
    yes = llm.yes(supporting(written, sentence, before))
    return yes is None or yes >= SAYS
