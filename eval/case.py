"""The questions that feud is measured with: reading `cases/*.toml` and holding them against the documents."""

import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, get_args

from corpus import FeudError
from eval.normalise import holds, states
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
LANGUAGES = frozenset(
    ["ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr", "uk", "vi", "zh"]
)
FOLDER = Path(__file__).parent / "cases"

_CASE_KEYS = {"id", "kind", "language", "question", "history", "answerable", "needs", "facts", "forbidden"}


class CaseError(FeudError):
    """A case file can't be read; the message says which file, which case and what to correct."""


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


def load(folder: Path = FOLDER, split: Split | None = None) -> list[Case]:
    """Read every case below `folder`, one file a topic, in the order of the file names.

    Raises `CaseError` for a file that is not as `cases/README.md` describes it.
    """
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise CaseError(f"There are no case files (*.toml) in {folder}. Give the folder that holds them.")
    cases = [case for file in files for case in _topic(file)]
    return [case for case in cases if split in (None, case.split)]


def spread(cases: Sequence[Case], count: int) -> list[Case]:
    """Choose `count` cases, one of each kind in turn, the same ones every time."""
    kinds = [list(group) for _, group in groupby(sorted(cases, key=lambda c: c.kind), key=lambda c: c.kind)]
    rounds = [kind[turn] for turn in range(max(map(len, kinds))) for kind in kinds if turn < len(kind)]
    return rounds[:count]


def check(cases: Sequence[Case], documents: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the cases, one line a problem; `documents` maps ids to decoded texts."""
    problems = [f"{name}: the id stands {n} times" for name, n in Counter(c.id for c in cases).items() if n > 1]
    splits: defaultdict[str, set[str]] = defaultdict(set)
    for case in cases:
        splits[case.topic].add(case.split)
    problems += [f"topic {topic!r} is in both splits" for topic, found in splits.items() if len(found) > 1]
    return problems + [f"{case.id}: {line}" for case in cases for line in _wrong(case, documents)]


def _wrong(case: Case, documents: Mapping[str, str]) -> Iterator[str]:
    if case.kind not in KINDS:
        yield f"kind {case.kind!r} is none of {', '.join(KINDS)}"
    if case.split not in get_args(Split):
        yield f"split {case.split!r} is neither dev nor test"
    if case.language not in LANGUAGES:
        yield f"language {case.language!r} is none of {', '.join(sorted(LANGUAGES))}"
    if not case.question.strip():
        yield "the question is empty"
    if (case.kind == "follow_up") != bool(case.history):
        yield "a follow-up has a history, and nothing else has one"
    if case.answerable and not (case.needs and case.facts):
        yield "answerable, but without needs or without facts"
    if not case.answerable and (case.needs or case.facts):
        yield "not answerable, but with needs or facts"
    if case.kind in ("unanswerable", "off_topic") and case.answerable:
        yield f"kind {case.kind} can't be answerable"
    if case.kind in ("conflict", "several_documents") and len(case.needs) < 2:
        yield f"kind {case.kind} has fewer than two needs"
    yield from _wrong_gold(case, documents)
    yield from _wrong_forms(case)


def _wrong_gold(case: Case, documents: Mapping[str, str]) -> Iterator[str]:
    for need in case.needs:
        if not need:
            yield "a need has no quote"
        for gold in need:
            if gold.document not in documents:
                yield f"there is no document {gold.document!r}"
            elif not gold.quote.strip() or gold.quote not in documents[gold.document]:
                yield f"{gold.document} does not hold the quote {gold.quote!r}"


def _wrong_forms(case: Case) -> Iterator[str]:
    quotes = [gold.quote for need in case.needs for gold in need]
    asked = [case.question, *(words for turn in case.history for words in (turn.question, turn.answer))]
    for form in (*case.forbidden, *(form for fact in case.facts for form in fact)):
        if not form.strip():
            yield "a surface form is empty"
    for fact in case.facts:
        if not any(states(quote, fact) for quote in quotes):
            yield f"no gold quote says the fact {fact[:1]}"
        for form in fact:
            if any(holds(text, form) for text in asked):
                yield f"the question or its history already says {form!r}, so an echo would pass as an answer"
    for form in case.forbidden:
        if any(holds(quote, form) for quote in quotes):
            yield f"the forbidden {form!r} stands in a gold quote"


def _topic(file: Path) -> list[Case]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise CaseError(f"{file.name} is not valid TOML: {error}. Correct that line.") from error
    groups = table.get("quotes", {})
    named = [(name, Gold(document, words)) for document in groups for name, words in groups[document].items()]
    quotes, facts = dict(named), table.get("facts", {})
    if len(quotes) < len(named):
        raise CaseError(f"{file.name} gives one name to two quotes. Rename one.")
    if odd := sorted(name for name, forms in facts.items() if not isinstance(forms, list)):
        raise CaseError(
            f'{file.name}: the fact {odd[0]!r} is no list of surface forms. Write {odd[0]} = ["…"].'
        )
    rows = table.get("case", [])
    cases = [_case(row, file, str(table.get("split", "")), quotes, facts) for row in rows]
    used = {name for row in rows for need in row.get("needs", []) for name in need}
    used |= {name for row in rows for name in row.get("facts", [])}
    if idle := sorted({*quotes, *facts} - used):
        raise CaseError(f"{file.name}: no case uses {', '.join(idle)}. Use or delete what is named there.")
    return cases


def _case(
    row: Mapping[str, Any], file: Path, split: str, quotes: Mapping[str, Gold], facts: Mapping[str, list[str]]
) -> Case:
    where = f"{file.name}, case {row.get('id', '(without id)')!r}"
    if unknown := sorted(row.keys() - _CASE_KEYS):
        raise CaseError(
            f"{where} has the unknown key {unknown[0]!r}. Known keys: {', '.join(sorted(_CASE_KEYS))}."
        )
    needs, wanted = row.get("needs", []), row.get("facts", [])
    missing = [name for need in needs for name in need if name not in quotes]
    missing += [name for name in wanted if name not in facts]
    if missing:
        raise CaseError(
            f"{where} names {missing[0]!r}, which the file does not define. Add it or correct the name."
        )
    history, forbidden = row.get("history", []), row.get("forbidden", [])
    if not isinstance(forbidden, list) or any(not isinstance(pair, list) or len(pair) != 2 for pair in history):
        raise CaseError(
            f"{where}: forbidden is a list of forms, history a list of [question, answer]. Correct it."
        )
    try:
        return Case(
            id=row["id"],
            split=split,  # type: ignore[arg-type]  # check() names a wrong split, kind or language
            topic=file.stem,
            kind=row["kind"],
            language=row["language"],
            question=row["question"],
            history=tuple(Turn(question, answer) for question, answer in history),
            answerable=row.get("answerable", True),
            needs=tuple(tuple(quotes[name] for name in need) for need in needs),
            facts=tuple(tuple(facts[name]) for name in wanted),
            forbidden=tuple(forbidden),
        )
    except KeyError as error:
        raise CaseError(f"{where} has no {error.args[0]!r}. Add it.") from error
