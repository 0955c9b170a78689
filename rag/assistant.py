"""From a question to an answer: the whole road, as growing snapshots."""

import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from corpus import Sentence
from corpus.names import spelled
from corpus.paragraphs import ended
from corpus.sentences import split
from index import EVERYTHING, Filter, Index
from rag.answer import Answer, Citation, Question, Timing, Turn
from rag.attribute import attribute
from rag.cite import cite, quote, unmarked
from rag.claims import as_told
from rag.disagree import compare
from rag.errors import LLMError, PromptError
from rag.evidence import Evidence, gather
from rag.gate import ABOUT, likeness, unknown
from rag.judge import SURE, asks, judged, says
from rag.llm import LLM, Piece
from rag.phrases import Name, phrase
from rag.prompt import answering, judging, supporting, telling, visible
from rag.question import understand
from rag.spelling import as_asked
from rag.translate import LLMTranslator
from rag.wording import asks_for_words, misquotes, quotes

Clock = Callable[[], int]

TOKENS = 100
"""The longest reply: a sentence in the wordiest of the languages."""
STATEMENTS = 3
"""Sentences of an answer, at most."""
ANSWERS = 0.25
"""Least probability that the likeliest sentence answers; where it is less, the documents do not say.

Above the likeliest of the plainly unanswerable development cases (.22 of 8); of the NTREX questions 10 of 75
reach it, and 12 of 28 near misses ("Who is Musk's lawyer?").
"""
STRANGE = 0.35
"""The same where the question names somebody or a year that no passage knows."""
WRITES = 0.6
"""Least probability of a sentence that the model may tell in its own words; a less likely one is quoted.

What it makes of a sentence that does not answer looks like an answer and passes the checks ("OpenAI is worth
97.4 billion", of an offer). Of 63 sentences that it wrote, 21 of them false, 33 true and 13 false ones are from
a source that is so likely; 28 and 9 pass all checks (`feud eval written`).
"""
QUOTED = 2
"""Sentences that are quoted where no model writes."""
TRANSLATIONS = 256
"""Translations of quotations that are remembered."""
PATIENCE = 20_000
"""Milliseconds after which no more quotations are translated; each translation takes some four seconds."""


class Assistant:
    """Answers questions. Without an `llm` the answer is the evidence itself, quoted.

    `latest` returns the index to answer from; each question keeps the one that it began with.
    """

    def __init__(
        self, latest: Callable[[], Index], llm: LLM | None, passages: int = 8, patience: int = PATIENCE
    ) -> None:
        self.latest, self.llm, self.passages, self.patience = latest, llm, passages, patience
        self._translate = lru_cache(TRANSLATIONS)(LLMTranslator(llm).told) if llm else None
        self._answering: set[int] = set()
        self._asked = -math.inf

    def idle_seconds(self) -> float:
        """How long nobody has asked; 0 while a question is being answered."""
        return 0.0 if self._answering else time.monotonic() - self._asked

    def warm_up(self) -> None:
        """Load both models, so that the first question need not wait. Raises `LLMError` and model errors."""
        index = self.latest()
        index.embedder.embed_question("?")
        if self.llm and index.sentences:
            question, sentence = Question("?", "en", "?"), index.sentences[0]
            beginnings = (
                judging(question, "?"),
                answering(question, sentence, None),
                supporting("?", sentence, None),
                telling("?", "en"),
            )
            for prompt in beginnings:  # their instructions are read once
                for _ in self.llm.stream(prompt, 1):
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

    def translate(self, citation: Citation, language: str) -> str:
        """Return cited words in a reader's language, "" where no translation keeps their numbers.

        Raises `LLMError`.
        """
        index = self.latest()
        self._answering.add(id(citation))
        try:
            told = [self._translated(language, index, sentence) for sentence in citation.sentences]
        finally:
            self._answering.discard(id(citation))
            self._asked = time.monotonic()
        return " ".join(told) if all(told) else ""

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
        evidence = gather(hits, index, asked.language)
        answer = replace(answer, status="writing", hits=tuple(hits), timing=Timing(evidence_ms=clock()))
        yield answer
        desk = _Desk(evidence, index, clock, partial(self._told, asked, index, clock))
        strange, like = unknown(asked, hits), likeness(asked, hits, index)
        if not hits:
            what: Name = "not_in_documents" if where == EVERYTHING else "filtered"
            notice = phrase(what if index.passages else "no_documents", asked.language)
            answer = replace(answer, status="not_in_documents", notice=notice)
        elif like < ABOUT or (strange and self.llm is None):
            answer = _refused(answer)
        elif self.llm is None:
            answer = _quoted(answer, desk)
            answer = replace(compare(answer, index, desk.told), status="answered")
        else:
            growing = _written(answer, desk, self.llm, like, strange)
            for answer in growing:
                yield answer
        yield replace(answer, draft="", timing=replace(answer.timing, total_ms=clock()))

    def _told(self, asked: Question, index: Index, clock: Clock, sentence: Sentence) -> str:
        """A sentence in the reader's language, "" where it is in that, the model has none, or it is late."""
        if clock() > self.patience:
            return _in_english(asked.language, index, sentence)
        try:
            told = self._translated(asked.language, index, sentence)
        except LLMError:
            return ""
        return as_asked(told, asked.standalone, _latin(sentence, index))

    def _translated(self, language: str, index: Index, sentence: Sentence) -> str:
        told = _in_english(language, index, sentence)
        if told or language == sentence.language or self._translate is None:
            return told
        return self._translate(sentence.text, sentence.language, _in_english("en", index, sentence), language)


