"""From a question to an answer: the whole road, as growing snapshots."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from corpus.sentences import split
from index import EVERYTHING, Filter, Index
from rag.answer import Answer, Question, Timing, Turn
from rag.attribute import attribute
from rag.cite import cite, unmarked
from rag.errors import LLMError
from rag.evidence import Evidence, gather
from rag.gate import STATED, good_enough
from rag.llm import LLM, Piece
from rag.phrases import phrase
from rag.prompt import answering, checking, visible
from rag.question import understand

Clock = Callable[[], int]

TOKENS = 160
"""The longest reply: three sentences in the wordiest of the languages."""
QUOTED = 2
"""Sentences that are quoted where no model writes."""


class Assistant:
    """Answers questions. Without an `llm` the answer is the evidence itself, quoted.

    `latest` returns the index to answer from; each question keeps the one that it began with.
    """

    def __init__(self, latest: Callable[[], Index], llm: LLM | None, passages: int = 8) -> None:
        self.latest, self.llm, self.passages = latest, llm, passages
        self._answering: set[int] = set()
        self._asked = -math.inf

    def idle_seconds(self) -> float:
        """How long nobody has asked; 0 while a question is being answered."""
        return 0.0 if self._answering else time.monotonic() - self._asked

    def warm_up(self) -> None:
        """Load both models, so that the first question need not wait. Raises `LLMError` and model errors."""
        self.latest().embedder.embed_question("?")
        if self.llm:
            for _ in self.llm.stream(answering(Question("?", "en", "?"), ()), 1):
                pass

    def ask(self, question: str, history: Sequence[Turn] = (), where: Filter = EVERYTHING) -> Answer:
        """Return the finished answer. Raises `QuestionError` where the question can't be asked."""
        *_, answer = self.stream(question, history, where)
        return answer

    def stream(
        self, question: str, history: Sequence[Turn] = (), where: Filter = EVERYTHING
    ) -> Iterator[Answer]:
        """Yield growing snapshots of the answer; the last one is the result.

        The passages are there from the first snapshot that is "writing", before the model is called.
        """
        growing = self._stream(question, history, where)
        self._answering.add(id(growing))
        try:
            yield from growing
        finally:
            self._answering.discard(id(growing))
            self._asked = time.monotonic()

    def _stream(self, question: str, history: Sequence[Turn], where: Filter) -> Iterator[Answer]:
        clock, index = _clock(), self.latest()
        asked = understand(question, history, self.llm)
        answer = Answer(
            asked,
            "searching",
            llm=self.llm.name if self.llm else "",
            embedder=index.embedder.name,
            generation=index.generation,
        )
        yield answer
        hits = index.search(asked.standalone, self.passages, where, wordings=asked.wordings)
        evidence = gather(hits, index)
        answer = replace(answer, status="writing", hits=tuple(hits), timing=Timing(evidence_ms=clock()))
        yield answer
        if not good_enough(asked, hits, index):
            answer = _refused(answer)
        elif self.llm is None:
            answer = replace(_quoted(answer, evidence), status="answered")
        else:
            growing = _written(answer, evidence, self.llm, index, clock)
            for answer in growing:
                yield answer
        yield replace(answer, draft="", timing=replace(answer.timing, total_ms=clock()))


def _written(answer: Answer, evidence: Evidence, llm: LLM, index: Index, clock: Clock) -> Iterator[Answer]:
    """Let the model write, and take over each sentence that rests on evidence as soon as it is complete."""
    question, rest, cut = answer.question, "", False
    try:
        for piece in llm.stream(answering(answer.question, evidence.sentences), TOKENS):
            *complete, rest = _sentences(rest + piece.text, question.language)
            for text in map(_own, complete):
                answer = cite(answer, text, attribute(text, question, evidence, index), "verified")
            cut |= piece.cut
            answer = replace(answer, draft=rest.strip(), timing=_counted(answer.timing, piece, clock()))
            yield answer
        last = "" if cut else _own(rest)
        answer = cite(answer, last, attribute(last, question, evidence, index), "verified")
        if not answer.statements and (llm.yes(checking(question, evidence.sentences)) or 0) >= STATED:
            answer = _quoted(answer, evidence)
    except LLMError as error:
        answer = answer if answer.statements else _quoted(answer, evidence)
        yield replace(answer, status="failed", notice=phrase("quoted", question.language), fault=str(error))
        return
    yield replace(answer, status="answered") if answer.statements else _refused(answer)


def _own(text: str) -> str:
    """What a model wrote, as one line, without the marks that it made up."""
    return unmarked(visible(text))


def _clock() -> Clock:
    """Return a function that tells the milliseconds since now."""
    started = time.monotonic()
    return lambda: round((time.monotonic() - started) * 1000)


def _sentences(text: str, language: str) -> list[str]:
    """Cut model text into sentences. The last may be unfinished, and is "" where there is none.

    >>> _sentences("Musk ging. Altman blieb ", "de"), _sentences("", "de")
    (['Musk ging.', 'Altman blieb '], [''])
    """
    spans = split(text, language) or [(0, 0)]
    return [text[start:end] for start, end in spans[:-1]] + [text[spans[-1][0] :]]


def _counted(timing: Timing, piece: Piece, now: int) -> Timing:
    first = timing.first_token_ms if timing.first_token_ms is not None or not piece.text else now
    return replace(
        timing,
        first_token_ms=first,
        prompt_tokens=timing.prompt_tokens + piece.prompt_tokens,
        generated_tokens=timing.generated_tokens + piece.generated_tokens,
    )


def _quoted(answer: Answer, evidence: Evidence) -> Answer:
    """The evidence itself, where no model writes."""
    for sentence in evidence.best(QUOTED):
        answer = cite(answer, visible(sentence.text), [sentence], "quoted")
    return answer


def _refused(answer: Answer) -> Answer:
    return replace(
        answer, status="not_in_documents", notice=phrase("not_in_documents", answer.question.language)
    )
