"""What happened when, according to which document: the sentences that name a day, a month or a year."""

from calendar import isleap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from corpus import Sentence
from corpus.dates import dates, yearless
from index import Index
from index.filters import days, span
from index.times import Period, periods
from rag.disagree import others


@dataclass(frozen=True, slots=True)
class Event:
    """A sentence and a time that it names, from its first day to its last."""

    first: date
    last: date
    sentence: Sentence
    assumed: bool = False
    """Whether the sentence leaves out the year: that of its other days, or the nearest to the document's."""
    until: str | None = None
    """Another day that it may mean, later than `first`, where day and month can be read either way round."""
    otherwise: tuple[Sentence, ...] = ()
    """What tells the same with another time."""

    @property
    def value(self) -> str:
        """The time in ISO 8601, as precise as the sentence names it: a day, a month or a year."""
        if self.first == self.last:
            return self.first.isoformat()
        whole_month = self.last + timedelta(days=1) == (self.first + timedelta(days=31)).replace(day=1)
        return f"{self.first:%Y-%m}" if whole_month else f"{self.first:%Y}"


def timeline(sentences: Iterable[Sentence]) -> list[Event]:
    """Return each time that a sentence names, in order; a year comes before its months, a copy only once."""
    events: dict[tuple[date, date, str], Event] = {}
    for sentence in sentences:
        said = " ".join(sentence.text.casefold().split())
        either = {days(printed.value): printed.until for printed in dates(sentence.text)}
        named = periods(sentence.text, sentence.language)
        told = [Event(*period, sentence, until=either.get(period)) for period in named]
        for event in (*told, *_assumed(sentence, named)):
            events.setdefault((event.first, event.last, said), event)
    return sorted(events.values(), key=_in_order)


def disputed(events: Iterable[Event], index: Index) -> list[Event]:
    """Return the events with what tells the same with another day, month or year, wherever in the index.

    Raises KeyError for an event of a sentence that the index does not hold.
    """
    return [replace(event, otherwise=tuple(_otherwise(event, index))) for event in events]


def _assumed(sentence: Sentence, named: Sequence[Period]) -> Iterator[Event]:
    """The days that a sentence names without a year, where one year is likeliest."""
    first, last = span(sentence.document.published)
    if years := {day.year for period in named for day in period}:
        first, last = date(min(years), 1, 1), date(max(years), 12, 31)
    if first == date.min:  # the document has no date, or one that is in doubt
        return
    for month, day in yearless(sentence.text, sentence.language):
        reach = range(first.year - 1, min(last.year + 2, date.max.year))
        found = [date(year, month, day) for year in reach if (month, day) != (2, 29) or isleap(year)]
        away = {each: max(first - each, each - last, timedelta()) for each in found}
        nearest = [each for each in found if away[each] == min(away.values())]
        if len(nearest) == 1:
            yield Event(nearest[0], nearest[0], sentence, assumed=True)


def _otherwise(event: Event, index: Index) -> list[Sentence]:
    stated = event.value.split("-")[event.assumed :]
    return others(event.sentence, index, [frozenset([Decimal(part)]) for part in stated])


def _in_order(event: Event) -> tuple[date, int, str, int]:
    span = event.sentence
    return event.first, -event.last.toordinal(), span.document.id, span.start
