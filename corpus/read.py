"""From the bytes of one file to its text. Nothing here knows what a document is about.

`extract` is a function of bytes alone, so that it can run in a process that may be killed.
"""

import io
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from corpus.encodings import undisputed
from corpus.errors import DocumentError

MAX_BYTES = 20_000_000
MAX_CHARACTERS = 5_000_000

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_SAVED_FROM = re.compile(rb"<!--\s*saved from url=\(\d+\)(https?://[^\s<>]+)\s*-->")


@dataclass(frozen=True, slots=True)
class Content:
    """The text of a file, and what its format says about it: title, author, date, url, publisher."""

    text: str
    properties: dict[str, str] = field(default_factory=dict)


def read_bytes(folder: Path, name: str, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of the file `name` below `folder`.

    Raises DocumentError for what is no regular file inside the folder, is empty or exceeds `max_bytes`.
    """
    with opened(folder, name) as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes:
            raise DocumentError(f"is too large: {size:,} bytes, the limit is {max_bytes:,}; split it")
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise DocumentError(f"grew beyond {max_bytes:,} bytes while it was read")
    if not data.strip():
        raise DocumentError("is empty")
    return data


@contextmanager
def opened(folder: Path, name: str) -> Iterator[BinaryIO]:
    """Open the file `name` below `folder` to be read.

    Raises DocumentError for what is no regular file inside the folder, and for the system's errors meanwhile.
    """
    path = folder / name
    try:
        if not path.resolve(strict=True).is_relative_to(folder.resolve()):
            raise DocumentError("is a link that leaves the documents folder; put a copy there instead")
        if path.is_dir():
            raise DocumentError("is a link to a folder, which is not followed; put a copy there instead")
        # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise DocumentError("is not a regular file")
            yield file
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, until Python 3.13
        raise DocumentError(f"can't be read: {getattr(error, 'strerror', None) or error}") from error


def decode(data: bytes) -> str:
    """Return the text of plain bytes, every character and newline as it is; a byte order mark is no text.

    Raises DocumentError for binary data and for an encoding that can't be told with confidence.

    >>> decode("Ça va".encode("utf-16")), decode(b"a\\r\\nb")
    ('Ça va', 'a\\r\\nb')
    """
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise DocumentError(f"is damaged: it starts as {encoding} but is not ({error.reason})") from error
        found = None if b"\0" in data else undisputed(data)
        if found is None:
            raise DocumentError(
                "has an encoding that can't be told with confidence; save it as UTF-8"
            ) from error
        text = found
    if "\0" in text:
        raise DocumentError("has NUL characters, so it is not plain text; save it as UTF-8")
    if 50 * sum(1 for c in text if c < " " and c not in "\t\n\r\f") > len(text):
        raise DocumentError("looks binary: too many control characters for plain text")
    return text


def extract(suffix: str, data: bytes) -> Content:
    """Return the text in `data`, by the file's `suffix` (lower case, with its dot).

    Markdown and plain text come as they are; of the other formats the text is what a library reads out.
    Raises DocumentError for a suffix that is not known, for damage and where there is no text.
    """
    reader = _READERS.get(suffix)
    if reader is None:
        known = ", ".join(sorted(_READERS))
        raise DocumentError(f"has a format that can't be read ({suffix or 'no suffix'}); known are {known}")
    read = reader(data)
    content = Content(sound(read.text), {name: sound(value) for name, value in read.properties.items()})
    if not content.text.strip():
        raise DocumentError("holds no text; a scan needs text recognition (OCR) first")
    if len(content.text) > MAX_CHARACTERS:
        raise DocumentError(f"holds more than {MAX_CHARACTERS:,} characters; split it")
    return content


def sound(text: str) -> str:
    """Return a text that UTF-8 can carry: PDF, YAML and JSON may hold half a surrogate pair.

    >>> sound("\\ud83d\\ude00 \\ud800 \\0") == "\\U0001f600 \\ufffd \\ufffd"
    True
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


def _plain(data: bytes) -> Content:
    return Content(decode(data))


def html_content(data: bytes) -> Content:
    """Return the main text of a page, and what it says of itself. Raises DocumentError."""
    import trafilatura

    text = trafilatura.extract(data, output_format="markdown", include_comments=False, include_links=False)
    if text is None:
        raise DocumentError("holds no main text that could be told from its navigation")
    found = trafilatura.extract_metadata(data)
    names = {"title": "title", "author": "author", "date": "date", "url": "url", "sitename": "publisher"}
    properties = {ours: getattr(found, theirs, None) for theirs, ours in names.items()}
    if saved := _SAVED_FROM.search(data[:2000]):  # what a browser writes that saves a page
        properties["url"] = properties["url"] or saved[1].decode("ascii", "replace")
    return Content(text, {key: value for key, value in properties.items() if isinstance(value, str)})


def _pdf(data: bytes) -> Content:
    import pypdf
    from pypdf.errors import PyPdfError

    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise DocumentError("is protected by a password; save it without one")
        # A form feed keeps the page borders, where running heads and page numbers stand.
        text = "\n\f\n".join(page.extract_text() for page in reader.pages)
        properties = (
            {"title": reader.metadata.title, "author": reader.metadata.author} if reader.metadata else {}
        )
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DocumentError(f"is a damaged PDF file: {error}") from error
    return Content(text, {key: value for key, value in properties.items() if value})


def _docx(data: bytes) -> Content:
    import docx
    from docx.opc.exceptions import PackageNotFoundError
    from docx.table import Table

    try:
        if sum(part.file_size for part in zipfile.ZipFile(io.BytesIO(data)).infolist()) > 10 * MAX_BYTES:
            raise DocumentError(f"unpacks to more than {10 * MAX_BYTES:,} bytes; split it")
        document = docx.Document(io.BytesIO(data))
        blocks = []
        for block in document.iter_inner_content():
            if isinstance(block, Table):
                blocks += [" | ".join(cell.text for cell in row.cells) for row in block.rows]
            else:
                style = (block.style.name or "") if block.style else ""
                blocks.append("# " * style.startswith(("Heading", "Title")) + block.text)
        properties = {"title": document.core_properties.title, "author": document.core_properties.author}
    except (zipfile.BadZipFile, PackageNotFoundError, ValueError, KeyError, SyntaxError) as error:
        raise DocumentError(f"is a damaged DOCX file: {error}") from error
    return Content("\n\n".join(blocks), {key: value for key, value in properties.items() if value})


def _mail(data: bytes) -> Content:
    from corpus.mail import mail

    return mail(data)


def _saved_page(data: bytes) -> Content:
    from corpus.mail import saved_page

    return saved_page(data)


def _book(data: bytes) -> Content:
    from corpus.epub import book

    return book(data)


def _feed(data: bytes) -> Content:
    from corpus.feed import feed

    return feed(data)


_READERS: dict[str, Callable[[bytes], Content]] = {
    ".txt": _plain,
    ".md": _plain,
    ".html": html_content,
    ".htm": html_content,
    ".mht": _saved_page,
    ".mhtml": _saved_page,
    ".pdf": _pdf,
    ".docx": _docx,
    ".epub": _book,
    ".eml": _mail,
    ".rss": _feed,
    ".atom": _feed,
    ".xml": _feed,
}
SUFFIXES = tuple(_READERS)
