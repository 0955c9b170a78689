"""From a text to its segments: what is article, heading or noise, and in which language."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from corpus.boundaries import WIDE
from corpus.disclaimers import disclaimers
from corpus.document import Segment
from corpus.furniture import dateline, menus, running_heads, slogans
from corpus.headings import headings
from corpus.language import identify
from corpus.noise import credits_, front_matter, lines, stub
from corpus.paragraphs import Paragraph, paragraphs
from corpus.repeats import repeats

# In this order: each rule sees what the ones before it marked.
_RULES = (
    front_matter,
    stub,
    credits_,
    lines,
    running_heads,
    dateline,
    disclaimers,
    slogans,
    menus,
    repeats,
    headings,
)
# Fewer letters do not tell a language: a name in a headline, a quotation of two words.
_TELLING, _TELLING_WIDE = 60, 12
_SWITCH = 250
_ENOUGH = 1000


def segment(text: str) -> tuple[Segment, ...]:
    """Return the segments of `text`: one after the other, together all of it."""
    found = paragraphs(text)
    if not found:
        return (Segment(0, len(text), "und", "noise", "no text"),) if text else ()
    for rule in _RULES:
        found = rule(text, found)
    return tuple(_covering(text, found))


def _covering(text: str, found: list[Paragraph]) -> Iterator[Segment]:
    """Join neighbours of one language and kind, and give the white space between to the one before."""
    languages = _languages(text, found)
    runs: list[tuple[tuple[str | int, ...], Paragraph, str]] = []
    for p, language in zip(found, languages, strict=True):
        # Each heading is one of its own: the nearest is the heading of what follows.
        same: tuple[str | int, ...] = (p.kind, p.reason, language) if p.kind != "heading" else (p.start,)
        if not runs or runs[-1][0] != same:
            runs.append((same, p, language))
    starts = [0, *(p.start for _, p, _ in runs[1:]), len(text)]
    for (_, p, language), start, end in zip(runs, starts, starts[1:], strict=False):
        spoken = identify(text[start : min(end, start + _ENOUGH)]) if p.kind == "noise" else language
        yield Segment(start, end, spoken, p.kind, p.reason)


def _languages(text: str, found: list[Paragraph]) -> list[str]:
    """Tell the language of each paragraph; a short one has that of the text above, a heading that below."""
    told = _smoothed([_told(text[p.start : p.end]) if p.kind == "article" else None for p in found])
    sure = [language for language in told if language]
    if not sure:
        spoken = " ".join(text[p.start : p.end] for p in found if p.kind != "noise")
        return [identify(spoken[:_ENOUGH])] * len(found)
    languages = []
    rest = iter(sure)
    above, below = sure[0], next(rest)
    for p, language in zip(found, told, strict=True):
        if language:
            above, below = language, next(rest, language)
        languages.append(below if p.kind == "heading" else above)
    return languages


@dataclass(frozen=True, slots=True)
class _Told:
    language: str
    letters: int
    latin: bool


def _told(paragraph: str) -> _Told | None:
    """Tell the language of `paragraph`, None where its letters are too few for that."""
    letters = [c for c in paragraph if c.isalpha()]
    if len(letters) < _TELLING and len(WIDE.findall(paragraph)) < _TELLING_WIDE:
        return None
    latin = sum(c < "\u0250" for c in letters) > len(letters) / 2
    return _Told(identify(paragraph[:_ENOUGH]), len(letters), latin)


def _smoothed(told: list[_Told | None]) -> list[str]:
    """Return the languages without short runs of one that has its alphabet in common with those around it.

    Statistics take a paragraph full of English names for English; a switch of languages lasts longer.
    """
    runs = [list(run) for _, run in groupby(filter(None, told), key=lambda one: one.language)]
    latin = {one.language for run in runs for one in run if one.latin}
    spoken = []
    for before, run, after in zip([[], *runs], runs, [*runs[1:], []], strict=False):
        around = {near[0].language for near in (before, after) if near}
        letters = sum(one.letters for one in run)
        short = letters < _SWITCH and 3 * letters <= sum(one.letters for one in (*before, *after))
        stray = short and len(around) == 1 and {run[0].language, *around} <= latin
        spoken += [min(around) if stray else run[0].language] * len(run)
    rest = iter(spoken)
    return [next(rest) if one else "" for one in told]
