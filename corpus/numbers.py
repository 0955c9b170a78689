"""Quantities in a text, normalised, so that "97,4 milliards", "97.4 billion" and "974亿" are one number.

Only what a rule can know is read: digits with their separators and the scale beside them, Chinese and
Japanese numerals, spelled numbers up to twelve, names of months. A number that can be read in two ways
("1.234" is a thousand or one and a bit) keeps both readings.
"""

import re
import tomllib
import unicodedata
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files

from corpus.numerals import DIGITS, MEASURES, ORDINALS, SCALES, added, counts, value

Quantity = frozenset[Decimal]
"""The possible readings of one number."""

_TOKEN = re.compile(
    r"(?P<digits>(?<![\d.,])\d{1,3}(?: \d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,'’]\d+)*)"
    rf"|(?P<han>[〇零一二三四五六七八九两十百千]+(?=[年月日号亿億万萬兆{MEASURES}]))"
    rf"|(?P<scale>[{''.join(SCALES)}])"
    r"|(?P<word>[^\W\d_\u3040-\u30ff\u3400-\u9fff]+)"  # without spaces between words, a run is no word
    r"|(?P<other>[^\s])"
)
# Behind digits; 届 counts years, too ("2018届").
_MEASURED = re.compile(
    rf"\s?[多余餘]?(?:[{''.join(SCALES)}]|元(?!素|旦|首|月)|(?![届屆])[{MEASURES}])|\s?(?:USD|EUR|GBP|CHF|JPY|CNY)\b"
)
_GLUED = {"K": 3, "M": 6, "B": 9}  # "$97.4B"
_SIGNS = str.maketrans("٫٬", ".,")  # Arabic
_MAY = re.compile(
    r"(?:\d|\b(?:in|since|until|till|by|from|of|to|through|before|after|last|next|early|late|mid))[ -]$",
    re.IGNORECASE,
)
# CLDR lists two forms of a month's name at most: here the ending changes, there endings are added.
_INFLECTING = {"bg", "cs", "hr", "lt", "lv", "pl", "ru", "sk", "sl", "sr", "uk"}
_SUFFIXING = {"az", "et", "fi", "hu", "kk", "tr"}


def quantities(text: str, language: str) -> list[Quantity]:
    """Return the numbers in `text`, in order, each as the set of its possible readings.

    >>> quantities("une offre de 97,4 milliards", "fr") == quantities("974亿美元的报价", "zh")
    True
    >>> [sorted(map(int, q)) for q in quantities("Im März 2024 kamen drei Klagen, 1.200 Seiten", "de")][:3]
    [[3], [2024], [3]]
    """
    words = _words(language)
    # No-break spaces become spaces, full-width digits digits.
    text = added(unicodedata.normalize("NFKC", text).translate(_SIGNS))
    found: list[Quantity] = []
    scalable = False  # the token before was a number that a scale may multiply
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup, match.group().casefold()
        scale = (
            SCALES.get(token)
            if kind in ("han", "scale")
            else words["scales"].get(token, _glued(text, match))
            if kind == "word"
            else None
        )
        if scale is not None and scalable:
            found[-1] = frozenset(reading.scaleb(scale) for reading in found[-1])
            continue
        scalable = kind in ("digits", "han") and not text.startswith(ORDINALS, max(0, match.start() - 1))
        if kind == "digits":
            found.extend(_readings(token))
        elif kind == "han" and counts(token, text[match.end()]):
            found.append(frozenset([value(token)]))
        elif kind == "han":
            scalable = False
        elif kind == "word" and token in words["spelled"]:
            found.append(frozenset([Decimal(words["spelled"][token])]))
            scalable = True
        elif kind == "word" and (month := _month(match.group(), language)) and _meant(text, match):
            found.append(frozenset([Decimal(month)]))
    return found


def reads(language: str) -> bool:
    """Tell whether the words of a language that make a number large are known.

    >>> reads("da"), reads("zh"), reads("xx")
    (True, True, False)
    """
    return language in ("zh", "ja", "ko") or bool(_words(language)["scales"])


def may_hold_thousands(text: str, language: str) -> bool:
    """Tell whether one of the quantities may be a thousand or more, much faster than they are read.

    >>> [may_hold_thousands(text, "en") for text in ("It took 12 years.", "Two million.", "No, twelve.")]
    [True, True, False]
    """
    return _thousands(language).search(unicodedata.normalize("NFKC", text).casefold()) is not None


@cache
def _thousands(language: str) -> re.Pattern[str]:
    """What every such quantity is written with: a digit, a numeral or a scale."""
    signs = "".join((*SCALES, *DIGITS, "十"))
    return re.compile("|".join((rf"[\d{signs}]", *map(re.escape, _words(language)["scales"]))))


def missing(statement: list[Quantity], source: list[Quantity]) -> list[Quantity]:
    """Return the numbers of `statement` that `source` holds in no reading."""
    known = frozenset().union(*source)
    return [quantity for quantity in statement if not quantity & known]


def currencies(text: str) -> set[str]:
    """Return the currencies that a text names, in any language.

    >>> currencies("97,4 Milliarden Euro") - currencies("un'offerta di 97,4 miliardi di dollari in Europa")
    {'euro'}
    >>> currencies("974亿美元") == currencies("$97.4 billion") == {"dollar"}
    True
    """
    return {name for name, signs in _currencies().items() if signs.search(text)}


