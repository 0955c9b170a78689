"""The lines of a text as paragraphs, whether each stands on one line or is wrapped at a width."""

import re
from dataclasses import dataclass, replace
from itertools import pairwise

from corpus.document import Kind

_LINE = re.compile(r"[^\r\n\f\v\x85\u2028\u2029]+")
_BLANK_LINE = re.compile(r"(?:\r\n|[\r\n\u2028\x85])[^\S\r\n]*[\r\n\f\u2028\x85]|\f|\u2029")
_MARKER = re.compile(r"\s*(?:[-*+•#>|]|\d+[.)])\s")
_CLOSED = re.compile(r"[.!?…。！？؟।:：;][\"'”’»」』)\]*_\s]*$")
# Longer lines are paragraphs: editors and mail programs wrap at 65 to 100 characters.
_WIDEST = 110
_WRAPPED = 0.8
_LONG = 50  # characters; shorter lines without an end may be a list or a poem


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A stretch of a text without white space at its ends.

    `apart` tells whether a blank line stands before it, `kind` and `reason` what rules have found it to be.
    """

    start: int
    end: int
    apart: bool
    kind: Kind = "article"
    reason: str = ""

    def noise(self, reason: str) -> "Paragraph":
        return replace(self, kind="noise", reason=reason)


def paragraphs(text: str) -> list[Paragraph]:
    r"""Return the paragraphs of `text`, in order.

    >>> [text[p.start : p.end] for text in ["One.\nTwo. \n\n Three."] for p in paragraphs(text)]
    ['One.', 'Two.', 'Three.']
    """
    lines = [_trimmed(text, match) for match in _LINE.finditer(text) if not match.group().isspace()]
    joined = _continues(text, lines)
    found: list[Paragraph] = []
    previous_end = 0
    for (start, end), continues in zip(lines, joined, strict=True):
        if continues:
            found[-1] = Paragraph(found[-1].start, end, found[-1].apart)
        else:
            apart = previous_end == 0 or _BLANK_LINE.search(text, previous_end, start) is not None
            found.append(Paragraph(start, end, apart))
        previous_end = end
    return found


def _trimmed(text: str, match: re.Match[str]) -> tuple[int, int]:
    line = match.group()
    return match.start() + len(line) - len(line.lstrip()), match.start() + len(line.rstrip())


def _continues(text: str, lines: list[tuple[int, int]]) -> list[bool]:
    """Tell for each line whether it goes on with the paragraph of the line before.

    A text is wrapped where the first word of a line would not have fitted on the line before it. Where too few
    lines are there to tell, a long one without an end goes on with a small letter.
    """
    alone = [False] * len(lines)
    width = max((end - start for start, end in lines), default=0)
    if width > _WIDEST:
        return alone
    pairs = []
    for number, ((start, end), (next_start, next_end)) in enumerate(pairwise(lines), 1):
        if _BLANK_LINE.search(text, end, next_start) or _MARKER.match(text, next_start):
            continue
        word = len(text[next_start:next_end].split()[0])
        pairs.append((number, end - start + 1 + word > 0.9 * width))
    if len(pairs) < 3 or sum(full for _, full in pairs) < _WRAPPED * len(pairs):
        for number, _ in pairs:
            (start, end), (next_start, _) = lines[number - 1], lines[number]
            long = end - start >= _LONG and not _CLOSED.search(text, start, end)
            alone[number] = long and text[next_start].islower()
        return alone
    for number, full in pairs:
        (start, end), (next_start, _) = lines[number - 1], lines[number]
        ended = _CLOSED.search(text, start, end) is not None or not text[next_start].islower()
        alone[number] = full or not ended
    return alone


def ended(line: str) -> bool:
    """Tell whether `line` ends as a sentence does, closing quotes and Markdown marks aside.

    >>> ended('"Escroc."'), ended("他走了。**"), ended("Comments (0)"), ended("He said:")
    (True, True, False, True)
    """
    return _CLOSED.search(line) is not None
