"""What the model says Yes to: which sentences answer a question, and whether what it wrote says the same.

Whether a sentence answers is weighed with how well it was found, and with how like the question the passages
are. The model reads it in English where the index has it so, and the question as it is. That tells an answered
question from an unanswered one with an area under the ROC curve of .84 (84 development cases, 28 of them near
misses; .94 without those) and .89 (150 questions about NTREX, from half of which the answer was taken away),
and the likeliest sentence answers .79 and .68 of those that some sentence answers.
"""

import math
from collections.abc import Callable, Iterator

from corpus import Sentence
from index import Index
from rag.answer import Question
from rag.errors import PromptError
from rag.evidence import Evidence
from rag.llm import LLM
from rag.prompt import controlling, judging, supporting

# By a logistic regression on the 1,236 sentences of those questions, both sets counting alike.
SAID = 1.31
"""What the log odds of the model's Yes count."""
BEHIND = 11.15
"""What each point of score counts that a sentence is behind the best."""
LIKENESS = 4.55
"""What each point of cosine counts by which the likest passage is above `USUAL`."""
USUAL = 0.85
BIAS = -1.45
ANYTHING = 0.35
"""Least probability that a sentence about something else answers, too.

Of 205 development questions, 140 of them about NTREX, an order to write a word and a poem that was asked for
reach it; of those that the documents answer one comes near, a follow-up (.31).
"""
SURE = 0.45
"""Probability of one that answers: it may be told before others are read, and is told beside them.

Of the 9 further sentences that reach it for the development cases 6 answer. At .35 it would be 8 of 16; the
two answers that are lost repeat what is cited already.
"""
FEW = 4
"""Sentences that are read in any case; more only while none is sure to answer.

For the development cases (n 93) that is 5.3 in the mean, and the first that is sure is the third read.
"""
SAYS = 0.7
"""Least probability that a sentence says what was written from it.

Of 63 sentences that the model wrote 9 of the 21 false ones are below it, and 8 of the others; those are quoted.
At .65 it would be 6 and 6.
"""


def asks(question: Question, llm: LLM) -> bool:
    """Whether a question asks for something. Raises `LLMError`.

    What any sentence at all would answer, such as an order to say Yes, is no question.
    """
    return (llm.yes(controlling(question)) or 0) < ANYTHING


def judged(
    question: Question,
    evidence: Evidence,
    likeness: float,
    index: Index,
    llm: LLM,
    told: Callable[[Sentence], bool] = lambda _: False,
) -> Iterator[float]:
    """Yield the probability that a sentence answers, for the best of the evidence. Raises `LLMError`.

    One that is `told` by then is not read, and gets 0. Where the model says neither Yes nor No, or can't read
    so much, the search alone decides. Raises `PromptError` at the end if it could read none.
    """
    scores, highest, too_long = evidence.scores.tolist(), 0.0, list[PromptError]()
    for read, (sentence, score) in enumerate(zip(evidence.sentences, scores, strict=True)):
        if read >= FEW and highest >= SURE:
            return
        if told(sentence):
            yield 0.0
            continue
        yes = None
        try:
            yes = llm.yes(judging(question, index.english(sentence) or sentence.text))
        except PromptError as error:
            too_long.append(error)
        likely = weighed(yes, scores[0] - score, likeness)
        highest = max(highest, likely)
        yield likely
    if too_long and len(too_long) == len(scores):
        raise too_long[0]


def weighed(yes: float | None, behind: float, likeness: float) -> float:
    """The probability that a sentence answers, from the model's and from how it was found.

    `behind` is its distance to the best score, `likeness` the highest cosine of a passage with the question.

    >>> [round(weighed(yes, behind, 0.85), 2) for yes, behind in ((0.9, 0), (0.9, 0.1), (0.2, 0), (None, 0))]
    [0.81, 0.58, 0.04, 0.19]
    """
    said = 0.5 if yes is None else min(max(yes, 1e-4), 1 - 1e-4)
    odds = SAID * math.log(said / (1 - said)) - BEHIND * behind + LIKENESS * (likeness - USUAL) + BIAS
    return 1 / (1 + math.exp(-odds))


def says(written: str, sentence: Sentence, before: Sentence | None, llm: LLM) -> bool:
    """Whether the model finds what was `written` in its source; so too if it won't tell.

    Raises `LLMError`, `PromptError` where it can't read so much.
    """
    yes = llm.yes(supporting(written, sentence, before))
    return yes is None or yes >= SAYS
