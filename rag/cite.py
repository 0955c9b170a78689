"""Statements and the numbers of their citations, added to an answer one at a time."""

import re
from collections.abc import Sequence
from dataclasses import replace

from corpus import Sentence
from rag.answer import Answer, Citation, Statement, Support
from rag.phrases import quotation
from rag.prompt import visible

_MARK = re.compile(r"\s*\[\d{1,3}\]")


def cite(
    answer: Answer, text: str, sources: Sequence[Sentence], support: Support, likely: float | None = None
) -> Answer:
    """Return `answer` with one more statement that rests on `sources`; without sources it stays as it is.

    Neighbouring sentences become one citation, and what was cited before keeps its number. Marks such as
    "[4]" that a model or a document wrote into `text` are left out: they point at nothing here.
    """
    text = unmarked(text)
    if not sources or any(statement.text == text for statement in answer.statements):
        return answer
    citations = list(answer.citations)
    numbers = []
    for run in runs(sources):
        known = next((c.number for c in citations if set(run) <= set(c.sentences)), 0)
        if not known:
            known = len(citations) + 1
            citations.append(Citation(known, run))
        numbers.append(known)
    statement = Statement(text, tuple(dict.fromkeys(numbers)), support, likely)
    return replace(answer, statements=(*answer.statements, statement), citations=tuple(citations))


def quote(
    answer: Answer, sentences: Sequence[Sentence], translated: str = "", likely: float | None = None
) -> Answer:
    """Return `answer` with neighbouring sentences, for readers of another language with their `translated`."""
    words = quoted(sentences, answer.question.language, translated)
    return cite(answer, words, sentences, "quoted", likely)


def quoted(sentences: Sequence[Sentence], reader: str, translated: str = "") -> str:
    """Return neighbouring sentences as they are quoted for a reader of a language."""
    first, last = sentences[0], sentences[-1]
    words = first.document.text[first.start : last.end]
    return quotation(visible(words), first.language, reader, visible(translated))


def unmarked(text: str) -> str:
    """Return `text` without citation marks.

    >>> unmarked("The tower was built in 1811 [4][12].[3]")
    'The tower was built in 1811.'
    """
    return _MARK.sub("", text)


def runs(sources: Sequence[Sentence]) -> list[tuple[Sentence, ...]]:
    """Group sentences that follow each other with nothing but white space between, best source first."""
    groups: list[tuple[Sentence, ...]] = []
    for source in sorted(dict.fromkeys(sources), key=lambda sentence: (sentence.document.id, sentence.start)):
        if groups and _follows(groups[-1][-1], source):
            groups[-1] = (*groups[-1], source)
        else:
            groups.append((source,))
    return sorted(groups, key=lambda group: min(sources.index(sentence) for sentence in group))


def _follows(first: Sentence, second: Sentence) -> bool:
    document = first.document
    return (
        document.id == second.document.id
        and first.language == second.language
        and first.end <= second.start
        and not document.text[first.end : second.start].strip()
    )
