"""The questions that a program is measured with, and what is wrong with them, held against the documents."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, get_args

from eval.normalise import fold, holds, states
from rag import Turn

Split = Literal["dev", "test"]
Kind = Literal[
    "one_fact",
    "cross_language",
    "several_documents",
    "conflict",
    "follow_up",
    "quotation",
    "false_premise",
    "unanswerable",
    "taken_away",
    "off_topic",
    "instruction",
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Gold:
    """Words of one document, verbatim. Every place where they stand in it counts."""

    document: str
    quote: str


@dataclass(frozen=True, slots=True)
class Case:
    """A question with what a good answer cites and says.

    A need is met by any one of its gold quotes, a fact by any one of its surface forms. `forbidden` forms
    show one particular wrong answer. `language` is the ISO 639-1 code of the question. `without` is a document
    that is left out of what is searched, the one which would answer.
    """

    id: str
    split: Split
    topic: str
    kind: Kind
    language: str
    question: str
    history: tuple[Turn, ...] = ()
    answerable: bool = True
    needs: tuple[tuple[Gold, ...], ...] = ()
    facts: tuple[tuple[str, ...], ...] = ()
    forbidden: tuple[str, ...] = ()
    without: str = ""


def spread(cases: Sequence[Case], count: int) -> list[Case]:
    """Choose `count` cases, one of each kind in turn, the same ones every time."""
    kinds = [list(group) for _, group in groupby(sorted(cases, key=lambda c: c.kind), key=lambda c: c.kind)]
    rounds = [kind[turn] for turn in range(max(map(len, kinds))) for kind in kinds if turn < len(kind)]
    return rounds[:count]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a case, by its id, and under which key; `quote` are the words that it is about."""

    case: str
    key: str
    words: str
    quote: str = ""

    def __str__(self) -> str:
        return f"{self.case}: {self.words}"


def check(cases: Sequence[Case], documents: Mapping[str, str]) -> list[Problem]:
    """Return what is wrong with the cases; `documents` maps ids to decoded texts."""
    times = Counter(case.id for case in cases)
    problems = [
        Problem(name, "id", f"the id stands {n} times; give each case its own")
        for name, n in times.items()
        if n > 1
    ]
    splits: dict[str, dict[str, str]] = {}
    for case in cases:
        splits.setdefault(case.topic, {})[case.split] = case.id
    for topic, found in splits.items():
        if len(found) > 1:
            problems.append(Problem([*found.values()][-1], "split", f"topic {topic!r} is in both splits"))
    return problems + [problem for case in cases for problem in _wrong(case, documents)]


def _wrong(case: Case, documents: Mapping[str, str]) -> Iterator[Problem]:
    for key, words in _wrong_words(case):
        yield Problem(case.id, key, words)
    for quote, words in _wrong_gold(case, documents):
        yield Problem(case.id, "needs", words, quote)
    for key, words in _wrong_forms(case):
        yield Problem(case.id, key, words)


def _wrong_words(case: Case) -> Iterator[tuple[str, str]]:
    if case.kind not in KINDS:
        yield "kind", f"kind {case.kind!r} is none of {', '.join(KINDS)}"
    if case.split not in get_args(Split):
        yield "split", f"split {case.split!r} is neither dev nor test"
    if not re.fullmatch("[a-z]{2}", case.language):
        yield "language", f"language {case.language!r} is no two letters of ISO 639-1, such as de or zh"
    if not case.question.strip():
        yield "question", "the question is empty"
    if (case.kind == "follow_up") != bool(case.history):
        yield "history", "a follow_up has a history, and nothing else has one"
    if case.answerable and not (case.needs and case.facts):
        yield "question", "answerable, but without needs or without facts; or write: answerable = false"
    if not case.answerable and (case.needs or case.facts):
        yield "needs", "not answerable, but with needs or facts; leave out the one or the other"
    if case.kind in ("unanswerable", "off_topic") and case.answerable:
        yield "kind", f"kind {case.kind} can't be answerable; write: answerable = false"
    if case.kind in ("conflict", "several_documents") and len(case.needs) < 2:
        yield "needs", f"kind {case.kind} has fewer than two needs, a list of quotes each"


def _wrong_gold(case: Case, documents: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for need in case.needs:
        if not need:
            yield "", "a need has no quote"
        for gold in need:
            if gold.document not in documents:
                yield gold.document, f"there is no document {gold.document!r}; feud list shows their ids"
            elif not gold.quote.strip() or gold.quote not in documents[gold.document]:
                near = gold.quote.strip() and fold(gold.quote) in fold(documents[gold.document])
                mend = (
                    "it stands there with other spaces, capitals or marks"
                    if near
                    else f"feud list --explain {gold.document} shows the words"
                )
                yield gold.quote, f"{gold.document} does not hold the quote {gold.quote!r}; {mend}"


def _wrong_forms(case: Case) -> Iterator[tuple[str, str]]:
    quotes = [gold.quote for need in case.needs for gold in need]
    asked = [case.question, *(words for turn in case.history for words in (turn.question, turn.answer))]
    for form in (*case.forbidden, *(form for fact in case.facts for form in fact)):
        if not form.strip():
            yield "facts", "a surface form is empty"
    for fact in case.facts:
        if not any(states(quote, fact) for quote in quotes):
            yield "facts", f"no gold quote says the fact {fact[:1]}; add the form that stands in one"
        for form in fact:
            if any(holds(text, form) for text in asked):
                yield (
                    "facts",
                    f"the question or its history already says {form!r}, so an echo would pass as an answer",
                )
    for form in case.forbidden:
        if any(holds(quote, form) for quote in quotes):
            yield "forbidden", f"the forbidden {form!r} stands in a gold quote"
