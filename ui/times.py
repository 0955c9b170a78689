"""The timeline beside the conversation: what happened when, according to which document, page by page."""

from collections.abc import Mapping
from datetime import date

from corpus import Sentence
from rag.timeline import Event
from ui.describe import byline, day_words, escape, language_name, number, title
from ui.folder import Shelf
from ui.panel import closing
from ui.texts import say

PAGE = 200  # entries that are shown at once: a browser lays them out without a visible wait
_STROKE = 5  # days: how wide one is drawn in its year


def times_html(shelf: Shelf, document: str = "", language: str = "", first: int = 0) -> str:
    """A page of what happened when, from entry `first`: of one document or language, or of all.

    Each is a button that opens the sentence that names the time; what tells it otherwise stands below.
    """
    events = shelf.events()
    documents = {event.sentence.document.id: event.sentence.document for event in events}
    sources = {name: f"{title(d)} · {byline(d)}" for name, d in documents.items()}
    languages = {code: language_name(code) for code in {event.sentence.language for event in events}}
    chosen = [
        event
        for event in events
        if document in ("", event.sentence.document.id) and language in ("", event.sentence.language)
    ]
    first = min(max(first, 0), len(chosen) - 1) // PAGE * PAGE if chosen else 0
    years: dict[int, int] = {}
    for place, event in enumerate(chosen) if len(chosen) > PAGE else ():
        years.setdefault(event.first.year, place)
    only = (
        _only("document", say("everything"), sources, document)
        + _only("language", say("anylanguage"), languages, language)
        + _only("first", say("everytime"), {str(place): str(year) for year, place in years.items()}, "")
    )
    shown = shelf.disputed(chosen[first : first + PAGE])
    earlier, later = (
        f'<li><button type="button" class="plain" data-first="{place}">{escape(say(words))}</button></li>'
        if 0 <= place < len(chosen)
        else ""
        for words, place in (("earlier", first - PAGE), ("later", first + PAGE))
    )
    return (
        f"<header><div><h2>{escape(say('timeline'))}</h2>"
        f'<p role="status">{escape(_how_many(len(chosen), first))}</p>{only}</div>{closing()}</header>'
        f'<ul class="volumes">{earlier}{"".join(map(_event, shown))}{later}</ul>'
    )


def _how_many(count: int, first: int) -> str:
    if not count:
        return say("dateless")
    words = say("entries", count=count, shown=number(count))
    last = min(first + PAGE, count)
    return words if count <= PAGE else say("most", first=number(first + 1), last=number(last), all=words)


def _only(by: str, everything: str, choices: Mapping[str, str], chosen: str) -> str:
    """A choice of what is shown, sent as `data-by`; nothing where there is nothing to choose."""
    if len(choices) < 2:
        return ""
    options = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(label)}</option>'
        for value, label in sorted(choices.items(), key=lambda choice: choice[1])
    )
    return (
        f'<select data-do="only" data-by="{by}" aria-label="{escape(say("only"))}: {escape(everything)}">'
        f'<option value="">{escape(everything)}</option>{options}</select>'
    )


def _event(event: Event) -> str:
    said = event.sentence
    when = (
        f'<span class="when"><time datetime="{event.value}">{escape(_when(event))}</time>{_year(event)}</span>'
    )
    versions = "".join(map(_told, event.otherwise))
    otherwise = f'<p class="otherwise">{escape(say("otherwise"))}</p>{versions}' if versions else ""
    return f"<li>{_told(said, when)}{otherwise}</li>"


def _told(said: Sentence, when: str = "") -> str:
    return (
        f'<button type="button" class="volume" '
        f'data-document="{escape(said.document.id)}" data-start="{said.start}" data-end="{said.end}">'
        f'{when}<bdi lang="{escape(said.language)}">{escape(said.text)}</bdi>'
        f"<small>{escape(byline(said.document, said.language))}</small></button>"
    )


def _year(event: Event) -> str:
    """The time drawn within its year: a day as a stroke, what is less certain as far as it may reach."""
    last = date.fromisoformat(event.until) if event.until else event.last
    begin = event.first.timetuple().tm_yday - 1
    width = max((last - event.first).days + 1, _STROKE)
    kind = ' class="open"' if event.assumed or event.first != last else ""
    return (
        f'<svg viewBox="0 0 {366 + _STROKE} 10" aria-hidden="true" preserveAspectRatio="none">'
        f'<path d="M0 5H{366 + _STROKE}"/><rect{kind} x="{begin}" y="1" width="{width}" height="8"/></svg>'
    )


def _when(event: Event) -> str:
    words = day_words(event.value)
    if event.assumed:
        return say("assumed", date=words)
    return say("several", first=words, last=day_words(event.until)) if event.until else words
