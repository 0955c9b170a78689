"""Text that several documents share: the first document keeps it."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b

from corpus.document import Document, Segment
from corpus.repeats import Unit, units
from corpus.sentences import articles

# A document is a copy if this share of its article stands word for word in one document before it.
COPIED = 0.8
# A paragraph is boilerplate if so many documents begin or end with it; shorter ones are greetings.
_DOCUMENTS, _SHORTEST, _EDGE = 3, 80, 2
# So many earlier documents of a sentence are remembered: one that stands everywhere tells no original.
OWNERS = 50


def leave_out_copies(documents: Iterable[Document]) -> tuple[Document, ...]:
    """Return `documents` by id, with the sentences marked that an earlier one has, as noise that names it.

    Two kinds of sentences are: those of a copy, where four fifths of the article stand in one earlier
    document, and those of paragraphs with which three documents or more begin or end. Sentences that differ
    are kept, and a translation is no copy. Give it documents as they were loaded, not its own results.
    """
    ordered = sorted(documents, key=lambda document: document.id)
    said = [_said(document) for document in ordered]
    boilerplate = _boilerplate(ordered, said)
    keys = [{unit.key for part in parts for unit in part} for parts in said]
    owners: dict[str, list[int]] = defaultdict(list)
    done = []
    for number, (document, parts) in enumerate(zip(ordered, said, strict=True)):
        inside = [unit for part in parts for unit in part]
        original = _original(inside, owners, keys)
        edges = {unit.start for part in (*parts[:_EDGE], *parts[-_EDGE:]) for unit in part}
        marks = {}
        for unit in inside:
            if original is not None and unit.key in keys[original]:
                marks[unit.start] = f"repeats {ordered[original].id}"
            elif boilerplate.get(unit.key, number) < number and unit.start in edges:
                marks[unit.start] = (
                    f"stands at the edge of several documents, first of {ordered[boilerplate[unit.key]].id}"
                )
        done.append(_marked(document, inside, marks) if marks else document)
        for key in keys[number]:
            if len(owners[key]) < OWNERS:
                owners[key].append(number)
    return tuple(done)


def said(document: Document) -> set[int]:
    """Return the sentences of the article as numbers of 64 bits: documents that share none are no copies.

    They are what `leave_out_copies` compares: a document's marks depend only on those that share one.
    """
    keys = {unit.key for part in _said(document) for unit in part}
    return {
        int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "little", signed=True) for key in keys
    }


def _said(document: Document) -> list[list[Unit]]:
    """Return the sentences of the article, by paragraph."""
    return [units(document.text, *part) for _, parts in articles(document) for part in parts]


def _original(inside: Sequence[Unit], owners: Mapping[str, list[int]], keys: Sequence[set[str]]) -> int | None:
    """Return the earlier document of which these sentences are a copy, if there is one.

    Who shares four fifths of them shares some of the rarest fifth. So only these lead to others, whose `keys`
    say what else is shared: a sentence that stands everywhere is not asked, unless nearly all of them do.
    """
    length = left = sum(len(unit.key) for unit in inside)
    near: set[int] = set()
    for unit in sorted(inside, key=lambda unit: len(owners.get(unit.key, ()))):
        if left < COPIED * length:
            break
        near.update(owners.get(unit.key, ()))
        left -= len(unit.key)
    shared = {owner: sum(len(unit.key) for unit in inside if unit.key in keys[owner]) for owner in sorted(near)}
    best = max(shared, key=shared.__getitem__, default=None)
    return best if best is not None and shared[best] >= COPIED * length else None


def _boilerplate(ordered: Sequence[Document], said: Sequence[list[list[Unit]]]) -> dict[str, int]:
    """Return the sentences with which several documents begin or end, and the first that does."""
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number in range(len(ordered)):
        parts = said[number]
        for part in {tuple(unit.key for unit in part) for part in (*parts[:_EDGE], *parts[-_EDGE:])}:
            if sum(map(len, part)) >= _SHORTEST:
                holders[part].append(number)
    often = {part: numbers for part, numbers in holders.items() if len(numbers) >= _DOCUMENTS}
    return {sentence: numbers[0] for part, numbers in often.items() for sentence in part}


def _marked(document: Document, inside: Sequence[Unit], marks: Mapping[int, str]) -> Document:
    """Cut the article where its sentences begin or cease to be marked."""
    segments: list[Segment] = []
    places = [unit.start for unit in inside]
    for segment in document.segments:
        held = inside[bisect_left(places, segment.start) : bisect_left(places, segment.end)]
        if segment.kind != "article" or not any(unit.start in marks for unit in held):
            segments.append(segment)
            continue
        starts = [segment.start, *(unit.start for unit in held[1:]), segment.end]
        for unit, start, end in zip(held, starts, starts[1:], strict=False):
            reason = marks.get(unit.start, "")
            last = segments[-1] if start > segment.start else None
            if last and last.reason == reason:
                segments[-1] = replace(last, end=end)
            else:
                segments.append(Segment(start, end, segment.language, "noise" if reason else "article", reason))
    return replace(document, segments=tuple(segments))