def same_magnitude(text: str, language: str, other: str, spoken: str) -> bool:
    """Tell whether two texts that mean the same may both be right about millions and billions.

    >>> same_magnitude("a multimillion-dollar deal", "en", "una partnership multimiliardaria", "it")
    False
    >>> same_magnitude("97.4 billion", "en", "97,4 Milliarden", "de")
    True
    """
    one, two = _magnitudes(text, language), _magnitudes(other, spoken)
    return not one or not two or bool(one & two)


def _magnitudes(text: str, language: str) -> set[int]:
    """The powers of ten, from a million on, in the words of `text`, also inside longer ones.

    None of a language that counts in thousands of millions, where a multimillonario has billions.
    """
    scales = _words(language)["scales"]
    if "mil" in scales:
        return set()
    folded = text.casefold()
    return {power for word, power in scales.items() if power >= 6 and len(word) > 5 and word[:-1] in folded}


def measures(before: str, after: str, language: str) -> bool:
    """Tell whether a number between two texts is scaled, measures money, or has a Chinese measure word.

    >>> measures("超过", "多名员工", "zh"), measures("for $", "", "en"), measures("im Jahr ", " verließ", "de")
    (True, True, False)
    """
    if before.rstrip().endswith(("$", "€", "£", "¥")) or _MEASURED.match(after):
        return True
    following = after.lstrip()
    word = re.match(r"\w*", following)
    return bool(word and word[0].casefold() in _words(language)["scales"]) or any(
        sign.match(following) for sign in _currencies().values()
    )


def is_month(word: str, language: str) -> bool:
    """Tell whether a word is the name of a month in that language.

    >>> is_month("März", "de"), is_month("march", "en"), is_month("марте", "ru")
    (True, False, True)
    """
    return _month(word, language) is not None


def is_year(quantity: Quantity) -> bool:
    """Tell whether a number looks like a year of our time.

    >>> is_year(frozenset([Decimal(2024)])), is_year(frozenset([Decimal("97.4")]))
    (True, False)
    """
    return any(value == int(value) and 1900 <= value <= 2100 for value in quantity)


def _readings(digits: str) -> list[Quantity]:
    """The number in `digits` with all values that it can stand for, or the numbers of a date or version.

    A separator before three digits may be of either kind.

    >>> [sorted(map(str, q)) for text in ("1.234", "97,4", "12.11.2025") for q in _readings(text)]
    [['1.234', '1234'], ['97.4'], ['12'], ['11'], ['2025']]
    """
    parts = re.split(r"[.,'’ ]", digits)
    separators = re.sub(r"\d", "", digits)
    values = set()
    if len(parts) == 1 or all(len(part) == 3 for part in parts[1:]):
        values.add(Decimal("".join(parts)))
    if len(parts) > 1 and separators[-1] in ".," and separators[-1] not in separators[:-1]:
        values.add(Decimal("".join(parts[:-1]) + "." + parts[-1]))
    return [frozenset(values)] if values else [frozenset([Decimal(part)]) for part in parts]


def _glued(text: str, match: re.Match[str]) -> int | None:
    """The power of ten of a letter right behind a number: capital, or small where it is money."""
    letter, before = match.group(), text[: match.start()]
    if not before[-1:].isdigit() or (letter.islower() and not re.search(r"[$€£]\s?[\d.,]+$", before)):
        return None
    return _GLUED.get(letter.upper())


def _meant(text: str, match: re.Match[str]) -> bool:
    """Whether a word that is a month's name is meant as one: Theresa May is none.

    >>> quantities("Theresa May resigned in May 2019, on 24 May.", "en") == quantities("5 2019, 24 5", "en")
    True
    """
    after = text[match.end() : match.end() + 2].strip()
    return match.group() != "May" or after.isdigit() or _MAY.search(text[: match.start()]) is not None


@lru_cache(maxsize=1 << 14)
def _month(written: str, language: str) -> int | None:
    months = _months(language)
    word, capital = written.casefold(), written[0].isupper()
    if language == "en" and not capital:  # may, march
        return None
    if language in _INFLECTING and capital:  # a name that begins like a month: Marcin
        return months.get(word)
    cut = {**dict.fromkeys(_INFLECTING, 1), **dict.fromkeys(_SUFFIXING, 0)}.get(language)
    if word in months or cut is None:
        return months.get(word)
    return next(
        (n for name, n in months.items() if len(name) > 3 and word.startswith(name[: len(name) - cut])), None
    )


@cache
def _currencies() -> dict[str, re.Pattern[str]]:
    return {name: re.compile(signs, re.IGNORECASE) for name, signs in _tables()["currencies"].items()}


@cache
def _tables() -> dict[str, dict[str, str]]:
    return tomllib.loads((files("corpus") / "numbers.toml").read_text("utf-8"))


@cache
def _words(language: str) -> dict[str, dict[str, int]]:
    """The tables of `numbers.toml` for one language, each from casefolded word to number."""
    pairs = {
        name: [entry.split() for entry in _tables()[name].get(language, "").split(",")]
        for name in ("scales", "spelled")
    }
    return {
        name: {pair[0].casefold(): int(pair[1]) for pair in entries if pair} for name, entries in pairs.items()
    }


@cache
def _months(language: str) -> dict[str, int]:
    """The full names of the months by CLDR; numbers such as "3月" are read as numbers anyway."""
    from babel import Locale, UnknownLocaleError

    try:
        names = Locale.parse(language).months
    except (UnknownLocaleError, ValueError):
        return {}
    forms = {**names["stand-alone"]["wide"]}.items(), {**names["format"]["wide"]}.items()
    return {name.casefold(): n for pairs in forms for n, name in pairs if name.isalpha()}
