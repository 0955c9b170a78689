"""Books (EPUB): a ZIP of XHTML, whose package says what the book is and in which order it is read."""

import io
import posixpath
import zipfile
from urllib.parse import unquote

from lxml import etree  # type: ignore[import-untyped]

from corpus.errors import DocumentError
from corpus.markup import child_text, local_name, paragraphs_of, xml
from corpus.read import MAX_BYTES, Content

_CONTAINER = "META-INF/container.xml"
_MARKUP = ("application/xhtml+xml", "text/html")


def book(data: bytes) -> Content:
    """Return the chapters of a book in the order of reading. Raises DocumentError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(part.file_size for part in archive.infolist()) > 10 * MAX_BYTES:
                raise DocumentError(f"unpacks to more than {10 * MAX_BYTES:,} bytes; split it")
            return _read(archive)
    except (zipfile.BadZipFile, KeyError, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
        raise DocumentError(f"is a damaged EPUB file: {error}") from error


def _read(archive: zipfile.ZipFile) -> Content:
    place = next((e.get("full-path") for e in _all(xml(archive.read(_CONTAINER), "EPUB"), "rootfile")), None)
    package = xml(archive.read(place or ""), "EPUB")
    items = {item.get("id"): item for item in _all(package, "item")}
    chapters = []
    for reference in _all(package, "itemref"):
        item = items.get(reference.get("idref"))
        if item is None or item.get("media-type") not in _MARKUP or reference.get("linear") == "no":
            continue
        name = posixpath.normpath(posixpath.join(posixpath.dirname(place or ""), unquote(item.get("href", ""))))
        chapters.append(paragraphs_of(archive.read(name)))
    about = next(iter(_all(package, "metadata")), package)
    facts = {
        "title": child_text(about, "title"),
        "author": child_text(about, "creator"),
        "publisher": child_text(about, "publisher"),
        "date": child_text(about, "date")[:10],
    }
    return Content("\n\n".join(filter(None, chapters)), {key: value for key, value in facts.items() if value})


def _all(root: etree._Element, name: str) -> list[etree._Element]:
    return [element for element in root.iter() if local_name(element) == name]
