"""The words of the interface, in the languages that it has; one of them is spoken at a time."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "de", "fr", "it", "nl", "zh")
_SPOKEN = ContextVar("interface", default=LANGUAGES[0])


@cache
def _table(language: str) -> dict[str, str | dict[str, str]]:
    table: dict[str, dict[str, str | dict[str, str]]] = tomllib.loads(
        files("ui").joinpath("texts.toml").read_text(encoding="utf-8")
    )
    return table[language]


def say(key: str, **values: object) -> str:
    """Return one text of the interface with its values filled in; `count` also picks singular or plural.

    >>> say("searching", count=1), say("searching", count=5)
    ('searching 1 document…', 'searching 5 documents…')
    """
    text = _table(spoken())[key]
    if isinstance(text, dict):
        text = text["one" if values["count"] == 1 else "other"]
    return text.format(**values)


def spoken() -> str:
    """Return the code of the language that the interface speaks here."""
    return _SPOKEN.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Let the interface speak another language inside.

    >>> with speaking("fr"):
    ...     say("send")
    'Demander'
    """
    token = _SPOKEN.set(language)
    try:
        yield
    finally:
        _SPOKEN.reset(token)


def nearest(wanted: str) -> str:
    """Return the language of the interface that suits a browser's, English where none does.

    >>> nearest("de-AT"), nearest("zh-Hans-CN"), nearest("pt"), nearest("")
    ('de', 'zh', 'en', 'en')
    """
    code = wanted.casefold().replace("_", "-").partition("-")[0]
    return code if code in LANGUAGES else LANGUAGES[0]
