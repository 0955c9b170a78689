"""Mails, books, feeds and saved pages: what of them is text, and what they say of themselves."""

import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest

from corpus import DocumentError, parse
from corpus.read import extract
from tests.documents import documents_of
from tests.test_corpus_read import PAGE


def letter(**parts: str) -> EmailMessage:
    """A mail about ships; `html`, `plain` and `attached` are its parts."""
    message = EmailMessage()
    message["Subject"] = "Ships in May – größer"
    message["From"] = "Ann Lée <ann@harbour.example>"
    message["Date"] = "Mon, 03 May 2021 23:30:00 -0700"
    if "plain" in parts:
        message.set_content(parts["plain"])
    if "html" in parts:
        add = message.add_alternative if "plain" in parts else message.set_content
        add(parts["html"], subtype="html")
    if "attached" in parts:
        message.add_attachment(parts["attached"], filename="figures.txt")
    return message


REPLY = """It counted 312 ships.

On 2 May 2021 Bob wrote:
> How many ships?
> Fewer than 300?

The mayor doubts it.
-- 
Ann Lée, harbour office
"""
CHAPTER = "<html xmlns='http://www.w3.org/1999/xhtml'><head><title>x</title></head><body><h1>{}</h1><p>{}</p></body></html>"
PACKAGE = """<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf"
xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>A count of ships</dc:title><dc:creator>Ann Lee
</dc:creator><dc:date>2021-05-03T00:00:00Z</dc:date><dc:publisher>Port Press</dc:publisher></metadata><manifest>
<item id="b" href="text/b%20b.xhtml" media-type="application/xhtml+xml"/>
<item id="a" href="text/a.xhtml" media-type="application/xhtml+xml"/>
<item id="n" href="text/a.xhtml" media-type="application/xhtml+xml"/>
<item id="c" href="cover.jpg" media-type="image/jpeg"/></manifest>
<spine><itemref idref="c"/><itemref idref="a"/><itemref idref="b"/><itemref idref="n" linear="no"/></spine>
</package>"""
CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/content.opf"/></rootfiles></container>'
)


