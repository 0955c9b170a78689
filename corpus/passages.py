"""From sentences to passages: what is embedded, found and shown."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from corpus.document import Document, Passage, Sentence
from corpus.sentences import sentences

SENTENCES = 3
CHARACTERS = 600
OVERLAP = 1


def passages(document: Document, size: int = SENTENCES, characters: int = CHARACTERS) -> list[Passage]:
    """Return windows of `size` neighbouring sentences of one segment, at most about `characters` long.

    Each window begins with the last sentence of the one before, so that no two neighbours are torn apart
    everywhere; a sentence that is longer than `characters` is a passage alone.
    """
    found, heading = [], ""
    spoken = sentences(document)
    starts = [sentence.start for sentence in spoken]
    for segment in document.segments:
        if segment.kind == "heading":
            heading = plain(document.text[segment.start : segment.end])
        elif segment.kind == "article":
            inside = spoken[bisect_left(starts, segment.start) : bisect_left(starts, segment.end)]
            found += windows(inside, heading, size, characters)
    return found


def windows(
    inside: Sequence[Sentence], heading: str = "", size: int = SENTENCES, characters: int = CHARACTERS
) -> list[Passage]:
    """Return the passages of neighbouring sentences: the windows of `passages`."""
    return [Passage(window[0].document, window, heading) for window in _windows(inside, size, characters)]


def _windows(inside: Sequence[Sentence], size: int, characters: int) -> Iterator[tuple[Sentence, ...]]:
    first = 0
    while first < len(inside):
        last = first + 1
        while (
            last < len(inside) and last - first < size and inside[last].end - inside[first].start <= characters
        ):
            last += 1
        yield tuple(inside[first:last])
        if last == len(inside):
            return
        first = max(first + 1, last - OVERLAP)


def plain(heading: str) -> str:
    """Return a heading as one line without Markdown marks.

    >>> plain("## **Background:**"), plain("**背景**：")
    ('Background', '背景')
    """
    line = " ".join(heading.replace("*", "").replace("_", " ").strip().lstrip("#").split())
    return line.rstrip(":： ")


def described(passage: Passage) -> str:
    """Return the text that is embedded for a passage: title, heading and its own text, one per line."""
    return "\n".join(part for part in (passage.document.title, passage.heading, passage.text) if part)
