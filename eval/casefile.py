"""Reading cases from TOML, as `cases/README.md` describes it; what is wrong is told with file and line."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from corpus import FeudError
from corpus.language import identify
from eval.case import Case, Gold, Problem, Split, check
from rag import Turn

FOLDER = Path(__file__).parent / "cases"
"""The shipped cases."""


class CaseError(FeudError):
    """A case file can't be read; the message says which file, which line and what to correct."""


def _listed(need: Any) -> Any:
    return [need] if isinstance(need, str) else need


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    id: Annotated[str, Field(min_length=1)]
    question: str
    kind: str = ""
    language: str = ""
    history: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = []
    answerable: bool = True
    needs: list[Annotated[list[str], BeforeValidator(_listed)]] = []
    facts: list[str] = []
    forbidden: list[str] = []


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    split: str = "dev"
    quotes: dict[str, dict[str, str]] = {}
    facts: dict[str, list[str]] = {}
    case: Annotated[list[_Row], Field(min_length=1)]


_SHAPES = {  # of a key in a case, and at the head of the file
    "id": "a text in quotes, not empty",
    "history": 'a list of ["question", "answer"]',
    "answerable": "true or false",
    "needs": "a list of needs, each a list of names of quotes",
    "facts": "a list of names of facts",
    "forbidden": 'a list of forms, ["…"]',
    "quotes.": 'a table for each document, [quotes."name.txt"], of lines name = "…"',
    "facts.": 'lines name = ["…"], each with a list of surface forms',
    "case.": "a table for each case, [[case]]",
}


def load(place: Path = FOLDER, split: Split | None = None) -> list[Case]:
    """Read the cases of a file, or of every file of a folder, one file a topic, in the order of their names.

    Raises `CaseError` for a file that is not as `cases/README.md` describes it.
    """
    cases = [case for file in _files(place) for case in _topic(file)]
    return [case for case in cases if split in (None, case.split)]


def mistakes(place: Path, cases: Sequence[Case], documents: Mapping[str, str]) -> list[str]:
    """What is wrong with cases that were read from `place`, each in a line with its file and line."""
    texts = {file: file.read_text(encoding="utf-8") for file in _files(place)}
    # Several cases may use one quote; it is mended once.
    found = {
        (problem.quote and problem.words) or problem: problem for problem in reversed(check(cases, documents))
    }
    return [f"{_at(texts, problem)}: {problem}" for problem in reversed(found.values())]


def _files(place: Path) -> list[Path]:
    files = [place] if place.is_file() else sorted(place.glob("*.toml"))
    if not files:
        what = f"There are no case files (*.toml) in {place}." if place.exists() else f"There is no {place}."
        raise CaseError(f"{what} Write one with: feud eval template > cases.toml")
    return files


def _at(texts: Mapping[Path, str], problem: Problem) -> str:
    """The file and the line where a problem is mended: that of the quote, or of the key of the case."""
    for file, text in texts.items():
        if (number := _number(text, problem.case)) is not None:
            words = problem.quote.strip().split("\n")[0]
            quoted = text.find(words) if words else -1
            line = text.count("\n", 0, quoted) + 1 if quoted >= 0 else _line(text, number, problem.key)
            return f"{file.name}:{line}"
    return next(iter(texts)).name


def _number(text: str, name: str) -> int | None:
    """Which case of a file has this id; the last one where several have."""
    ids = [row.get("id") for row in tomllib.loads(text)["case"]]
    return max((number for number, each in enumerate(ids) if each == name), default=None)


def _line(text: str, number: int, key: str = "") -> int:
    """The line of a key of the case of this number, else that of the case."""
    heads = [head.start() for head in re.finditer(r"(?<![^\n])[^\S\n]*\[\[\s*case\s*\]\]", text)]
    if number >= len(heads):  # written as a list of inline tables
        return 1
    start, end = [*heads, len(text)][number : number + 2]
    found = re.compile(rf"^[^\S\n]*{re.escape(key)}[^\S\n]*=", re.MULTILINE).search(text, start, end)
    return text.count("\n", 0, found.start() if key and found else start) + 1


def _topic(file: Path) -> list[Case]:
    try:
        text = file.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CaseError(f"{file.name} is not valid TOML: {error}. Correct that line.") from error
    try:
        read = _File.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        raise CaseError(_misshapen(file, text, table, first["loc"], first["type"])) from error
    named = [
        (name, Gold(document, words)) for document, own in read.quotes.items() for name, words in own.items()
    ]
    quotes = dict(named)
    if len(quotes) < len(named):
        raise CaseError(f"{file.name} gives one name to two quotes. Rename one.")
    used = {name for row in read.case for name in (*row.facts, *(name for need in row.needs for name in need))}
    for number, row in enumerate(read.case):
        missing = [name for need in row.needs for name in need if name not in quotes]
        if missing or (missing := [name for name in row.facts if name not in read.facts]):
            raise CaseError(
                f"{file.name}:{_line(text, number)}: case {row.id!r} names {missing[0]!r}, which the file does "
                "not define. Add it or correct the name."
            )
    if idle := sorted({*quotes, *read.facts} - used):
        raise CaseError(f"{file.name}: no case uses {', '.join(idle)}. Use or delete what is named there.")
    return [_case(row, file.stem, read.split, quotes, read.facts) for row in read.case]


def _case(
    row: _Row, topic: str, split: str, quotes: Mapping[str, Gold], facts: Mapping[str, list[str]]
) -> Case:
    return Case(
        id=row.id,
        split=split,  # type: ignore[arg-type]  # check() names a wrong split, kind or language
        topic=topic,
        kind=row.kind or _kind(row),  # type: ignore[arg-type]
        language=row.language or identify(row.question),
        question=row.question,
        history=tuple(Turn(question, answer) for question, answer in row.history),
        answerable=row.answerable,
        needs=tuple(tuple(quotes[name] for name in need) for need in row.needs),
        facts=tuple(tuple(facts[name]) for name in row.facts),
        forbidden=tuple(row.forbidden),
    )


def _kind(row: _Row) -> str:
    if row.history:
        return "follow_up"
    return "one_fact" if row.answerable else "unanswerable"


def _misshapen(file: Path, text: str, table: Mapping[str, Any], where: tuple[int | str, ...], kind: str) -> str:
    """What is wrong with the shape of a file: its first mistake."""
    key, *inner = where
    if key != "case" or not inner:
        if kind == "extra_forbidden":
            return f"{file.name}: unknown key {key!r}; known keys: {', '.join(_File.model_fields)}."
        named = f" ({'.'.join(map(str, inner))})" if inner else ""
        shape = _SHAPES.get(f"{key}.", '"dev" or "test"')
        return f"{file.name}: {key}{named} is not as it must be. Write {shape}."
    number = int(inner[0])
    key = str(inner[1]) if len(inner) > 1 else ""
    rows = table["case"]
    name = rows[number].get("id", "(without id)") if isinstance(rows[number], dict) else "(no table)"
    at = f"{file.name}:{_line(text, number, key)}: case {name!r}"
    if kind == "missing":
        return f"{at} has no {key!r}. Add it."
    if kind == "extra_forbidden":
        return f"{at} has the unknown key {key!r}. Known keys: {', '.join(sorted(_Row.model_fields))}."
    return f"{at}: {key or 'it'} must be {_SHAPES.get(key, 'a text in quotes')}."