def epub(package: str = PACKAGE, **more: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OEBPS/content.opf", package)
        archive.writestr("OEBPS/text/a.xhtml", CHAPTER.format("One", "It counted 312 ships."))
        archive.writestr("OEBPS/text/b b.xhtml", CHAPTER.format("Two", "It rained."))
        for name, words in more.items():
            archive.writestr(name, words)
    return file.getvalue()


RSS = """<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
<title>Port Today</title><link>https://port.example/</link>
<item><title>A count of &lt;b&gt;ships&lt;/b&gt;</title>
<pubDate>Mon, 03 May 2021 10:00:00 GMT</pubDate>
<description>Short.</description>
<content:encoded><![CDATA[<p>It counted 312 ships.</p><script>bad()</script><p>It rained.</p>]]>
</content:encoded></item><item><title>Later</title><pubDate>Tue, 04 May 2021 10:00:00 GMT</pubDate>
<description>Nobody fell in.</description></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Port Today</title><link rel="self"
href="https://x/feed"/><link href="https://port.example/"/><entry><title>Ships</title>
<published>2021-05-03T10:00:00Z</published><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">
It counted 312 ships.</div></content></entry></feed>"""
MHTML = f"""From: <Saved by Blink>
Snapshot-Content-Location: https://port.example/ships
Subject: A count of ships
MIME-Version: 1.0
Content-Type: multipart/related; type="text/html"; boundary="----b"

------b
Content-Type: text/css

p {{}}
------b
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 8bit

{PAGE}
------b--
"""


def test_a_mail_says_what_it_does_not_quote() -> None:
    content = extract(".eml", letter(plain=REPLY, attached="secret figures").as_bytes())
    assert content.text == "It counted 312 ships.\n\n\nThe mayor doubts it."
    assert content.properties == {"title": "Ships in May – größer", "author": "Ann Lée", "date": "2021-05-03"}


def test_a_mail_of_html_says_it_in_paragraphs() -> None:
    page = "<p>It counted<br>312 ships.</p><div class='gmail_quote'>Bob: how?</div><blockquote>Few</blockquote>"
    assert extract(".eml", letter(html=page).as_bytes()).text == "It counted\n312 ships."
    both = letter(html=page, plain="It counted 312.")
    assert extract(".eml", both.as_bytes()).text == "It counted 312."


@pytest.mark.parametrize("kept", ["Prices:\n| A | 5 |\n|---|---|\n| B | 6 |", "Prices:\n  | A | 5 | \nEnd."])
def test_a_table_in_a_mail_is_no_quotation(kept: str) -> None:
    assert extract(".eml", letter(plain=kept).as_bytes()).text == kept
    quoting = f"{kept}\nBob wrote:\n| How many?\n| | Of 5 | or 6?\n|\n\nMany."
    assert extract(".eml", letter(plain=quoting).as_bytes()).text == f"{kept}\n\n\nMany."


def test_what_stands_above_a_forwarded_mail_is_kept_alone() -> None:
    words = "See below.\n\n-----Original Message-----\nFrom: Bob\nFewer than 300."
    assert extract(".eml", letter(plain=words).as_bytes()).text == "See below."


def test_a_book_has_its_chapters_in_the_order_of_reading() -> None:
    content = extract(".epub", epub())
    assert content.text == "# One\n\nIt counted 312 ships.\n\n# Two\n\nIt rained."
    assert content.properties == {
        "title": "A count of ships",
        "author": "Ann Lee",
        "publisher": "Port Press",
        "date": "2021-05-03",
    }


def test_a_book_may_tell_its_year_alone() -> None:
    book = parse("a.epub", epub(PACKAGE.replace("2021-05-03T00:00:00Z", "2021")), {})
    assert (book.published.value, book.published.precision) == ("2021", "year")


def test_a_feed_is_one_document_with_a_heading_and_a_day_for_each_entry() -> None:
    content = extract(".rss", RSS.encode())
    assert content.text == (
        "# A count of ships\n\n2021-05-03\n\nIt counted 312 ships.\n\nIt rained.\n\n# Later\n\n2021-05-04\n\n"
        "Nobody fell in."
    )
    about = {"title": "Port Today", "publisher": "Port Today", "url": "https://port.example/"}
    assert content.properties == about
    content = extract(".atom", ATOM.encode())
    assert content.text == "# Ships\n\n2021-05-03\n\nIt counted 312 ships."
    assert content.properties == {**about, "date": "2021-05-03"}
    assert extract(".xml", RSS.encode()).text.startswith("# A count of ships")


@pytest.mark.parametrize("prefix", ["", "h:"])
def test_the_elements_of_an_entry_of_a_feed_are_its_paragraphs(prefix: str) -> None:
    words = (
        "<{0}p>One <{0}b>fell</{0}b>.</{0}p><{0}p>Two<{0}br/>rose &lt; 3.</{0}p><{0}script>bad()</{0}script>"
    )
    space = 'xmlns:h="http://www.w3.org/1999/xhtml"' if prefix else 'xmlns="http://www.w3.org/1999/xhtml"'
    entry = f"<{prefix}div {space}>{words.format(prefix)}</{prefix}div>"
    feed = ATOM.replace(ATOM[ATOM.index("<div") : ATOM.index("</div>") + 6], entry)
    assert extract(".atom", feed.encode()).text == "# Ships\n\n2021-05-03\n\nOne fell.\n\nTwo\nrose < 3."


@pytest.mark.parametrize("suffix", [".mht", ".mhtml"])
def test_a_saved_page_is_its_main_text_with_its_address(suffix: str) -> None:
    content = extract(suffix, MHTML.encode())
    assert content.text == extract(".html", PAGE.encode()).text
    assert content.properties["url"] == "https://port.example/ships"
    assert content.properties["date"] == "2021-05-03"


def test_the_address_that_a_browser_writes_into_a_page_is_kept() -> None:
    page = f"<!-- saved from url=(0026)https://port.example/ships -->\n{PAGE}"
    assert extract(".html", page.encode()).properties["url"] == "https://port.example/ships"


def test_they_become_documents_with_title_author_and_date(tmp_path: Path) -> None:
    (tmp_path / "letter.eml").write_bytes(letter(plain=REPLY).as_bytes())
    (tmp_path / "book.epub").write_bytes(epub())
    (tmp_path / "feed.rss").write_text(RSS)
    assert [(d.id, d.title, d.published.value) for d in documents_of(tmp_path)] == [
        ("book.epub", "A count of ships", "2021-05-03"),
        ("feed.rss", "Port Today", None),
        ("letter.eml", "Ships in May – größer", "2021-05-03"),
    ]


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.eml", b"no headers at all", "is no mail: it has no headers"),
        ("a.eml", letter(attached="figures").as_bytes(), "a mail without text; save its attachments"),
        ("a.eml", letter(plain="> all of it\n> is Bob's").as_bytes(), "a mail without text"),
        ("a.mht", letter(plain="text").as_bytes(), "a saved page without HTML"),
        ("a.epub", b"PK broken", "a damaged EPUB file"),
        ("a.epub", epub(PACKAGE.replace("text/a.xhtml", "text/none.xhtml")), "a damaged EPUB file"),
        ("a.epub", epub(PACKAGE.replace("<itemref", "<other")), "holds no text"),
        ("a.xml", b"<note>It counted 312 ships.</note>", "is XML, but no feed"),
        ("a.rss", b"no markup", "is a damaged XML file"),
        ("a.rss", b"<rss><channel/></rss>", "is a feed without entries"),
    ],
)
def test_what_they_are_not_has_a_reason(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        parse(name, data, {})


def test_no_entity_is_followed() -> None:
    evil = RSS.replace("<rss", "<!DOCTYPE rss [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><rss", 1)
    assert "root:" not in extract(".rss", evil.replace("Nobody", "&x; Nobody").encode()).text
