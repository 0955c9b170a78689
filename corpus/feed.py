"""Feeds (RSS, Atom), saved as a file: one document, in which each entry has its heading and its day."""

from contextlib import suppress
from email.utils import parsedate_to_datetime

from lxml import etree  # type: ignore[import-untyped]

from corpus.dates import dates
from corpus.errors import DocumentError
from corpus.markup import child_markup, child_text, local_name, paragraphs_of, xml
from corpus.read import Content

_ROOTS = {"rss", "feed", "RDF"}
_ENTRIES = {"item", "entry"}


def feed(data: bytes) -> Content:
    """Return the entries of a feed in its order.

    The document has a date only where all entries are of one day. Raises DocumentError.
    """
    root = xml(data, "XML")
    if local_name(root) not in _ROOTS:
        raise DocumentError("is XML, but no feed (RSS or Atom); save what it holds as text")
    entries = [element for element in root.iter() if local_name(element) in _ENTRIES]
    if not entries:
        raise DocumentError("is a feed without entries")
    days = {_day(entry) for entry in entries}
    head = next((element for element in root if local_name(element) == "channel"), root)
    facts = {
        "title": child_text(head, "title"),
        "publisher": child_text(head, "title"),
        "url": _link(head),
        "date": days.pop() if len(days) == 1 else "",
    }
    text = "\n\n".join(filter(None, map(_entry, entries)))
    return Content(text, {key: value for key, value in facts.items() if value})


def _entry(entry: etree._Element) -> str:
    title = child_text(entry, "title")
    said = child_markup(entry, "encoded", "content", "description", "summary")
    words = paragraphs_of(f"<div>{said}</div>") if said else ""
    heading = " ".join(paragraphs_of(f"<div>{title}</div>").split()) if title else ""
    return "\n\n".join(part for part in (f"# {heading}" if heading else "", _day(entry), words) if part)


def _day(entry: etree._Element) -> str:
    """The day of an entry as ISO has it, "" where none is told."""
    told = child_text(entry, "pubDate", "published", "issued", "date", "updated")
    with suppress(ValueError, TypeError, IndexError):
        return parsedate_to_datetime(told).date().isoformat()
    found = dates(told[:10])
    return found[0].value if found and len(found[0].value) == 10 else ""


def _link(head: etree._Element) -> str:
    for element in head:
        if local_name(element) == "link" and element.get("rel", "alternate") == "alternate":
            return (element.get("href") or element.text or "").strip()
    return ""
