"""Which documents and languages a search looks at."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from corpus import Document, FeudError, Published


class FilterError(FeudError):
    """A day that is none, as it was `written`; the message says how one is."""

    def __init__(self, written: str) -> None:
        super().__init__(f"{written!r} is no date. Write 2025, 2025-02 or 2025-02-12.")
        self.written = written


@dataclass(frozen=True, slots=True)
class Filter:
    """What a reader wants to see; an empty field lets everything through.

    `languages` are ISO 639-1 codes, `publishers` and `documents` as `feud list` shows them, `since` and `until`
    the first and last day. A document whose date is uncertain or unknown is let through wherever it may fit.
    """

    languages: frozenset[str] = frozenset()
    publishers: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    since: date | None = None
    until: date | None = None

    def admits_document(self, document: Document) -> bool:
        """Whether a document is let through, whatever its languages: those are its passages' own."""
        first, last = span(document.published)
        return (
            (not self.publishers or document.publisher.casefold() in self.publishers)
            and (not self.documents or document.id in self.documents)
            and (self.since is None or last >= self.since)
            and (self.until is None or first <= self.until)
        )


EVERYTHING = Filter()


def filtered(
    languages: Collection[str] | None = None,
    publishers: Collection[str] | None = None,
    documents: Collection[str] | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Filter:
    """Make a filter from what a reader wrote; None and "" admit all. Dates are a year, a month or a day.

    Raises `FilterError` for what is no date.

    >>> filtered(["FR"], since="2025-02", until="2025-02").until
    datetime.date(2025, 2, 28)
    """
    return Filter(
        frozenset(code.strip().casefold() for code in languages or ()),
        frozenset(name.strip().casefold() for name in publishers or ()),
        frozenset(documents or ()),
        _day(since or "", 0),
        _day(until or "", 1),
    )


def span(published: Published) -> tuple[date, date]:
    """The first and the last day on which a document may have been published.

    >>> span(Published("2025-06", "month")), span(Published("2025-11-12", "day", True, "2025-12-11"))[1]
    ((datetime.date(2025, 6, 1), datetime.date(2025, 6, 30)), datetime.date(2025, 12, 11))
    """
    if published.value is None or (published.uncertain and not published.until):
        return date.min, date.max
    ends = [days(value) for value in (published.value, published.until) if value]
    return min(first for first, _ in ends), max(last for _, last in ends)


def _day(written: str, end: int) -> date | None:
    try:
        return days(written.strip())[end] if written.strip() else None
    except (ValueError, OverflowError) as error:  # a year may have more digits than a number of C
        raise FilterError(written) from error


def days(value: str) -> tuple[date, date]:
    """The first and last day of a year, a month or a day as ISO 8601 writes it. Raises ValueError."""
    parts = [int(part) for part in value.split("-")]
    if len(parts) > 3:
        raise ValueError(value)
    year, month, day = [*parts, 0, 0][:3]
    if day:
        return date(year, month, day), date(year, month, day)
    first = date(year, month or 1, 1)
    after = (
        date(year + (month in (0, 12)), 1 if month in (0, 12) else month + 1, 1) if year < 9999 else date.max
    )
    return first, date.fromordinal(after.toordinal() - 1)
