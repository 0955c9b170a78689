"""Anything is fed to what reads documents, questions, files of JSON and a model's stream. See `tests/fuzz`."""

import io
from pathlib import Path

import docx
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.targets import FOUND, TARGETS
from tests.scripted_llm import DONE, event, finish, first_word, text, usage
from tests.test_corpus_formats import MHTML, REPLY, RSS, epub, letter
from tests.test_corpus_read import PAGE, PDF
from tests.torture.conftest import Rounds

PROSE = [
    *(
        "The lamp ",
        "burned oil. ",
        "塔建于1811年。",
        "Er sagte: »Ja.« ",
        "Dr. No ",
        "U.S. ",
        "“A.” ",
        "97,4 Mio. € ",
    ),
    *(
        "am 12.11.2025 ",
        "3. März",
        "May 3, 2021",
        "2024年6月",
        "१२३",
        "e\u0301",
        "\u202e",
        "\ufeff",
        "\r\n",
        "\n\n",
        "\t",
    ),
]
MARKUP = [
    "---\n",
    "# ",
    "> ",
    "* ",
    "| a | b |\n|---|---|\n",
    "[l](http://x)",
    "title: A\n",
    "<!--",
    "```",
    "\f",
    "- b\n",
]
JSON = [
    *(
        '{"id": "1", ',
        '"question": "Who?"',
        '"schema": 2, ',
        '"history": [',
        '{"role": "user", "content": "a"}',
    ),
    *("]", "}\n", "null", "\\ud800", "1e999"),
]
TOML = [
    '["a.txt"]\n',
    'title = "A"\n',
    "published = {",
    'value = "2024-02"',
    ', precision = "month"',
    "}\n",
    "a.b = 1\n",
    '"""',
]
YAML = [
    "title: A",
    "\n",
    "date: 2024-06-11",
    "&a [",
    "*a",
    "]",
    "'",
    "- b",
    "? ",
    "!!python/name:os.system ",
    "{x: ",
]
MAIL = [
    *("Subject: ", "From: a <b@c>", "Date: Mon, 3 May 2021", "\n", "\n\n", "> ", "=?utf-8?q?a?=", "--b\n"),
    *("Content-Type: ", "multipart/mixed", "text/html", "text/plain", "; boundary=b\n", "; charset=x"),
    "Content-Transfer-Encoding: base64",
]
XML = [
    *("<rss>", "</rss>", "<item>", "</item>", "<title>", "</title>", "<feed>", "<entry>", "&amp;", "&b;"),
    *("<![CDATA[", "]]>", "<!DOCTYPE a [<!ENTITY b 'c'>]>", "<pubDate>", "2021-05-03", "<package>", "<spine>"),
    "<itemref idref='a'/>",
]
HEADERS = ["Basic ", "Bearer ", "bWU6czM6c2FtZQ==", ":", "2001:db8::1", "%", "::ffff:1.2.3.4", "\0"]
EVENTS = [
    *(
        text("La tour "),
        finish(),
        finish("length"),
        usage(3, 3),
        DONE,
        first_word("Yes", Yes=0.9, No=0.1),
        b"x",
        b"5",
    ),
    *(
        b"data: ",
        b"\n\n",
        b"null",
        b"{",
        b"}",
        event(error={"message": "x"}),
        event(choices=[{"index": 0}]),
        b"\xff",
    ),
]


def _docx() -> bytes:
    document, file = docx.Document(), io.BytesIO()
    document.add_heading("Ships")
    document.add_paragraph("It counted 312 ships.")
    document.save(file)
    return file.getvalue()


def joined(pieces: list[str]) -> st.SearchStrategy[bytes]:
    """Those pieces, and any other text, in any order and number; or any bytes."""
    made = st.lists(st.sampled_from(pieces) | st.text(max_size=8), max_size=14).map("".join)
    return made.map(lambda words: words.encode("utf-8", "replace")) | st.binary(max_size=60)


def spliced(whole: bytes) -> st.SearchStrategy[bytes]:
    """A sound file in which some bytes are others."""
    place = st.integers(0, len(whole))
    return st.builds(
        lambda at, new, size: whole[:at] + new + whole[at + size :], place, st.binary(max_size=8), place
    )


INPUTS = {
    "text": joined(PROSE),
    "markdown": joined(PROSE + MARKUP),
    "front_matter": joined(YAML),
    "html": spliced(PAGE.encode()),
    "pdf": spliced(PDF),
    "docx": spliced(_docx()),
    "mail": spliced(letter(plain=REPLY, html=PAGE, attached="figures").as_bytes()) | joined(MAIL),
    "saved_page": spliced(MHTML.encode()),
    "epub": spliced(epub()) | joined(XML).map(lambda data: epub(data.decode("utf-8", "replace"))),
    "feed": spliced(RSS.encode()) | joined(XML),
    "words": joined(PROSE),
    "descriptions": joined(TOML),
    "question": joined(PROSE),
    "batch": joined(JSON),
    "stream": st.lists(st.sampled_from(EVENTS), max_size=8).map(b"".join)
    | spliced(first_word("No", No=1) + DONE),
    "headers": joined(HEADERS),
}


def test_every_target_has_inputs() -> None:
    assert {*INPUTS} == {*TARGETS} >= {folder.name for folder in FOUND.iterdir()}


@pytest.mark.parametrize("name", TARGETS)
def test_anything_is_fed_to(name: str, rounds: Rounds) -> None:
    def feed(data: bytes) -> None:
        rounds.done += 1
        TARGETS[name](data)

    # What made an example slow or large is this machine's business, and what was found is kept as a file.
    limits = settings(
        max_examples=1_500 if rounds.all else 25,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    limits(seed(rounds.seed)(given(INPUTS[name])(feed)))()


@pytest.mark.parametrize("file", sorted(FOUND.glob("*/*")), ids=lambda file: f"{file.parent.name} {file.name}")
def test_what_was_found_once_is_mended(file: Path) -> None:
    TARGETS[file.parent.name](file.read_bytes())
