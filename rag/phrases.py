"""What the program itself says to a reader, in the reader's language."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

Name = Literal[
    "not_in_documents", "filtered", "no_documents", "unnamed", "looked_for", "quoted", "translated", "claimed"
]


def phrase(name: Name, language: str, **values: str) -> str:
    """Return a sentence of `phrases.toml` with `values` filled in, in English where the language has none.

    >>> phrase("not_in_documents", "nl"), phrase("looked_for", "und", question="Who {else}?")
    ('De documenten zeggen hier niets over.', 'Looked for: Who {else}?')
    """
    sentences = _table()[name]
    return sentences.get(language, sentences["en"]).format(**values)


def quotation(words: str, language: str, reader: str, translated: str = "") -> str:
    """Return `words` as they are for a reader of their language, and for others as a quotation that names it.

    A machine's translation, where there is one, stands behind it and is called so.

    >>> quotation("Musk ging.", "de", "de"), quotation("Musk ging.", "de", "zh")
    ('Musk ging.', '德语: “Musk ging.”')
    >>> quotation("Musk ging.", "de", "en", "Musk left.")
    'German: “Musk ging.” (machine translation: “Musk left.”)'
    """
    from babel import Locale, UnknownLocaleError

    if language == reader:
        return words
    try:
        name = Locale.parse(reader).languages[language]
    except (UnknownLocaleError, ValueError, KeyError):
        name = language
    behind = f" ({phrase('translated', reader)}: “{translated}”)" if translated else ""
    return f"{name}: “{words}”{behind}"


@cache
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads((files("rag") / "phrases.toml").read_text("utf-8"))
