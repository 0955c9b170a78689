"""What counts as a word: tokens that suit any script, and one spelling for each number."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from threading import Lock
from typing import Any

from corpus.numbers import may_hold_thousands, quantities

START = 6  # letters of a word's start that stand for its forms where there is no stemmer
LARGE = 1000  # from here on a quantity is one token however it is written: "97.4 billion", "974亿"

# Scripts that are written without spaces between words, and Hangul, whose words carry their particles.
_DENSE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff"
_NUMBER = r"\d{1,3}(?: \d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,'’]\d+)*"
_TOKEN = re.compile(rf"(?P<number>{_NUMBER})|(?P<dense>[{_DENSE}]+)|(?P<word>(?:(?![{_DENSE}])[^\W\d_])+)")
_GROUPED = re.compile(r"(\d{1,3}(?:([ .,'’])\d{3})(?:\2\d{3})*)(?:[.,](\d+))?")
_INVISIBLE = {"Mn", "Mc", "Me", "Cf"}


def tokens(text: str, language: str, written: str = "") -> list[str]:
    """Cut a text into what BM25 counts: stems, numbers, and pairs of characters where no spaces are.

    Words are stemmed as those of `language`, by Snowball where it knows it, else cut to their start. A text in
    another language, such as a question, tells which by `written`, so that its numbers are read right.

    >>> tokens("Musk's Klagen: 97,4 Milliarden", "de")
    ['musk', 's', 'klag', '97.4', 'milliard', '=97400000000']
    >>> tokens("马斯克出价974亿", "zh")
    ['马斯', '斯克', '克出', '出价', '974', '亿', '=97400000000']
    >>> tokens("1.000.000 = 1,000,000", "en"), tokens("What's C++?", "xx")
    (['1000000', '1000000'], ['what', 's', 'c'])
    """
    found: list[str] = []
    for match in _TOKEN.finditer(_folded(text)):
        token = match.group()
        if match.lastgroup == "number":
            found += numbers(token)
        elif match.lastgroup == "dense":
            found += [token[i : i + 2] for i in range(max(1, len(token) - 1))]
        else:
            found.append(_stem(token, language))
    return [*found, *_large(text, written or language, set(found))]


def numbers(digits: str) -> list[str]:
    """Write a number one way: decimal point, no separators of thousands, no idle zeros.

    A date or a version becomes its parts. Three digits after a separator are thousands ("1.234").

    >>> [numbers(d) for d in ("97,40", "1,234.5", "1.234", "12.11.2025", "007", "0,5")]
    [['97.4'], ['1234.5'], ['1234'], ['12', '11', '2025'], ['7'], ['0.5']]
    """
    if grouped := _GROUPED.fullmatch(digits):
        return [_plain(re.sub(r"\D", "", grouped[1]), grouped[3] or "")]
    whole, *rest = re.split(r"[ .,'’]", digits)
    if len(rest) == 1:
        return [_plain(whole, rest[0])]
    return [_plain(part, "") for part in (whole, *rest)]


def _plain(whole: str, decimals: str) -> str:
    decimals = decimals.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{decimals}" if decimals else "")


def _large(text: str, language: str, known: set[str]) -> Iterator[str]:
    """The large quantities that don't stand in the text digit by digit."""
    if not may_hold_thousands(text, language):
        return
    for readings in quantities(text, language):
        for value in sorted(readings):
            if value >= LARGE and (written := f"{value.normalize():f}") not in known:
                yield f"={written}"


def _folded(text: str) -> str:
    """Fold case and width; drop marks that no letter absorbs and characters that can't be seen."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    if folded.isascii():
        return folded
    return folded.translate(_FOLDED)


class _Folded(dict[int, str]):
    """What stands for each character, found when it is first met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        seen = unicodedata.category(character) not in _INVISIBLE
        self[code] = str(unicodedata.decimal(character, "")) or character if seen else ""
        return self[code]


_FOLDED = _Folded()
_TURN = Lock()  # a stemmer must not be used by two threads at once


@lru_cache(maxsize=1 << 16)
def _stem(word: str, language: str) -> str:
    stemmer = _stemmer(language)
    if stemmer is None:
        return word[:START]
    with _TURN:
        return str(stemmer.stemWord(word))


@cache
def _stemmer(language: str) -> Any:
    from Stemmer import Stemmer

    try:
        return Stemmer(language)
    except KeyError:
        return None
