"""When a run is not good enough: bounds for measures, and what is worse than in another run."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from corpus import FeudError
from eval.measures import Measure
from eval.summary import Comparison, Summary
from eval.tables import BY_NAME, names

Side = Literal["below", "above"]


class BoundError(FeudError):
    """A bound names no measure or no number."""


class NotEnoughError(FeudError):
    """A run was measured, and is not good enough."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Bound:
    """The mean of a measure may not lie on that side of a value."""

    measure: Measure
    side: Side
    value: float


def bound(text: str, side: Side) -> Bound:
    """Read a bound; raises `BoundError`.

    >>> made = bound("citation-recall=.4", "below")
    >>> made.measure.name, made.value
    ('citation recall', 0.4)
    """
    name, _, value = text.partition("=")
    name = name.strip().replace("-", " ").replace("_", " ")
    if name not in BY_NAME:
        raise BoundError(f"No measure is named {name!r}. Measures: {', '.join(BY_NAME)}.")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BoundError(f"{text!r} has no number. Write: --fail-{side} {name.replace(' ', '-')}=0.5")
    return Bound(BY_NAME[name], side, number)


def missed(bounds: Iterable[Bound], summary: Summary) -> Iterator[str]:
    """A sentence for each bound that the run does not keep; what was not measured keeps none."""
    for each in bounds:
        found = summary.groups[0].measures.get(each.measure.name)
        if found is None:
            yield f"{each.measure.name}: no case measures it"
        elif found.mean < each.value if each.side == "below" else found.mean > each.value:
            yield f"{each.measure.name} is {found.mean:.3f}, {each.side} {each.value:g}"


def worse(comparison: Comparison) -> Iterator[str]:
    """A sentence for each share that is worse than before by more than chance: its interval leaves out 0.

    Times are let be: they are the machine's as much as the program's.
    """
    for change in comparison.changes:
        higher = change.measure.better == "higher"
        if change.measure.unit == "share" and (change.high < 0 if higher else change.low > 0):
            yield (
                f"{change.measure.name} went from {change.earlier:.3f} to {change.later:.3f} "
                f"(cases: {names(change.worse)})"
            )