@dataclass(frozen=True, slots=True)
class _Desk:
    """What an answer is made from, and `told`, which gives a sentence to the reader in their language."""

    evidence: Evidence
    index: Index
    clock: Clock
    told: Callable[[Sentence], str]


def _written(answer: Answer, desk: _Desk, llm: LLM, like: float, strange: Set[str]) -> Iterator[Answer]:
    """Let the model say which sentences answer the question, and put each of them in its own words.

    One that is sure to answer is told before the others are read; else the likeliest. Where none is likely
    enough to, less so with what is `strange`, the documents do not say. What the model writes is taken over
    where it rests on its sentence; else that is quoted.
    """
    asking = False
    try:
        if asking := asks(answer.question, llm):
            read = judged(
                answer.question, desk.evidence, like, desk.index, llm, lambda each: _rests(answer, each)
            )
            for place, likely in _answering(read, STRANGE if strange else ANSWERS):
                for grown in _worded(answer, desk, llm, place, likely):
                    answer = grown
                    yield answer
                if len(answer.statements) == STATEMENTS:
                    break
    except LLMError as error:
        at_once = replace(desk, told=partial(_in_english, answer.question.language, desk.index))
        answer = answer if answer.statements else _quoted(answer, at_once)  # what failed is not asked again
        yield replace(
            answer, status="failed", notice=phrase("quoted", answer.question.language), fault=str(error)
        )
        return
    answer = compare(answer, desk.index, desk.told)
    if answer.statements:
        yield replace(answer, status="answered")
    else:
        yield _refused(answer, strange, asking)


def _answering(read: Iterable[float], least: float) -> Iterator[tuple[int, float]]:
    """The places of the sentences that answer, and how likely: each that is sure to, else the likeliest.

    None where none is likely enough.

    >>> list(_answering([0.1, 0.6, 0.3, 0.5], 0.2)), list(_answering([0.1, 0.3, 0.2], 0.2))
    ([(1, 0.6), (3, 0.5)], [(1, 0.3)])
    >>> list(_answering([0.1, 0.15], 0.2)), list(_answering([], 0.2))
    ([], [])
    """
    best, highest = 0, 0.0
    for place, likely in enumerate(read):
        if likely >= SURE:
            yield place, likely
        if likely > highest:
            best, highest = place, likely
    if least <= highest < SURE:
        yield best, highest


