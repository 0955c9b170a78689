"""Words of many languages that tell the program what a text does, kept in `.toml` files beside the code."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_NO_SPACES = ("ja", "ko", "zh")


@cache
def patterns(name: str) -> Mapping[str, Mapping[str, re.Pattern[str]]]:
    """Read `name`.toml: for each language lists of regular expressions, each list as one pattern.

    They are for whole words, or for parts of the text where a language sets no spaces; case does not matter.
    """
    table = tomllib.loads((files("rag") / f"{name}.toml").read_text("utf-8"))
    return {
        language: {part: _any(words, language in _NO_SPACES) for part, words in lists.items()}
        for language, lists in table.items()
    }


def _any(words: list[str], inside: bool) -> re.Pattern[str]:
    any_of = "|".join(words) or r"\b\B"  # which nothing matches
    return re.compile(any_of if inside else rf"(?<!\w)(?:{any_of})(?!\w)", re.IGNORECASE)
