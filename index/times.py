"""When a question asks about: the days, months and years that it names, and what speaks of them."""

import re
from collections.abc import Sequence
from datetime import date

from corpus.dates import dates
from corpus.years import years
from index.filters import days

Period = tuple[date, date]

ALWAYS: Period = (date.min, date.max)
_FOUR = re.compile(r"[12]\d{3}")  # every date that is read has a year; to look for this alone is much cheaper


def periods(text: str, language: str = "und") -> list[Period]:
    """The first and last day of every day, month and year that `text` names, in any language.

    Where its `language` is known, fewer numbers are taken for years.

    >>> [(str(first), str(last)) for first, last in periods("Was geschah im Februar 2024?")]
    [('2024-02-01', '2024-02-29')]
    >>> len(periods("Between 2015 and 2018, 1.998 times")), periods("In March?"), periods("2000 people", "en")
    (2, [], [])
    """
    if not _FOUR.search(text):
        return []
    printed = dates(text)
    alone = [(a, b) for a, b in years(text, language) if not any(p.start <= a < p.end for p in printed)]
    return [days(value) for value in (*(p.value for p in printed), *(text[a:b] for a, b in alone))]


def of_the_time(named: Sequence[Period], published: Period, asked: Sequence[Period]) -> float:
    """How much a sentence is of a time that was asked for: 1 where it names it, ½ where it was written then.

    >>> [june, year] = periods("In June 2024? In 2024?")
    >>> of_the_time([june], ALWAYS, [year]), of_the_time([year], june, [june]), of_the_time([], ALWAYS, [june])
    (1.0, 0.5, 0.0)
    """
    if _meet(named, asked):
        return 1.0
    return 0.5 if published != ALWAYS and _meet([published], asked) else 0.0


def _meet(some: Sequence[Period], others: Sequence[Period]) -> bool:
    """Whether a period lies within one of the others; a year isn't of the month that was asked for."""
    return any(start <= first and last <= end for first, last in some for start, end in others)