def _worded(answer: Answer, desk: _Desk, llm: LLM, place: int, likely: float) -> Iterator[Answer]:
    """Let the model answer from one sentence; its first sentence is taken over where it rests on the evidence.

    Where it does not, or the model can't read so much, it tries once more from the sentence in English, if the
    index has it so; then the sentence itself is quoted, at once where it is not so `likely` to answer, or has
    somebody's words and those are asked for. What rests on a cited source is left out.
    """
    question, sentence = answer.question, desk.evidence.sentences[place]
    if likely < WRITES or (asks_for_words(question.text, question.language) and quotes(sentence)):
        yield from _quoting(answer, desk, place, likely)
        return
    before = desk.evidence.before[place]
    prompts = [answering(question, sentence, before)]
    if english := desk.index.english(sentence):
        prompts.append(answering(question, sentence, None, english))
    for prompt in prompts:
        with suppress(PromptError):
            text, cut = "", False
            for piece in llm.stream(prompt, TOKENS):
                text, cut = text + piece.text, cut or piece.cut
                answer = replace(
                    answer, draft=text.strip(), timing=_counted(answer.timing, piece, desk.clock())
                )
                yield answer
            first, *more = _sentences(text, question.language)
            written = "" if cut and not any(more) else _own(first)
            written = as_asked(written, question.standalone, _latin(sentence, desk.index))
            sources = attribute(written, question, desk.evidence, desk.index)
            answer = replace(answer, draft="")
            rests = sources and not misquotes(written, sources)
            if rests and says(written, sources[0], before if sources[0] is sentence else None, llm):
                told = as_told(written, question.language, sources[0], desk.index)
                yield answer if _rests(answer, sources[0]) else cite(answer, told, sources, "verified", likely)
                return
    yield from _quoting(answer, desk, place, likely)


def _quoting(answer: Answer, desk: _Desk, place: int, likely: float | None = None) -> Iterator[Answer]:
    """Quote a sentence behind the one that introduces it, if any; it is a draft while it is translated."""
    sentence, before = desk.evidence.sentences[place], desk.evidence.before[place]
    yield replace(answer, draft=visible(sentence.text))
    run = [sentence] if before is None else [before, sentence]
    told = [desk.told(each) for each in run]
    yield quote(answer, run, " ".join(told) if all(told) else "", likely)


def _rests(answer: Answer, source: Sentence) -> bool:
    """Whether a statement rests on `source` already: another one would say the same, or something made up."""
    return any(source in citation.sentences for citation in answer.citations)


def _latin(sentence: Sentence, index: Index) -> str:
    """A sentence and its English, which has its names in Latin letters."""
    return f"{sentence.text} {_in_english('en', index, sentence)}"


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


def _quoted(answer: Answer, desk: _Desk) -> Answer:
    """The evidence itself, word for word; what is no whole sentence, such as a title, where nothing else is."""
    found = list(enumerate(desk.evidence.sentences))
    for place, sentence in sorted(found, key=lambda each: not ended(each[1].text)):
        if len(answer.statements) < QUOTED and not _rests(answer, sentence):
            *_, answer = _quoting(answer, desk, place)
    return answer


def _in_english(language: str, index: Index, sentence: Sentence) -> str:
    """What a reader gets without asking a model: the sentence in English for one who reads that."""
    try:
        return index.english(sentence) if language == "en" else ""
    except KeyError:  # the documents have changed since it was cited
        return ""


def _refused(answer: Answer, strange: Collection[str] = (), asks: bool = False) -> Answer:
    """The documents do not say, nor do they know what is `strange`; what was looked for, if it was rewritten.

    Both only where the question `asks` something, and names only of one question: an order that is repeated
    would be half obeyed.
    """
    asked, language = answer.question, answer.question.language
    notice = [phrase("not_in_documents", language)]
    if asks and strange and asked.clear == asked.text:
        named = [*spelled(strange, asked.standalone), *sorted(filter(str.isdecimal, strange))]
        notice.append(phrase("unnamed", language, names=", ".join(named)))
    if asks and asked.standalone != asked.text:
        notice.append(phrase("looked_for", language, question=asked.standalone))
    return replace(answer, status="not_in_documents", notice=" ".join(notice))
