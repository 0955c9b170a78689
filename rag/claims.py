"""What a source tells only as somebody's claim is told as a claim.

The words that show it stand in `claims.toml`. Of 44 sentences of the default model that were shown for
development questions, about the five documents or NTREX, 3 repeat such a claim without saying so.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from corpus import Sentence
from index import Index
from rag.phrases import phrase

_NO_SPACES = ("ja", "ko", "zh")


@dataclass(frozen=True, slots=True)
class _Words:
    """Patterns of the words that speak of a whole sentence, and of those that speak of what follows."""

    of_all: re.Pattern[str]
    of_rest: re.Pattern[str]


def as_told(written: str, language: str, source: Sentence, index: Index) -> str:
    """Return what was `written` from `source`, with a note where only the source tells it as a claim.

    Where the words of the source's language are not known its English is read.
    """
    text, spoken = source.text, source.language
    if spoken not in _table():
        text, spoken = index.english(source), "en"
    if _claims(written, language) or not _claimed(written, text, spoken, index):
        return written
    body = written.rstrip(".。")
    return f"{body} ({phrase('claimed', language)}){written[len(body) :]}"


def _claims(text: str, language: str) -> bool:
    words = _table().get(language)
    return bool(words and (words.of_all.search(text) or words.of_rest.search(text)))


def _claimed(written: str, text: str, language: str, index: Index) -> bool:
    """Whether `text` tells as a claim what was written: all of it, or the part that is nearer to it."""
    words = _table()[language]
    if words.of_all.search(text):
        return True
    verb = words.of_rest.search(text)
    if not verb:
        return False
    parts = text[: verb.start()].strip(), text[verb.end() :].strip()
    if not all(parts):
        return True
    itself, before, after = index.embedder.embed_passages([written, *parts])
    return float(after @ itself) > float(before @ itself)


@cache
def _table() -> dict[str, _Words]:
    table = tomllib.loads((files("rag") / "claims.toml").read_text("utf-8"))
    return {
        language: _Words(*(_pattern(language, words[name]) for name in _Words.__slots__))
        for language, words in table.items()
    }


def _pattern(language: str, words: list[str]) -> re.Pattern[str]:
    any_of = "|".join(words) or r"\b\B"  # which nothing matches
    return re.compile(any_of if language in _NO_SPACES else rf"(?<!\w)(?:{any_of})(?!\w)", re.IGNORECASE)
