"""Files that hold many documents: JSONL, Parquet, WARC, WET. Each of their records is an item.

An item is known by its file and its `id`, or by its number there: `news.jsonl#17`. Of a record's fields `text`
becomes the document; `title`, `publisher`, `date`, `url` and `author` are taken as what is said of it. A WARC's
responses are read as the files that they are.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from corpus.errors import DocumentError
from corpus.read import MAX_BYTES, opened

FORMS = (".jsonl", ".jsonl.gz", ".parquet", ".warc", ".warc.gz", ".wet", ".wet.gz")
_SAID = ("title", "publisher", "date", "url", "author")
_TYPES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "application/pdf": ".pdf",
}
_ROWS = 256  # of a Parquet file that are in memory at a time


@dataclass(frozen=True, slots=True)
class Item:
    """A record as if it were a file: `data` in the format `suffix`, and what is `said` of it.

    With a `fault`, the reason why there is no document of it, there is no `data`.
    """

    id: str
    suffix: str = ".txt"
    data: bytes = b""
    said: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""


def holds_items(name: str) -> bool:
    """Tell whether a file of that name holds many documents."""
    return name.lower().endswith(FORMS)


def items(folder: Path, name: str) -> Iterator[Item]:
    """Read the items of the file `name` below `folder`, in its order, few at a time.

    What is wrong with a record is told by its item, what is wrong with the file by a last one with the file's
    own name: nothing is raised.
    """
    number, seen, named = 0, set[str](), set[str]()
    try:
        with opened(folder, name) as file:
            for number, item in _numbered(name.lower(), file):
                ident = f"{name}#{item.id or number}"
                if item.id and item.id in named:
                    item = Item(item.id, fault=f"has the id of an item before it, {item.id}")
                if ident in seen:  # or of one that is known by its number
                    ident = f"{ident}#{number}"
                named.add(item.id)
                seen.add(ident)
                yield replace(item, id=ident)
    except DocumentError as error:
        yield Item(name, fault=str(error))
    except ModuleNotFoundError as error:
        yield Item(name, fault=f"needs the package {error.name}: pip install 'feud[ingest]'")
    except Exception as error:  # what a damaged file makes a library raise depends on the library
        why = " ".join(str(error).split())[:200] or type(error).__name__
        yield Item(name, fault=f"is damaged after its item {number}: {why}")
    else:
        if not number:
            yield Item(name, fault="holds no items")


def _numbered(name: str, file: BinaryIO) -> Iterator[tuple[int, Item]]:
    if name.endswith((".jsonl", ".jsonl.gz")):
        return _lines(gzip.open(file) if name.endswith(".gz") else file)
    return _rows(file) if name.endswith(".parquet") else _archived(file)


def _lines(file: Any) -> Iterator[tuple[int, Item]]:
    for number, line in enumerate(iter(lambda: file.readline(MAX_BYTES + 1), b""), 1):
        if len(line) > MAX_BYTES:
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_BYTES)
            yield number, _too_large()
        elif line.strip():
            try:
                yield number, _record(json.loads(line))
            except (ValueError, RecursionError) as error:
                yield number, Item("", fault=f"is no JSON: {error}")


def _rows(file: BinaryIO) -> Iterator[tuple[int, Item]]:
    from pyarrow.parquet import ParquetFile

    table = ParquetFile(file)
    columns = [name for name in ("id", "text", *_SAID) if name in table.schema_arrow.names]
    number = 0
    for batch in table.iter_batches(_ROWS, columns=columns):
        for row in batch.to_pylist():
            number += 1
            yield number, _record(row)


def _record(record: Any) -> Item:
    """The item of a record's fields.

    >>> _record({"id": 7, "text": "The lamp.", "date": "1811", "views": 3})
    Item(id='7', suffix='.txt', data=b'The lamp.', said={'date': '1811'}, fault='')
    """
    if not isinstance(record, dict):
        return Item("", fault="is no record with fields")
    known = "" if record.get("id") is None else str(record["id"])
    if not isinstance(record.get("text"), str):
        return Item(known, fault="has no field text, or it holds no text")
    data = record["text"].encode("utf-8", "replace")
    if len(data) > MAX_BYTES:
        return replace(_too_large(), id=known)
    said = {name: str(record[name]) for name in _SAID if record.get(name) not in (None, "")}
    return Item(known, ".txt", data, said)


def _archived(file: BinaryIO) -> Iterator[tuple[int, Item]]:
    """The pages of a WARC, the texts of a WET; what was asked for and noted is no document."""
    from warcio.archiveiterator import ArchiveIterator

    for number, record in enumerate(ArchiveIterator(file), 1):
        if record.rec_type in ("response", "conversion", "resource"):
            data = record.content_stream().read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                yield number, _too_large()
            elif getattr(record.raw_stream, "limit", 0) > 0:
                yield number, Item("", fault="is cut off before its end")
            else:
                yield number, _page(record, data)


def _page(record: Any, data: bytes) -> Item:
    headers = record.http_headers
    kind = headers.get_header("Content-Type", "") if headers else record.content_type
    suffix = _TYPES.get((kind or "").partition(";")[0].strip().lower())
    if headers and headers.get_statuscode() != "200":
        return Item("", fault=f"was answered with the status {headers.get_statuscode()}")
    if suffix is None:
        return Item("", fault=f"has a type that can't be read ({kind or 'none'})")
    return Item("", suffix, data, {"url": record.rec_headers.get_header("WARC-Target-URI", "")})


def _too_large() -> Item:
    return Item("", fault=f"is too large: the limit is {MAX_BYTES:,} bytes; split it")
