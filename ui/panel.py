"""The source beside the conversation: a whole document with the cited words marked, and the list of all."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise

from corpus import Document, Segment
from corpus.language import guesses
from index import Outcome
from ui.archive import Kept
from ui.describe import byline, day_words, escape, language, language_name, named, number, title, web_address
from ui.reasons import is_reason, reason_words
from ui.texts import say, spoken

Span = tuple[int, int]
_STROKE = 5  # days: how wide one is drawn in its year
SHOWN = 120_000  # characters of a document in one panel; a browser lays this much out without a visible wait


def source_html(
    document: Document, start: int, end: int, others: Sequence[Span] = (), shown: int = SHOWN
) -> str:
    """A document with `start` to `end` in one `<mark>`, other cited spans marked faintly and noise dimmed.

    A document of more than `shown` characters is shown in a window around the marked words. An empty
    span marks nothing.
    """
    first, last = _window(document, start, end, shown)
    body = _body(document, (start, end), others, (first, last))
    return f"{_head(document)}{_notes(document, first, last)}{body}"


def shelf_html(documents: Iterable[Document], aside: Sequence[Outcome] | None = None) -> str:
    """All documents that are searched, each a button that opens it.

    With `aside`, the files that are none, they are shown too; files can be added then, and all be removed.
    """
    changing = aside is not None
    items = "".join(
        f'<li><button type="button" class="volume" data-document="{escape(d.id)}">'
        f"{named(d)}<small>{escape(byline(d))}</small></button>{_remove(d.id, title(d), changing)}</li>"
        for d in documents
    )
    others = "".join(
        f'<li><p class="volume"><bdi>{escape(o.id)}</bdi><small>{escape(_reason(o))}</small></p>'
        f"{_remove(o.id, o.id, changing)}</li>"
        for o in aside or ()
    )
    heading = f"<li><h3>{escape(say('aside'))}</h3></li>" if others else ""
    return (
        f"<header><div><h2>{escape(say('shelf'))}</h2>{_adding() if changing else ''}</div>{closing()}</header>"
        f'<ul class="volumes">{items}{heading}{others}</ul>'
    )


def _adding() -> str:
    """What adds files and pasted text; what becomes of them is told in the line below."""
    paste = escape(say("paste"))
    return (
        f'<div class="adding"><label class="plain"><input type="file" multiple data-do="files">'
        f"{escape(say('add'))}</label> "
        f'<button type="button" class="plain" data-do="paste" aria-expanded="false">{paste}</button> '
        f"<small>{escape(say('drop'))}</small></div>"
        f'<form class="pasting" hidden><textarea rows="6" dir="auto" aria-label="{paste}"></textarea>'
        f'<button type="submit" class="plain">{escape(say("keep"))}</button></form>'
        f'<p class="told" role="status" data-undo="{escape(say("undo"))}"></p>'
    )


def _remove(name: str, shown: str, changing: bool) -> str:
    label = f"{say('remove')}: {shown}"
    return (
        f'<button type="button" class="remove" data-remove="{escape(name)}" title="{escape(say("remove"))}" '
        f'aria-label="{escape(label)}">×</button>'
        if changing
        else ""
    )


def _reason(outcome: Outcome) -> str:
    return say("repeats", of=outcome.detail) if outcome.outcome == "duplicate" else reason_words(outcome.detail)


def talks_html(talks: Sequence[Kept], deleted: Kept | None = None, problem: str = "") -> str:
    """The conversations that are kept, to be found, gone on with, renamed, deleted; what was `deleted` last."""
    items = "".join(map(_talk, talks))
    undo = (
        f'{escape(say("removed", names=deleted.title))} <button type="button" class="plain" data-restore='
        f'"{escape(deleted.id)}">{escape(say("undo"))}</button>'
        if deleted
        else ""
    )
    line = undo or escape(problem or ("" if talks else say("none")))
    find = escape(say("find"))
    return (
        f"<header><div><h2>{escape(say('talks'))}</h2>"
        f'<input type="search" data-do="find" placeholder="{find}" aria-label="{find}">'
        f'<p class="told" role="status">{line}</p></div>{closing()}</header><ul class="volumes">{items}</ul>'
    )


def _talk(kept: Kept) -> str:
    day = datetime.fromtimestamp(kept.changed).date().isoformat()
    # Each word once: what is searched for is looked up word by word, and a long conversation repeats most.
    said = dict.fromkeys(" ".join((kept.title, *kept.said)).lower().split())
    name, words = escape(kept.id), escape(" ".join(said))
    return (
        f'<li data-said="{words}"><button type="button" class="volume" data-talk="{name}">'
        f"<bdi>{escape(kept.title)}</bdi><small>{escape(day_words(day))}</small></button>"
        f'<button type="button" class="rename" data-rename="{name}" title="{escape(say("rename"))}" '
        f'aria-label="{escape(say("rename"))}: {escape(kept.title)}">✎</button>'
        f'<button type="button" class="remove" data-delete="{name}" title="{escape(say("remove"))}" '
        f'aria-label="{escape(say("remove"))}: {escape(kept.title)}">×</button></li>'
    )


def closing() -> str:
    """The button that closes a panel."""
    return f'<button type="button" class="close" aria-label="{escape(say("close"))}">×</button>'


def _head(document: Document) -> str:
    address = web_address(document)
    author = f"<small>{escape(say('by', author=document.author))}</small>" if document.author.strip() else ""
    link = (
        f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">{escape(say("original"))}</a>'
        if address
        else ""
    )
    return (
        f'<header><div><h2 dir="auto" lang="{escape(language(document))}">{escape(title(document))}</h2>'
        f"<p><small>{escape(byline(document))}</small>{author}{link}</p></div>{closing()}</header>"
    )


def _notes(document: Document, first: int, last: int) -> str:
    lines = []
    published = document.published
    if published.uncertain:
        words = say("read_from", words=published.words.strip()) if published.words.strip() else ""
        lines.append(f"{escape(words)} {_note(published.note)}".strip())
    if (first, last) != (0, len(document.text)):
        place = {"first": number(first + 1), "last": number(last), "count": number(len(document.text))}
        lines.append(escape(say("window", **place)))
    if any(
        segment.kind == "noise" and segment.start < last and segment.end > first
        for segment in document.segments
    ):
        lines.append(escape(say("noise")))
    return f'<div class="notes">{"".join(f"<p>{line}</p>" for line in lines if line)}</div>'


def _note(note: str) -> str:
    """Why a date is in doubt: as the interface speaks, or as it was written, with the language of that."""
    if is_reason(note):
        words = reason_words(note)
        return escape(words[:1].upper() + words[1:])
    code = next(
        iter(guesses(note.encode(errors="ignore").decode())), "und"
    )  # half a surrogate pair is no letter
    named = f" ({escape(language_name(code))})" if code not in ("und", spoken()) else ""
    return f'<bdi lang="{escape(code)}">{escape(note)}</bdi>{named}'


def _window(document: Document, start: int, end: int, shown: int) -> Span:
    size = len(document.text)
    if size <= shown:
        return 0, size
    around = max(0, (shown - (end - start)) // 2)
    first = max(0, min(start - around, size - shown))
    return first, min(size, max(first + shown, end))


def _body(document: Document, cited: Span, others: Sequence[Span], window: Span) -> str:
    first, last = window
    start, end = (min(max(place, first), last) for place in cited)
    segments = document.segments or (Segment(0, len(document.text), "und", "article"),)
    pieces = [_pieces(document, segments, others, first, start)]
    if start < end:
        inside = _pieces(document, segments, others, start, end)
        pieces.append(f'<mark id="cited" class="cited" tabindex="-1">{inside}</mark>')
    pieces.append(_pieces(document, segments, others, end, last))
    # No white space between the tags: the text of this element is the text of the document.
    return f'<div class="document" dir="auto" tabindex="0">{"".join(pieces)}</div>'


def _pieces(
    document: Document, segments: Sequence[Segment], others: Sequence[Span], start: int, end: int
) -> str:
    """Cut `start` to `end` wherever a segment or another cited span begins or ends."""
    edges = {start, end}
    edges.update(edge for segment in segments for edge in (segment.start, segment.end) if start < edge < end)
    edges.update(edge for span in others for edge in span if start < edge < end)
    cuts = sorted(edges)
    starts = [segment.start for segment in segments]
    return "".join(
        _piece(
            document.text[a:b],
            segments[max(0, bisect_right(starts, a) - 1)],
            any(s < b and e > a for s, e in others),
        )
        for a, b in pairwise(cuts)
    )


def _piece(text: str, segment: Segment, also_cited: bool) -> str:
    inner = f'<mark class="other">{escape(text)}</mark>' if also_cited else escape(text)
    reason = (
        f' title="{escape(say("left_out", reason=reason_words(segment.reason)))}"' if segment.reason else ""
    )
    return f'<span class="{segment.kind}" lang="{escape(segment.language)}"{reason}>{inner}</span>'
