"""Dates as documents print them, in many languages, with what stays open about each."""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from corpus.document import Precision, Published
from corpus.numbers import is_month
from corpus.years import years

_LOCALES = (
    *(
        "ar",
        "bg",
        "ca",
        "cs",
        "da",
        "de",
        "el",
        "en",
        "es",
        "et",
        "fi",
        "fr",
        "he",
        "hi",
        "hr",
        "hu",
        "id",
        "it",
    ),
    *("lt", "lv", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "tr", "uk", "vi"),
)

_YEAR_FIRST = re.compile(
    r"(?<!\d)(?P<y>[12]\d{3})(?:-(?P<m>\d\d)(?:-(?P<d>\d\d)(?:[T ]\d\d:\d\d[\d:.]*(?:Z|[+-]\d\d:?\d\d)?)?)?"
    r"|[/.](?P<m2>\d\d?)[/.](?P<d2>\d\d?)|\s?[年년]\s?(?P<m3>\d\d?)\s?[月월](?:\s?(?P<d3>\d\d?)\s?[日일号號])?)(?!\d)"
)
_YEAR_LAST = re.compile(r"(?<!\d)(?P<a>\d\d?)(?P<mark>[./-])\s?(?P<b>\d\d?)(?P=mark)\s?(?P<y>[12]\d{3})(?!\d)")
_WORD = re.compile(r"[^\W\d_]+")
_CJK_TIME = re.compile(r"\d\s?[月월]|(?:[周週]|星期|礼拜)[一二三四五六日天]|曜日|요일")
_VERBS = {"may", "march"}  # in English, without their capital
_ORDINAL = r"(?:\.|er|st|nd|rd|th|º|ª)?"


@dataclass(frozen=True, slots=True)
class Printed:
    """A date printed in a text from `start` to `end`; `until` is its other reading, if it has one."""

    start: int
    end: int
    value: str
    precision: Precision
    until: str | None = None

    def published(self, text: str, note: str = "") -> Published:
        """Return it as a date of publication; a `note` says why it is uncertain beyond its spelling."""
        if self.until:
            note = "day and month can be read either way round" + (f"; {note}" if note else "")
        words = text[self.start : self.end]
        return Published(self.value, self.precision, bool(note), self.until, words, note)


def dates(text: str) -> list[Printed]:
    """Return the dates in `text` that name at least a year and a month, in order.

    >>> [(d.value, d.until) for d in dates("Mercredi 12 Février 2025; 12/11/2025; 2024年6月")]
    [('2025-02-12', None), ('2025-11-12', '2025-12-11'), ('2024-06', None)]
    """
    found = sorted((*_numeric(text), *_named(text)), key=lambda date: (date.start, -date.end))
    return [
        date
        for before, date in zip([None, *found], found, strict=False)
        if not before or before.end <= date.start
    ]


def month_days(text: str, loosely: bool = False) -> set[tuple[int, int]]:
    """Return each day that `text` names, with or without a year, as (month, day), in any reading.

    `loosely` takes two numbers with a point or a stroke between them for a day, too.

    >>> sorted(month_days("am 3. März, le 1er mai 2021, 9月5日, February 7, 3月, 4.5 %"))
    [(2, 7), (3, 3), (5, 1), (9, 5)]
    >>> sorted(month_days("am 12.11.", loosely=True))
    [(11, 12), (12, 11)]
    """
    found = set()
    for printed in dates(text):
        for value in (printed.value, printed.until or ""):
            if value.count("-") == 2:
                found.add((int(value[5:7]), int(value[8:])))
    for match in _named_days().finditer(text):
        if name := match["m"] or match["m2"]:
            found.add((_months()[name.casefold()], int(match["d"] or match["d2"])))
        elif match["m3"]:
            found.add((int(match["m3"]), int(match["d3"])))
        elif loosely:
            found |= {(int(match["a"]), int(match["b"])), (int(match["b"]), int(match["a"]))}
    return {(month, day) for month, day in found if 1 <= month <= 12 and 1 <= day <= 31}


def yearless(text: str, language: str = "und") -> list[tuple[int, int]]:
    """Return the (month, day) of each day that `text` names in words without a year, in order.

    A month that stands before its number is one in English alone: "im Mai 3 Klagen" names no day.

    >>> yearless("am 3. März, le 1er mai 2021, 9月5日"), yearless("On May 4 they may 3 times.", "en")
    ([(3, 3), (9, 5)], [(5, 4)])
    """
    printed, found = dates(text), []
    for match in _named_days().finditer(text):
        name = match["m"] or (match["m2"] if language == "en" else None)
        if any(date.start < match.end() and match.start() < date.end for date in printed):
            continue
        if name and (name[0].isupper() or name.casefold() not in _VERBS):
            found.append((_months()[name.casefold()], int(match["d"] or match["d2"])))
        elif match["m3"]:
            found.append((int(match["m3"]), int(match["d3"])))
    return [(month, day) for month, day in found if _iso("2000", str(month), str(day))]


