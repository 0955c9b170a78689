"""Files that hold many documents: every record has an outcome, and only its own faults are its own."""

import gzip
import json
from pathlib import Path

import pytest

from corpus import Item, items
from corpus.read import MAX_BYTES

LINES = (
    {"id": "lamp", "text": "The lamp burned oil.", "title": "The lamp", "date": "1811-02-03", "views": 3},
    {"text": "Der Leuchtturm von Varnes.", "url": "https://example.org/2", "author": None},
    {"id": "lamp", "text": "Another lamp."},
    {"id": "hollow", "title": "No text"},
    ["no", "fields"],
)


def read(folder: Path, name: str, data: bytes) -> list[Item]:
    (folder / name).write_bytes(data)
    return list(items(folder, name))


def faults(found: list[Item]) -> dict[str, str]:
    return {item.id: item.fault for item in found if item.fault}


@pytest.mark.parametrize("name", ["news.jsonl", "news.jsonl.gz"])
def test_each_line_of_a_jsonl_is_an_item_or_says_why_not(name: str, tmp_path: Path) -> None:
    data = "\n".join([*map(json.dumps, LINES), "", '{"torn', "last"]).encode()
    found = read(tmp_path, name, gzip.compress(data) if name.endswith("gz") else data)
    assert found[0] == Item(
        f"{name}#lamp", ".txt", b"The lamp burned oil.", {"title": "The lamp", "date": "1811-02-03"}
    )
    assert found[1] == Item(
        f"{name}#2", ".txt", b"Der Leuchtturm von Varnes.", {"url": "https://example.org/2"}
    )
    told = {ident.partition("#")[2]: fault for ident, fault in faults(found).items()}
    assert list(told) == ["lamp#3", "hollow", "5", "7", "8"]
    assert told["lamp#3"] == "has the id of an item before it, lamp"
    assert told["hollow"] == "has no field text, or it holds no text"
    assert told["5"] == "is no record with fields"
    assert told["7"].startswith("is no JSON: ")


def test_a_line_that_is_too_long_does_not_hide_the_next(tmp_path: Path) -> None:
    data = b'{"text": "' + b"x" * MAX_BYTES + b'"}\n{"text": "short"}\n'
    large, short = read(tmp_path, "a.jsonl", data)
    assert large.fault.startswith("is too large")
    assert short.data == b"short"


def test_a_file_that_is_cut_off_says_after_which_item(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"text": f"{n} {n * 7919}"}) + "\n" for n in range(9000))
    found = read(tmp_path, "a.jsonl.gz", gzip.compress(lines.encode())[:-4000])
    *whole, last = found
    assert len(whole) > 1000
    assert not any(item.fault for item in whole[:-1])
    assert last.id == "a.jsonl.gz"
    assert last.fault.startswith(f"is damaged after its item {len(whole)}: ")
    assert faults(read(tmp_path, "empty.jsonl", b"")) == {"empty.jsonl": "holds no items"}
    assert "can't be read" in faults(read(tmp_path, "b.jsonl.gz", b"no gzip"))["b.jsonl.gz"]


def test_a_row_of_a_parquet_file_is_an_item(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not here: make ray")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"id": n, "text": f"Row {n}." if n else None, "title": "T", "other": [n]} for n in range(600)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    found = list(items(tmp_path, "a.parquet"))
    assert len(found) == 600
    assert faults(found) == {"a.parquet#0": "has no field text, or it holds no text"}
    assert found[599] == Item("a.parquet#599", ".txt", b"Row 599.", {"title": "T"})
    data = (tmp_path / "a.parquet").read_bytes()
    assert "damaged after its item 0" in faults(read(tmp_path, "b.parquet", data[:-9]))["b.parquet"]


def warc(*records: tuple[str, str, str, bytes]) -> bytes:
    """Each a type, an address, the type of what there is, and that."""
    made = b""
    for kind, address, content, data in records:
        if kind == "response":
            data = f"HTTP/1.1 {content}\r\n\r\n".encode() + data
            content = "application/http; msgtype=response"
        head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {address}\r\nContent-Type: {content}\r\n"
        one = f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data + b"\r\n\r\n"
        made += gzip.compress(one)
    return made


def test_a_page_of_a_warc_and_a_text_of_a_wet_are_items(tmp_path: Path) -> None:
    pytest.importorskip("warcio", reason="warcio is not here: make ray")
    page = b"<html><title>The lamp</title><p>The lamp of Varnes burned oil.</p></html>"
    html = "200 OK\r\nContent-Type: text/html; charset=utf-8"
    records = (
        ("warcinfo", "a", "application/warc-fields", b"software: x"),
        ("request", "https://example.org/1", "application/http", b"GET / HTTP/1.1\r\n\r\n"),
        ("response", "https://example.org/1", html, page),
        ("response", "https://example.org/2", html.replace("200 OK", "404 Not Found"), page),
        ("response", "https://example.org/3", html.replace("text/html", "image/png"), b"\x89PNG"),
        ("conversion", "https://example.org/4", "text/plain", "Une lampe à huile.".encode()),
    )
    found = read(tmp_path, "a.warc.gz", warc(*records))
    assert [item.id for item in found] == [f"a.warc.gz#{n}" for n in (3, 4, 5, 6)]
    assert found[0] == Item("a.warc.gz#3", ".html", page, {"url": "https://example.org/1"})
    assert list(faults(found).values()) == [
        "was answered with the status 404",
        "has a type that can't be read (image/png; charset=utf-8)",
    ]
    assert found[3].data.decode() == "Une lampe à huile."
    cut = read(tmp_path, "b.wet", gzip.decompress(warc(records[5]))[:-12])
    assert list(faults(cut).values()) == ["is cut off before its end"]
