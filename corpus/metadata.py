"""Title, publisher, date, address and author of a document: from documents.toml, else from itself."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, get_args

import yaml

from corpus.dates import dates
from corpus.document import Precision, Published, Segment
from corpus.errors import DocumentError
from corpus.passages import plain
from corpus.read import Content, sound

METADATA_FILE = "documents.toml"
FRONT_MATTER = re.compile(r"\s*---[^\S\n]*\r?\n(.*?)\r?\n(?:---|\.\.\.)[^\S\n]*(?:\r?\n|$)", re.DOTALL)

_VALUE = {"day": r"\d{4}-\d\d-\d\d", "month": r"\d{4}-\d\d", "year": r"\d{4}"}
_TEXTS = {"title", "publisher", "url", "author"}
_PUBLISHED = {"value": str, "precision": str, "uncertain": bool, "until": str, "words": str, "note": str}
_LONGEST_TITLE = 150
_LONGEST_FRONT_MATTER = 10_000


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is known of a document besides its text."""

    title: str
    publisher: str = ""
    published: Published = field(default_factory=Published)
    url: str | None = None
    author: str = ""


def load_metadata(folder: Path) -> dict[str, Metadata]:
    """Return what documents.toml in `folder` says, by document id; nothing where there is no such file.

    Raises DocumentError that names the file and the key of a mistake.
    """
    path = folder / METADATA_FILE
    if not path.exists():
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DocumentError(f"{path} can't be read: {error}. Correct it, or take it away.") from error
    return {ident: _checked(table, f'{path}, ["{ident}"]') for ident, table in tables.items()}


def _checked(table: Any, where: str) -> Metadata:
    if not isinstance(table, dict):
        raise DocumentError(f"{where} must be a table; write the file's name in square brackets and quotes.")
    for key, value in table.items():
        if key not in _TEXTS | {"published"}:
            raise DocumentError(
                f"{where}: unknown key {key!r}; known are published, {', '.join(sorted(_TEXTS))}."
            )
        if key in _TEXTS and not isinstance(value, str):
            raise DocumentError(f"{where}: {key} must be text in quotes, not {value!r}.")
    if not table.get("title", "").strip():
        raise DocumentError(f"{where}: title is missing.")
    published = _published(table.get("published", {}), f"{where}, published")
    return Metadata(**{**table, "published": published})


def _published(table: Any, where: str) -> Published:
    if not isinstance(table, dict):
        raise DocumentError(f'{where} must be a table such as {{value = "2025-02", precision = "month"}}.')
    for key, value in table.items():
        if key not in _PUBLISHED:
            raise DocumentError(f"{where}: unknown key {key!r}; known are {', '.join(_PUBLISHED)}.")
        if not isinstance(value, _PUBLISHED[key]):
            raise DocumentError(f"{where}: {key} must be a {_PUBLISHED[key].__name__}, not {value!r}.")
    published = Published(**table)
    if published.precision not in get_args(Precision):
        raise DocumentError(f"{where}: precision {published.precision!r} must be day, month, year or none.")
    for key, value in (("value", published.value), ("until", published.until)):
        if value is not None and not _is_date(value, published.precision):
            raise DocumentError(f"{where}: {key} {value!r} is no date of precision {published.precision}.")
    if (published.value is None) != (published.precision == "none"):
        raise DocumentError(f"{where}: value and precision must be given together.")
    if published.until and published.until < (published.value or ""):
        raise DocumentError(f"{where}: until {published.until!r} lies before value {published.value!r}.")
    return published


def _is_date(value: str, precision: Precision) -> bool:
    """Whether `value` is a day of the calendar, or the month or year of one.

    >>> [_is_date(value, "day") for value in ("2024-02-29", "2025-02-30", "2025-02")]
    [True, False, False]
    """
    if not re.fullmatch(_VALUE.get(precision, r"(?!)"), value):
        return False
    try:
        return bool(date.fromisoformat(value + "-01-01"[len(value) - 4 :]))
    except ValueError:
        return False


def describe(
    ident: str, content: Content, segments: Sequence[Segment], told: Mapping[str, str] = MappingProxyType({})
) -> Metadata:
    """Return what is `told` of a document, else what it says of itself: in front matter, its format, its head.

    A date counts only where something calls it a date or it stands alone in the document's head, a year alone
    only where something calls it a date.
    """
    own = {**content.properties, **front_matter(content.text)}
    said = {key: sound(value) for key, value in {**own, **told}.items()}
    title = said.get("title") or _headline(content.text, segments) or PurePosixPath(ident).stem
    called = said.get("date")
    published = _called_date(called) if called else _printed_date(content.text, segments)
    return Metadata(
        title=" ".join(title.split())[:_LONGEST_TITLE],
        publisher=said.get("publisher", ""),
        published=published,
        url=_address(said.get("url") or said.get("source")),
        author=said.get("author", ""),
    )


def front_matter(text: str) -> dict[str, str]:
    """Return the single values of the YAML between `---` at the head of `text`, as they are written.

    >>> front_matter("---\\ntitle: A\\ndate: 2024-06-11\\ntags:\\n- b\\n---\\nText.")
    {'title': 'A', 'date': '2024-06-11'}
    """
    match = FRONT_MATTER.match(text)
    if match is None or len(match[1]) > _LONGEST_FRONT_MATTER:
        return {}
    try:
        table = yaml.load(match[1], Loader=yaml.BaseLoader)  # every value stays a string
    # Often a title with a colon in it, seldom a character beyond Unicode: its lines are taken as they are.
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError):
        lines = (line.partition(":") for line in match[1].splitlines() if line[:1].isalpha())
        table = {key: value.strip() for key, _, value in lines}
    if not isinstance(table, dict):
        return {}
    return {str(key).lower(): value for key, value in table.items() if isinstance(value, str) and value}


def _headline(text: str, segments: Sequence[Segment]) -> str:
    for kind in ("heading", "article"):
        for segment in segments:
            if segment.kind == kind:
                return plain(text[segment.start : segment.end].strip().splitlines()[0])
    return ""


def _printed_date(text: str, segments: Sequence[Segment]) -> Published:
    stubs = [text[s.start : s.end] for s in segments if s.kind == "noise" and s.reason in ("date", "metadata")]
    found = [(date, stub) for stub in stubs for date in dates(stub)]
    if len({date.value for date, _ in found}) != 1:
        return Published()
    date, stub = found[0]
    return date.published(stub)


def _called_date(words: str) -> Published:
    """The date in what is called one: a book, say, tells its year and no more."""
    if re.fullmatch(r"[12]\d{3}", words.strip()):
        return Published(words.strip(), "year", words=words.strip())
    found = dates(words)
    return found[0].published(words) if found else Published()


def _address(url: str | None) -> str | None:
    return url if url and re.fullmatch(r"https?://\S+", url) else None
