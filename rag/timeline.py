"""What happened when, according to which document: the sentences that name a day, a month or a year."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from corpus import Sentence
from corpus.dates import dates
from index import Index
from index.filters import days
from index.times import periods
from rag.disagree import others


@dataclass(frozen=True, slots=True)
class Event:
    """A sentence and a time that it names, from its first day to its last."""

    first: date
    last: date
    sentence: Sentence
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
        for first, last in periods(sentence.text, sentence.language):
            event = Event(first, last, sentence, either.get((first, last)))
            events.setdefault((first, last, said), event)
    return sorted(events.values(), key=_in_order)


def disputed(events: Iterable[Event], index: Index) -> list[Event]:
    """Return the events with what tells the same with another day, month or year, wherever in the index.

    Raises KeyError for an event of a sentence that the index does not hold.
    """
    return [replace(event, otherwise=tuple(_otherwise(event, index))) for event in events]


def _otherwise(event: Event, index: Index) -> list[Sentence]:
    return others(event.sentence, index, [frozenset([Decimal(part)]) for part in event.value.split("-")])


def _in_order(event: Event) -> tuple[date, int, str, int]:
    span = event.sentence
    return event.first, -event.last.toordinal(), span.document.id, span.start
