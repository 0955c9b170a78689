"""What the program itself says to a reader, in the reader's language."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal


def phrase(name: Literal["not_in_documents", "quoted"], language: str) -> str:
    """Return a sentence of `phrases.toml`, in English where the language has none.

    >>> phrase("not_in_documents", "nl"), phrase("not_in_documents", "und")
    ('De documenten zeggen hier niets over.', 'The documents do not say.')
    """
    sentences = _table()[name]
    return sentences.get(language, sentences["en"])


def quotation(words: str, language: str, reader: str) -> str:
    """Return `words` as they are for a reader of their language, and for others as a quotation that names it.

    >>> quotation("Musk ging.", "de", "de"), quotation("Musk ging.", "de", "zh")
    ('Musk ging.', '德语: “Musk ging.”')
    """
    from babel import Locale, UnknownLocaleError

    if language == reader:
        return words
    try:
        name = Locale.parse(reader).languages[language]
    except (UnknownLocaleError, ValueError, KeyError):
        name = language
    return f"{name}: “{words}”"


@cache
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads((files("rag") / "phrases.toml").read_text("utf-8"))
