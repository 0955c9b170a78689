"""Plots as SVG: lines over logarithmic axes for sizes and plain ones for shares, and intervals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 400, 70, 50, 20
_NAMES, _NOTES = 160, 150  # what stands left and right of intervals
_COLOURS = ("#0b6e99", "#c2410c", "#4d7c0f", "#7e22ce")


@dataclass(frozen=True, slots=True)
class Bar:
    """A value with its interval, and what stands beside it."""

    name: str
    value: float
    low: float
    high: float
    note: str = ""


def intervals(what: str, bars: Sequence[Bar], low: float = 0.0, high: float = 1.0) -> str:
    """Return values as dots with their intervals, one below the other, on an axis from `low` to `high`."""
    foot = _TOP + 24 * len(bars)

    def at(value: float) -> float:
        return round(_NAMES + (min(max(value, low), high) - low) / (high - low) * (_WIDTH - _NOTES - _NAMES), 1)

    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {foot + 28}" role="img" '
        f'aria-label="{escape(what)}" font-family="sans-serif" font-size="12">'
        '<rect width="100%" height="100%" fill="#fff"/>'
    ]
    for step in range(5):
        tick = low + step * (high - low) / 4
        drawn.append(
            f'<line x1="{at(tick)}" x2="{at(tick)}" y1="{_TOP - 8}" y2="{foot}" '
            f'stroke="{"#888" if tick == 0 else "#ddd"}"/>'
            f'<text x="{at(tick)}" y="{foot + 16}" text-anchor="middle">{tick:g}</text>'
        )
    for number, bar in enumerate(bars):
        y = _TOP + 24 * number + 8
        drawn.append(
            f'<text x="{_NAMES - 10}" y="{y + 4}" text-anchor="end">{escape(bar.name)}</text>'
            f'<line x1="{at(bar.low)}" x2="{at(bar.high)}" y1="{y}" y2="{y}" '
            f'stroke="{_COLOURS[0]}" stroke-width="3"/>'
            f'<circle cx="{at(bar.value)}" cy="{y}" r="5" fill="{_COLOURS[0]}"/>'
            f'<text x="{_WIDTH - _NOTES + 14}" y="{y + 4}">{escape(bar.note)}</text>'
        )
    return "\n".join([*drawn, "</svg>", ""])


def lines(across: str, series: Mapping[str, Sequence[tuple[float, float]]], shares: bool = False) -> str:
    """Return the series as an SVG picture; each is a list of points above 0, named in a legend.

    Both axes are logarithmic, or reach from 0 to 1 where the points are `shares`.
    """
    points = [point for own in series.values() for point in own]
    x, y = (_Shares() if shares else _Axis([point[i] for point in points]) for i in (0, 1))
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        'font-size="12"><rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 10}" text-anchor="middle">{escape(across)}</text>',
    ]
    for tick in x.ticks():
        at = _across(x, tick)
        drawn.append(f'<line x1="{at}" x2="{at}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}" stroke="#ddd"/>')
        drawn.append(f'<text x="{at}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{tick:,.10g}</text>')
    for tick in y.ticks():
        at = _up(y, tick)
        drawn.append(f'<line x1="{_LEFT}" x2="{_WIDTH - 20}" y1="{at}" y2="{at}" stroke="#ddd"/>')
        drawn.append(f'<text x="{_LEFT - 6}" y="{at + 4}" text-anchor="end">{tick:,.10g}</text>')
    for number, (name, own) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{_across(x, a)},{_up(y, b)}" for a, b in own)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn += [f'<circle cx="{_across(x, a)}" cy="{_up(y, b)}" r="4" fill="{colour}"/>' for a, b in own]
        drawn.append(
            f'<text x="{_LEFT + 10}" y="{_TOP + 16 + 16 * number}" fill="{colour}">{escape(name)}</text>'
        )
    return "\n".join([*drawn, "</svg>", ""])


class _Axis:
    """Whole powers of ten around the values."""

    def __init__(self, values: Sequence[float]) -> None:
        logs = [log10(max(value, 1e-3)) for value in values]
        self.low = floor(min(logs))
        self.high = max(ceil(max(logs)), self.low + 1)

    def place(self, value: float) -> float:
        """Where a value lies, from 0 to 1."""
        return (log10(max(value, 1e-3)) - self.low) / (self.high - self.low)

    def ticks(self) -> Iterator[float]:
        return (10.0**power for power in range(self.low, self.high + 1))


class _Shares:
    """From 0 to 1."""

    def place(self, value: float) -> float:
        return value

    def ticks(self) -> Iterator[float]:
        return (tenth / 10 for tenth in range(0, 11, 2))


def _across(axis: _Axis | _Shares, value: float) -> float:
    return round(_LEFT + axis.place(value) * (_WIDTH - 20 - _LEFT), 1)


def _up(axis: _Axis | _Shares, value: float) -> float:
    return round(_HEIGHT - _BOTTOM - axis.place(value) * (_HEIGHT - _BOTTOM - _TOP), 1)
