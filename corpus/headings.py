"""Which lines head the text below them."""

import re
from dataclasses import replace

from corpus.paragraphs import Paragraph, ended

_MARKED = re.compile(r"#{1,6}\s+\S.*")
_BOLD = re.compile(r"(\*\*|__)(?P<inside>[^*_]+)\1\s*(?P<colon>[:：]?)")
_NO_HEADING = re.compile(r"[-*+•–—>|\"“„«‹「『‘'…(]|\d+[.)]\s")
_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_QUESTION = re.compile(r"[^.!。！]+[?？]")
_LONGEST, _LONGEST_HAN = 120, 45
_HEADS = 3


def headings(text: str, found: list[Paragraph]) -> list[Paragraph]:
    """Mark headings: marked ones (Markdown, bold lines), and plain lines without a stop above prose.

    More than three plain lines in a row are a list or a poem, and stay what they are.
    """
    done = [_marked(text[p.start : p.end], p) for p in found]
    below = _below(done)
    n = 0
    while n < len(done):
        run = n
        while (
            run < len(done) and done[run].kind == "article" and _is_plain(text[done[run].start : done[run].end])
        ):
            run += 1
        if 0 < run - n <= _HEADS and _may_begin(text, done, n) and _heads(text, done[run - 1], below[run - 1]):
            done[n:run] = [replace(p, kind="heading") for p in done[n:run]]
        n = max(run, n + 1)
    return _questions(text, done)


def _marked(line: str, p: Paragraph) -> Paragraph:
    bold = _BOLD.fullmatch(line)
    named = (
        bold
        and len(line) <= _LONGEST
        and (bold["colon"] or not re.search(r"[.。!！]$", bold["inside"].strip()))
    )
    return replace(p, kind="heading") if p.kind == "article" and (named or _MARKED.fullmatch(line)) else p


def _is_plain(line: str) -> bool:
    short = len(line) <= _LONGEST and len(line.split()) <= 18 and len(_HAN.findall(line)) <= _LONGEST_HAN
    return (
        short
        and not ended(line)
        and not line.endswith((",", "，", "、", "-", "|"))
        and line[0] == line[0].upper()
        and not _NO_HEADING.match(line)
    )


def _may_begin(text: str, found: list[Paragraph], n: int) -> bool:
    """Tell whether the paragraph above `n` is complete: a heading begins nothing that was announced."""
    if n == 0 or found[n - 1].kind != "article":
        return True
    above = text[found[n - 1].start : found[n - 1].end]
    return ended(above) and not above.endswith((":", "：", ";", "；"))


def _heads(text: str, p: Paragraph, below: Paragraph | None) -> bool:
    """Tell whether prose follows `p`: a paragraph with a stop that is longer, or another heading."""
    if below is None:
        return False
    line = text[below.start : below.end]
    return below.kind == "heading" or (ended(line) and len(line) > p.end - p.start)


def _below(found: list[Paragraph]) -> list[Paragraph | None]:
    """Return for each paragraph the next one that is no noise."""
    following: list[Paragraph | None] = []
    last: Paragraph | None = None
    for p in reversed(found):
        following.append(last)
        last = p if p.kind != "noise" else last
    return following[::-1]


def _questions(text: str, found: list[Paragraph]) -> list[Paragraph]:
    """Mark a question on a line of its own above a paragraph several times as long."""
    marks = set()
    for n, (p, below) in enumerate(zip(found, _below(found), strict=True)):
        length = p.end - p.start
        if p.kind != "article" or below is None or length > _LONGEST or not _may_begin(text, found, n):
            continue
        line = text[p.start : p.end]
        above = found[n - 1] if n and found[n - 1].kind == "article" else None
        between = above is None or above.end - above.start >= 2 * length
        long = below.kind == "article" and below.end - below.start >= 2 * length
        if between and long and _QUESTION.fullmatch(line) and not _NO_HEADING.match(line):
            marks.add(n)
    return [replace(p, kind="heading") if n in marks else p for n, p in enumerate(found)]
