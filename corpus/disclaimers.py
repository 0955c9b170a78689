"""Paragraphs in which a site speaks about its own earnings, not about the subject."""

import re

from corpus.paragraphs import Paragraph
from corpus.words import DISCLAIMER, DISCLAIMER_ABOUT, WE, WE_ENDINGS, Words

_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_WORD = re.compile(r"[^\W\d_]+")
_EDGE = 6
_CUES = 2  # besides affiliation


def disclaimers(text: str, found: list[Paragraph]) -> list[Paragraph]:
    """Mark affiliate disclaimers near the head or the end of the document, and their headings."""
    edges = {n for n in range(len(found)) if n < _EDGE or n >= len(found) - _EDGE}
    marks = {
        n for n in edges if found[n].kind == "article" and is_disclaimer(text[found[n].start : found[n].end])
    }
    marks |= {
        n
        for n, p in enumerate(found)
        if p.kind == "article" and _is_heading(text[p.start : p.end]) and {n - 1, n + 1} & marks
    }
    return [p.noise("disclaimer") if n in marks else p for n, p in enumerate(found)]


def is_disclaimer(paragraph: str) -> bool:
    """Tell whether `paragraph` says, in the first person plural, how a site earns with affiliate links.

    >>> is_disclaimer("Our articles may contain affiliate links, for which we may earn a commission.")
    True
    >>> is_disclaimer("Amazon cut the commission that bloggers earn with affiliate links.")
    False
    """
    folded = paragraph.casefold()
    words = _WORD.findall(folded)
    about = {about for about, beginnings in DISCLAIMER_ABOUT.items() if _speaks_of(folded, words, beginnings)}
    # Scripts without spaces have no whole words.
    glued = any(word in folded for word in WE if _HAN.search(word) or " " in word)
    ours = glued or not set(words).isdisjoint(WE) or any(word.endswith(WE_ENDINGS) for word in words)
    return ours and "affiliation" in about and len(about) > _CUES


def _speaks_of(folded: str, words: list[str], beginnings: Words) -> bool:
    glued = any(beginning in folded for beginning in beginnings if _HAN.search(beginning) or " " in beginning)
    return glued or any(word.startswith(beginnings) for word in words)


def _is_heading(line: str) -> bool:
    return line.strip("#*_:： .").casefold() in DISCLAIMER
