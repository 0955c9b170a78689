"""Questions to try on the page: the home's own, or those about the shipped documents."""

import tomllib
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from corpus import FeudError

Examples = tuple[tuple[str, str], ...]
"""(language, question)"""


FILE = "examples.toml"


class ExamplesError(FeudError):
    """The home's examples can't be read."""


def to_try(home: Path, documents: Iterable[str]) -> Examples:
    """The questions of `FILE` in the home; else the shipped ones where a shipped document is searched.

    `documents` are the ids of what is searched. Raises `ExamplesError` for a file that has another form.
    """
    own = home / FILE
    if own.exists():
        try:
            return _read(own.read_text(encoding="utf-8"))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError, KeyError) as error:
            raise ExamplesError(
                f"{own} can't be read: {error}. Write for each [[example]], "
                'language = "en" and question = "…", or take the file away.'
            ) from error
    shipped = {file.name for file in (files("corpus") / "documents").iterdir()}
    return () if shipped.isdisjoint(documents) else SHIPPED


def _read(text: str) -> Examples:
    rows: Any = tomllib.loads(text)["example"]
    return tuple((str(row["language"]), str(row["question"])) for row in rows)


SHIPPED = _read((files("ui") / FILE).read_text(encoding="utf-8"))
