"""Where the sentences of a document stand, in characters of its text."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from corpus.boundaries import WIDE, Span, boundaries, outside, quotations
from corpus.document import Document, Segment, Sentence
from corpus.paragraphs import paragraphs

# A quotation stays in one piece with the words that say whose it is, up to this length.
QUOTATION = 350
# What is longer reads like no sentence, and an embedder would cut it off.
LONGEST = 800
_TAIL = 30

_QUOTE_MARKS = "\"“„«‹「『‘'»”"
_CLOSED = re.compile(r"[”\"»」』“]\s*$")
_LEADING = re.compile(r"(?:[\s*_#>]|[-+•]\s)+")
_TRAILING = re.compile(r"[\s*_]+$")


def sentences(document: Document) -> list[Sentence]:
    """Return the sentences of the article of `document`, in order.

    White space and Markdown marks at their ends are no part of them; else every character of the article
    is in one.
    """
    return [
        Sentence(document, start + first, start + last, segment.language)
        for segment, parts in articles(document)
        for start, end in _flows(document.text, parts)
        for first, last in split(document.text[start:end], segment.language)
    ]


def articles(document: Document) -> Iterator[tuple[Segment, list[Span]]]:
    """Yield each article segment with start and end of its paragraphs."""
    parts = paragraphs(document.text)
    starts, ends = [p.start for p in parts], [p.end for p in parts]
    for segment in document.segments:
        if segment.kind == "article":
            inside = parts[bisect_right(ends, segment.start) : bisect_left(starts, segment.end)]
            yield segment, [(max(p.start, segment.start), min(p.end, segment.end)) for p in inside]


def _flows(text: str, parts: Sequence[Span]) -> list[Span]:
    """Join a paragraph that ends with a colon to the quotation that begins the next one."""
    flows: list[Span] = []
    for start, end in parts:
        announced = flows and text[flows[-1][1] - 1] in ":：" and text[start] in _QUOTE_MARKS
        if announced:
            flows[-1] = (flows[-1][0], end)
        else:
            flows.append((start, end))
    return flows


def split(text: str, language: str, quotation: int = QUOTATION) -> list[Span]:
    """Return start and end of each sentence of one paragraph.

    A quotation is not cut while its whole sentence has at most `quotation` characters.

    >>> text = "Am 9. Februar kam er. „Ja. Nein“, sagte sie."
    >>> [text[start:end] for start, end in split(text, "de")]
    ['Am 9. Februar kam er.', '„Ja. Nein“, sagte sie.']
    """
    ends, quoted = boundaries(text, language), quotations(text)
    spans: list[Span] = []
    for start, end in _cut(0, len(text), outside(ends, quoted)):
        spans += _cut(start, end, ends) if _width(text[start:end]) > quotation else [(start, end)]
    pieces = (piece for span in _with_tails(text, spans) for piece in _bounded(text, *span))
    trimmed = (_trim(text, *piece) for piece in pieces)
    return [(start, end) for start, end in trimmed if start < end]


def _cut(start: int, end: int, ends: Sequence[int]) -> list[Span]:
    borders = [start, *ends[bisect_right(ends, start) : bisect_left(ends, end)], end]
    return list(pairwise(borders))


def _with_tails(text: str, spans: Sequence[Span]) -> list[Span]:
    """Join to a quotation the few words after it, which say whose it is."""
    joined: list[Span] = []
    for start, end in spans:
        rest = text[start:end].strip()
        if (
            joined
            and _CLOSED.search(text[max(0, start - 5) : start])
            and _width(rest) <= _TAIL
            and rest[:1] not in _QUOTE_MARKS
        ):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _width(text: str) -> float:
    """Return the length of `text` in letters, where a Chinese sign counts as two and a half."""
    return len(text) + 1.5 * len(WIDE.findall(text))


def _bounded(text: str, start: int, end: int) -> Iterator[Span]:
    """Cut what is too long for a sentence behind a comma, else behind a word, else where it must be."""
    while end - start > LONGEST:
        window = text[start : start + LONGEST]
        comma = max(window.rfind(mark) for mark in (";", ", ", "；", "，", "\n")) + 1
        word = window.rfind(" ") + 1
        cut = next((at for at in (comma, word) if at > LONGEST // 2), LONGEST)
        yield start, start + cut
        start += cut
    yield start, end


def _trim(text: str, start: int, end: int) -> Span:
    leading = _LEADING.match(text, start, end)
    begin = leading.end() if leading else start
    trailing = _TRAILING.search(text[begin:end])
    return begin, begin + trailing.start() if trailing else end
