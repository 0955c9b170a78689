"""Text that a document says twice: the first time is kept, the second is left out.

Only sentences that are the same are left out. A block that is nearly the same keeps what differs, since a
changed number or a missing "not" may be all that matters.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from corpus.paragraphs import Paragraph
from corpus.sentences import split

# Characters: shorter repetitions are refrains, quotations and turns of phrase.
SHORTEST = 200
_PROSE = 40
_QUOTES = str.maketrans(
    {**dict.fromkeys("“”„«»‹›「」『』", '"'), **dict.fromkeys("‘’‚ʼ", "'"), "*": "", "_": "", "#": ""}
)
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence of a paragraph, and what it is compared by."""

    start: int
    end: int
    key: str


def key(text: str) -> str:
    """Return `text` without what may differ in a copy: case, spaces, kinds of quotation marks, Markdown.

    >>> key("L’offre  de **Musk**") == key("l'offre de Musk"), key("9.74") == key("97.4")
    (True, False)
    """
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", text).translate(_QUOTES)).strip().casefold()


def units(text: str, start: int, end: int) -> list[Unit]:
    """Return the sentences between `start` and `end` of `text`, a paragraph, as units."""
    spans = split(text[start:end], "und", quotation=0)
    return [Unit(start + a, start + b, key(text[start + a : start + b])) for a, b in spans]


def repeats(text: str, found: list[Paragraph]) -> list[Paragraph]:
    """Mark the sentences that stand above in the same order, 200 characters of them or more in one run."""
    said = [unit for p in found if p.kind == "article" for unit in units(text, p.start, p.end)]
    reasons: dict[int, str] = {}
    for first, second, count in _runs(said):
        run = said[second : second + count]
        # Forms repeat short lines ("No changes.") under each heading, and mean something else each time.
        prose = sum(len(unit.key) for unit in run if len(unit.key) >= _PROSE)
        if 2 * prose >= SHORTEST <= run[-1].end - run[0].start:
            lines = _lines(text, said[first].start, said[first + count - 1].end)
            reasons |= {unit.start: f"repeats {lines}" for unit in run}
    return [part for p in found for part in (_split(text, p, reasons) if p.kind == "article" else [p])]


def _runs(said: Sequence[Unit]) -> Iterator[tuple[int, int, int]]:
    """Yield the longest repetitions: where the first begins, where the second begins, how many units."""
    places: dict[str, list[int]] = defaultdict(list)
    n = 0
    while n < len(said):
        # The last few places are enough: a sentence that stands everywhere tells nothing.
        first, count = max(
            ((m, _same(said, m, n)) for m in places[said[n].key][-8:]), key=lambda run: run[1], default=(n, 0)
        )
        if count:
            yield first, n, count
        for unit in range(n, n + max(count, 1)):
            places[said[unit].key].append(unit)
        n += max(count, 1)


def _same(said: Sequence[Unit], first: int, second: int) -> int:
    count = 0
    while (
        first + count < second
        and second + count < len(said)
        and said[first + count].key == said[second + count].key
    ):
        count += 1
    return count


def _lines(text: str, start: int, end: int) -> str:
    first, last = text.count("\n", 0, start) + 1, text.count("\n", 0, end) + 1
    return f"line {first}" if first == last else f"lines {first}–{last}"


def _split(text: str, p: Paragraph, reasons: dict[int, str]) -> Iterator[Paragraph]:
    """Cut a paragraph where its sentences begin or cease to be a repetition."""
    start, reason, apart = p.start, None, p.apart
    inside = units(text, p.start, p.end) if reasons else []
    for unit in inside:
        if unit.start > start and reasons.get(unit.start) != reason and unit is not inside[0]:
            yield _part(text, p, start, unit.start, apart, reason)
            start, apart = unit.start, False
        reason = reasons.get(unit.start)
    yield _part(text, p, start, p.end, apart, reason)


def _part(text: str, p: Paragraph, start: int, end: int, apart: bool, reason: str | None) -> Paragraph:
    part = replace(p, start=start, end=start + len(text[start:end].rstrip()), apart=apart)
    return part.noise(reason) if reason else part
