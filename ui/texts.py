"""The words of the interface, kept in one table so that they can be translated."""

import tomllib
from functools import cache
from importlib.resources import files


@cache
def _table(language: str) -> dict[str, str | dict[str, str]]:
    table: dict[str, dict[str, str | dict[str, str]]] = tomllib.loads(
        files("ui").joinpath("texts.toml").read_text(encoding="utf-8")
    )
    return table[language]


def say(key: str, language: str = "en", **values: object) -> str:
    """Return one text of the interface with its values filled in; `count` also picks singular or plural.

    >>> say("searching", count=1), say("searching", count=5)
    ('searching 1 document…', 'searching 5 documents…')
    """
    text = _table(language)[key]
    if isinstance(text, dict):
        text = text["one" if values["count"] == 1 else "other"]
    return text.format(**values)
