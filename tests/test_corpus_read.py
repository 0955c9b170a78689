"""From bytes to text, and what is refused."""

import io
import os
from pathlib import Path

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import DocumentError, read_bytes
from corpus.read import decode, extract
from tests.documents import documents_of

NTREX = Path(__file__).parent / "data" / "ntrex"
GOLD = {path.name: path.read_text(encoding="utf-8") for path in sorted(NTREX.glob("*.txt"))}
ENCODINGS = (
    *(
        "cp1252",
        "latin-1",
        "iso8859-15",
        "cp1250",
        "cp1251",
        "koi8-r",
        "gb18030",
        "big5",
        "shift-jis",
        "euc-jp",
    ),
    *("cp1254", "utf-16-le", "utf-16-be"),
)

PAGE = """<html lang="en"><head><title>A count of ships - Port Today</title>
<meta name="author" content="Ann Lee"><meta property="article:published_time" content="2021-05-03"></head>
<body><nav><a href="/">Home</a> <a href="/s">Sport</a></nav><article><h1>A count of ships</h1>
<p>The harbour office opened in May and has counted every ship since then, by day and by night.</p>
<p>It counted 312 ships in its first year, twice as many as anybody had expected before it opened.</p>
<p>The mayor said that the figures would be published every month, which the fishermen still doubt.</p>
</article><footer>Imprint</footer></body></html>"""

PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 400]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj
4 0 obj<</Length 56>>stream
BT /F 12 Tf 20 300 Td (It counted 312 ships in May.) Tj ET
endstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
6 0 obj<</Title(A count of ships)/Author(Ann Lee)>>endobj
trailer<</Root 1 0 R/Info 6 0 R>>
startxref
0
%%EOF
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_decoded_with_its_newlines(encoding: str) -> None:
    text = "Ça va ?\r\n第二行\n\tdrei\r"
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_nothing_is_decoded_wrongly(encoding: str) -> None:
    decoded = 0
    for name, text in GOLD.items():
        try:
            data = text.encode(encoding)
        except UnicodeEncodeError:
            continue
        try:
            assert decode(data) == text, name
            decoded += 1
        except DocumentError:  # "save it as UTF-8" is an honest answer
            continue
    if encoding in ("cp1252", "gb18030"):  # what Windows has saved by default in these languages
        assert decoded >= 3


def test_a_character_that_two_encodings_share_decides_nothing() -> None:
    with pytest.raises(DocumentError, match="can't be told with confidence"):
        decode(b"K\xf6ln \xb1 12, \xa5 3")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"a\0b", "NUL"),
        (b"\xff\xfe\x00\xd8a", "damaged"),
        (bytes(range(1, 32)) * 9 + b"text", "looks binary"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "can't be told"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        decode(data)


@given(st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_text_or_refused(data: bytes) -> None:
    try:
        text = decode(data)
    except DocumentError:
        return
    assert "\0" not in text


def test_html_gives_its_main_text_and_what_it_says_of_itself() -> None:
    content = extract(".html", PAGE.encode())
    assert "312 ships" in content.text
    assert "Sport" not in content.text
    assert content.properties["title"].startswith("A count of ships")
    assert (content.properties["author"], content.properties["date"]) == ("Ann Lee", "2021-05-03")


def test_html_without_main_text_is_refused() -> None:
    with pytest.raises(DocumentError, match="no main text"):
        extract(".html", b"<html><body></body></html>")


def test_docx_gives_paragraphs_headings_and_tables() -> None:
    written = docx.Document()
    written.core_properties.author = "Ann Lee"
    written.add_heading("Ships", level=1)
    written.add_paragraph("It counted 312 ships.")
    table = written.add_table(rows=1, cols=2)
    table.cell(0, 0).text, table.cell(0, 1).text = "May", "312"
    file = io.BytesIO()
    written.save(file)
    content = extract(".docx", file.getvalue())
    assert content.text == "# Ships\n\nIt counted 312 ships.\n\nMay | 312"
    assert content.properties["author"] == "Ann Lee"


def test_pdf_gives_its_text_and_properties() -> None:
    content = extract(".pdf", PDF)
    assert content.text.strip() == "It counted 312 ships in May."
    assert content.properties == {"title": "A count of ships", "author": "Ann Lee"}


@pytest.mark.parametrize(("letter", "read"), [(b"D800", "\ufffd"), (b"0000", "\ufffd"), (b"D83DDE00", "😀")])
def test_a_pdf_that_maps_a_letter_to_none_breaks_nothing(tmp_path: Path, letter: bytes, read: str) -> None:
    mapped = PDF.replace(b"BaseFont/Helvetica>>endobj", b"BaseFont/Helvetica/ToUnicode 7 0 R>>endobj")
    cmap = (
        b"begincmap 1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfchar <4D> <%s> endbfchar endcmap"
    )
    stream = b"7 0 obj<</Length %d>>stream\n%s\nendstream endobj\ntrailer" % (len(cmap % letter), cmap % letter)
    (tmp_path / "mapped.pdf").write_bytes(mapped.replace(b"trailer", stream))
    (tmp_path / "good.txt").write_text("It counted 312 ships in May.")
    good, odd = documents_of(tmp_path)
    assert (good.id, odd.id) == ("good.txt", "mapped.pdf")
    assert odd.text.strip() == f"It counted 312 ships in {read}ay."


@pytest.mark.parametrize(
    ("suffix", "data", "reason"),
    [
        (".pdf", b"%PDF-1.4 broken", "damaged PDF"),
        (".docx", b"PK broken", "damaged DOCX"),
        (".xyz", b"text", r"\.xyz.*known are \.atom, \.docx"),
        ("", b"text", "no suffix"),
        (".txt", b" \n", "no text"),
    ],
)
def test_what_can_not_be_read_has_a_reason(suffix: str, data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        extract(suffix, data)


def test_files_are_checked_before_they_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "loop.txt").symlink_to(folder / "loop.txt")
    (folder / "in.txt").write_bytes(b"text\r\n")
    (folder / "alias.txt").symlink_to(folder / "in.txt")
    (folder / "empty.txt").touch()
    os.mkfifo(folder / "pipe.txt")
    os.truncate(folder / "empty.txt", 0)
    assert read_bytes(folder, "in.txt") == read_bytes(folder, "alias.txt") == b"text\r\n"
    for name, reason in {
        "out.txt": "leaves the documents folder",
        "../secret.txt": "leaves the documents folder",
        "loop.txt": "can't be read",
        "empty.txt": "is empty",
        "pipe.txt": "not a regular file",
        "missing.txt": "can't be read",
    }.items():
        with pytest.raises(DocumentError, match=reason):
            read_bytes(folder, name)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "sparse.txt").open("wb") as file:
        file.truncate(5_000_000_000)
    with pytest.raises(DocumentError, match=r"5,000,000,000 bytes, the limit is 20,000,000"):
        read_bytes(tmp_path, "sparse.txt")