def undated(text: str, language: str) -> bool:
    """Whether `text` names a month, or a day of the month or week, and no year: that is to be read elsewhere.

    >>> [undated(t, "en") for t in ("He sued in March.", "He left on Friday.", "In May 2018", "He left then.")]
    [True, True, False, False]
    >>> undated("马斯克在3月起诉", "zh"), undated("Am Dienstag klagte er.", "de"), undated("此后", "zh")
    (True, True, False)
    """
    if years(text, language):
        return False
    words = _WORD.findall(text)
    named = any(is_month(word, language) or word.casefold() in _weekdays(language) for word in words)
    return named or bool(_CJK_TIME.search(text) or yearless(text, language))


def _numeric(text: str) -> Iterator[Printed]:
    for match in _YEAR_FIRST.finditer(text):
        month, day = (match["m"] or match["m2"] or match["m3"]), (match["d"] or match["d2"] or match["d3"])
        if month and (value := _iso(match["y"], month, day)):
            yield Printed(*match.span(), value, "day" if day else "month")
    for match in _YEAR_LAST.finditer(text):
        day_first = _iso(match["y"], match["b"], match["a"])
        # Points stand between day and month only where the day comes first.
        month_first = _iso(match["y"], match["a"], match["b"]) if match["mark"] != "." else None
        readings = sorted({value for value in (day_first, month_first) if value})
        if readings:
            yield Printed(*match.span(), readings[0], "day", readings[1] if readings[1:] else None)


def _named(text: str) -> Iterator[Printed]:
    for match in _named_pattern().finditer(text):
        month = str(_months()[(match["m"] or match["m2"]).casefold()])
        day, year = match["d"] or match["d2"], match["y"] or match["y2"]
        if value := _iso(year, month, day):
            yield Printed(*match.span(), value, "day" if day else "month")


def _iso(year: str, month: str, day: str | None) -> str | None:
    try:
        date = datetime.date(int(year), int(month), int(day or 1))
    except ValueError:
        return None
    return date.isoformat() if day else date.isoformat()[:7]


@cache
def _months(*widths: Literal["wide", "abbreviated"]) -> dict[str, int]:
    """Month names in many languages, with their numbers (Unicode CLDR, through Babel)."""
    from babel.dates import get_month_names

    names: dict[str, int] = {}
    for locale in _LOCALES:
        for width in widths or ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, locale).items():
                    if not name.isdigit() and len(name) > 2:
                        names.setdefault(name.casefold().rstrip("."), number)
    return names


@cache
def _named_pattern() -> re.Pattern[str]:
    month = "|".join(sorted(map(re.escape, _months()), key=len, reverse=True))
    of = r"(?:\s(?:de|del|of))?"
    return re.compile(
        rf"(?<![\w])(?:(?P<d>\d\d?){_ORDINAL}{of}\s)?(?P<m>{month})\.?,?{of}\s(?P<y>[12]\d{{3}})(?!\d)"
        rf"|(?<![\w])(?P<m2>{month})\.?\s(?P<d2>\d\d?){_ORDINAL},?\s(?P<y2>[12]\d{{3}})(?!\d)",
        re.IGNORECASE,
    )


@cache
def _named_days() -> re.Pattern[str]:
    """Without a year only whole names count: "set 5" is no fifth of September."""
    month = "|".join(sorted(map(re.escape, _months("wide")), key=len, reverse=True))
    return re.compile(
        rf"(?<!\w)(?P<d>\d\d?){_ORDINAL}(?:\s(?:de|of))?\s(?P<m>{month})(?!\w)"
        rf"|(?<!\w)(?P<m2>{month})\.?\s(?P<d2>\d\d?)(?:st|nd|rd|th)?(?![\w%]|[.,]\d)"
        r"|(?P<m3>\d\d?)\s?[月월]\s?(?P<d3>\d\d?)\s?[日일号號]"
        r"|(?<![\d.,/])(?P<a>\d\d?)[./](?P<b>\d\d?)(?![\d/]|[.,]\d)\.?",
        re.IGNORECASE,
    )


@cache
def _weekdays(language: str) -> frozenset[str]:
    """The days of the week in one language, folded; none of one that CLDR does not know."""
    from babel import UnknownLocaleError
    from babel.dates import get_day_names

    try:
        return frozenset(name.casefold() for name in get_day_names("wide", locale=language).values())
    except (UnknownLocaleError, ValueError):
        return frozenset()


@cache
def weekdays() -> frozenset[str]:
    """Names of the days of the week in many languages, folded."""
    from babel.dates import get_day_names

    names = (get_day_names(width, locale=locale) for locale in _LOCALES for width in ("wide", "abbreviated"))
    return frozenset(name.casefold().rstrip(".") for days in names for name in days.values())
