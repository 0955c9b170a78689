"""Which numbers of four digits are years: "2000" is none in "2000 employees", "2000万" or "$2000"."""

import re
import tomllib
from functools import cache
from importlib.resources import files

from stopwordsiso import stopwords

from corpus.numbers import measures

_YEAR = re.compile(r"(?<![\d.,])(?:19|20)\d\d(?![\d.,]?\d|\s?%)")
_WORD = r"[^\W\d_][\w'’]*"
_BEFORE = re.compile(rf"(?:({_WORD})[\s-]+)?({_WORD})[\s-]*$")
_AFTER = re.compile(rf"\s({_WORD})(?:\s({_WORD}))?")
_NEAR = 40  # characters to either side: enough for two words
_NOUNS_HAVE_CAPITALS = {"de"}
_BARE = {"de"}  # a year needs no preposition there: "als er 1979 Mitglieder einlud"


def years(text: str, language: str = "und") -> list[tuple[int, int]]:
    """Return where `text` names a year by itself, as start and end, in order.

    A number is none beside a currency, a scale or a Chinese measure word. Nor is it, in a `language` of
    `years.toml`, before what is counted, unless a word of time stands before it.

    >>> [text[a:b] for text in ("In 2018 2000 employees left.", "2000万人") for a, b in years(text, "en")]
    ['2018']
    """
    return [match.span() for match in _YEAR.finditer(text) if not _counts(text, *match.span(), language)]


def _counts(text: str, start: int, end: int, language: str) -> bool:
    """Whether the number from `start` to `end` counts or measures something."""
    before, after = text[max(0, start - _NEAR) : start], text[end : end + _NEAR]
    if measures(before, after, language):
        return True
    following = _AFTER.match(after)
    if following is None or language not in _table()["time"]:
        return False
    near = _BEFORE.search(before)
    earlier, last = (near[1] or "", near[2]) if near else ("", "")
    about = {last.casefold(), f"{earlier} {last}".casefold()} & _words("about", language)
    if not about and {earlier.casefold(), last.casefold()} & _words("time", language):
        return False
    number, named = text[start:end], last[:1].isupper() and near is not None and near.start() > 0
    if following[1].casefold() in _words("counted", language):
        return bool(about) or language not in _BARE or number.endswith("0")
    return bool(about or (number.endswith("00") and not named)) and _plural(following, language)


def _plural(following: re.Match[str], language: str) -> bool:
    """Whether the words after a number look like what is counted: a plural, or one behind another word."""
    word, capital = following[1], language in _NOUNS_HAVE_CAPITALS
    if (following[2] or "").casefold() in _words("counted", language):
        return True
    return (
        word[0].isupper() == capital
        and word.endswith(tuple(_words("plural", language)))
        and word.casefold() not in stopwords(language)
    )


@cache
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads((files("corpus") / "years.toml").read_text("utf-8"))


@cache
def _words(kind: str, language: str) -> frozenset[str]:
    return frozenset(word.strip() for word in _table()[kind][language].split(","))
