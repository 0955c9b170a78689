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


@cache
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads((files("rag") / "phrases.toml").read_text("utf-8"))
