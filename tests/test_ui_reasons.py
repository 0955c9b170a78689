"""What the corpus and the eval say in English is told in every language of the interface."""

from pathlib import Path
from typing import get_args

import pytest

from corpus import DocumentError
from corpus.folder import parse
from corpus.noise import _RULES
from corpus.read import read_bytes
from eval.case import Kind
from eval.tables import MUST
from ui.reasons import _rules, reason_words
from ui.texts import LANGUAGES, speaking

FILES = {
    "empty.txt": b" ",
    "nul.txt": b"a\0b",
    "binary.txt": b"\x01\x02\x03 a",
    "odd.xyz": b"text",
    "broken.pdf": b"%PDF-1.4 nothing",
    "broken.docx": b"PK nothing",
    "broken.epub": b"PK nothing",
    "odd.eml": b"text",
    "attached.eml": b"Subject: a\n\n> quoted",
    "bare.mht": b"Subject: a\n\ntext",
    "odd.xml": b"<a>text</a>",
    "bare.rss": b"<rss/>",
    "bare.html": b"<p></p>",
    "a\u202eb.txt": b"text",
}
NOISE = ["front matter", "metadata", "date", "running head", "navigation", "slogan in another language"]
NOISE += ["disclaimer", "photo credit", "no text", "repeats lines 3–4", *_RULES]
NOISE += [
    "stands at the edge of several documents, first of a.txt",
    "day and month can be read either way round",
    "nothing in the text decides",
    'contradicted by words of the text: "vorige week"',
]
LINKS = ["is a link to a folder, which is not followed; put a copy there instead"]
NAMES = [*(kind.replace("_", " ") for kind in get_args(Kind)), *MUST]


@pytest.mark.parametrize("name", FILES)
def test_why_a_file_is_no_document_is_told_in_every_language(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    with pytest.raises(DocumentError) as refused:
        parse(name, read_bytes(tmp_path, name), {})
    told = {reason_words(str(refused.value))}
    for language in LANGUAGES[1:]:
        with speaking(language):
            told.add(reason_words(str(refused.value)))
    assert len(told) == len(LANGUAGES)


@pytest.mark.parametrize("english", [*NOISE, *LINKS, *NAMES])
def test_reasons_kinds_and_measures_are_told_in_every_language(english: str) -> None:
    [said] = [said for pattern, said in _rules() if pattern.fullmatch(english)]
    assert list(said) == list(LANGUAGES[1:])
    assert reason_words(english) == english
    with speaking("zh"):
        assert reason_words(english) != english


def test_values_are_kept_and_what_nobody_knows_stays_as_it_is() -> None:
    with speaking("de"):
        assert reason_words("repeats lines 3–4") == "wiederholt lines 3–4"
        assert reason_words("took longer than 30 s to read; save it as plain text").startswith("war nach 30 s")
        assert reason_words("{x} is new") == "{x} is new"
        assert reason_words("can't be read: {0} {why}") == "nicht lesbar ({0} {why})"
