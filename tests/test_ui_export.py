"""Answers written down: everything is in them, and nothing of a document or a model acts as markup."""

import json
from base64 import b64decode
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from lxml import html as lxml_html  # type: ignore[import-untyped]
from pypdf import PdfReader

from rag import Answer, Citation, Question, Statement
from tests.browsing import PHONE, Opened, Served, ask, finished
from tests.scripted import ANSWER, COST, MAYOR, OPENED, QUESTION, Fixed, Scripted, document, sentence
from ui.conversation import Session
from ui.export import FORMS, ExportError, Form, bibtex, csl, form_of, html, keep, markdown
from ui.talk import Talk

TRAP = document(
    "trap.txt", ("- 1. &lt;", "article", "en"), url="https://example.org/a>![x](https://evil.example)"
)
EVIL = Answer(
    Question("<b>Who?</b> [x](http://evil.example)", "en", "?"),
    "answered",
    statements=(Statement("# <script>alert(1)</script>\n![x](y)", (1,), "verified", 0.3),),
    citations=(Citation(1, (MAYOR,)), Citation(2, (sentence(TRAP, "- 1. &lt;"),))),
)


def test_markdown_has_the_question_the_answer_and_every_cited_word() -> None:
    text = markdown([ANSWER])
    assert text.startswith(f"## {QUESTION}\n\nThe quay opened on 3 May 2021 \\[1\\]. It cost")
    assert "1. “Le nouveau quai a ouvert le 3 mai 2021.”  \n   Le port de Saint-Malo · Le Télégramme" in text
    assert f"harbour.txt:{OPENED.start}–{OPENED.end}  \n   <https://example.org/port>" in text
    assert "**Here the sources differ**\n\n* 12 million euros \\[2\\]\n* 15 million euros \\[3\\]" in text


def test_nothing_that_was_written_elsewhere_is_markup() -> None:
    text = markdown([EVIL])
    assert "\\# \\<script\\>alert(1)\\</script\\> !\\[x\\](y)" in text
    assert "\\<b\\>نعم\\</b\\>" in text
    assert "“\\- 1. \\&lt;”" in text
    assert "<https://example.org/a%3E!" in text
    assert "perhaps the answer" in text
    assert markdown([replace(EVIL, statements=(), citations=(), notice="1. x")]).endswith("\n\n1\\. x\n")
    page = lxml_html.document_fromstring(html([EVIL]))
    assert page.xpath("//script | //b | //img | //a[not(starts-with(@href, '#s') or @rel)]") == []
    assert page.xpath("string(//q)") == MAYOR.text
    assert "perhaps the answer" in page.xpath("string(//p)")
    assert "default-src 'none'" in page.xpath("string(//meta[@http-equiv]/@content)")


def test_marks_of_the_page_lead_to_their_sources() -> None:
    page = lxml_html.document_fromstring(html([ANSWER, ANSWER]))
    places = [link.get("href")[1:] for link in page.xpath("//a[starts-with(@href, '#')]")]
    assert len(places) == 10
    assert set(places) == set(page.xpath("//li/@id"))
    assert page.xpath("//article[2]//q/text()") == [
        OPENED.text,
        COST.text,
        "码头于2021年5月开放，造价1500万欧元。",
    ]


def test_sources_for_a_reference_manager() -> None:
    harbour, quay = json.loads(csl([ANSWER, ANSWER]))
    assert harbour["author"] == [{"literal": "Anne Le Goff"}]
    assert harbour["issued"] == {"date-parts": [[2021, 5, 4]]}
    assert (harbour["URL"], harbour["publisher"]) == ("https://example.org/port", "Le Télégramme du port")
    assert harbour["note"].count("“") == 2
    assert quay["issued"] == {"date-parts": [[2021, 6]], "circa": True}
    assert "URL" not in quay


def test_sources_for_latex() -> None:
    harbour, quay = bibtex([ANSWER]).split("\n\n")
    assert harbour.startswith("@online{harbour.txt,\n  title = {Le port de Saint-Malo},\n")
    assert "  author = {{Anne Le Goff}},\n" in harbour
    assert "  date = {2021-05-04},\n  url = {https://example.org/port},\n  note = {" in harbour
    assert "  date = {2021-06~},\n" in quay
    evil = bibtex([EVIL])
    assert evil.count("{") - evil.count("\\{") == evil.count("}") - evil.count("\\}")
    assert "\\&" in evil


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.md", "Markdown"), ("b.html", "HTML"), ("c.json", "JSON"), ("c.csl.json", "CSL"), ("d.bib", "BibTeX")],
)
def test_the_ending_of_a_file_tells_its_form(tmp_path: Path, name: str, form: str) -> None:
    assert form_of(tmp_path / name) is FORMS[form]
    keep(ANSWER, FORMS[form], tmp_path / name)
    assert (tmp_path / name).read_text("utf-8") == FORMS[form].write([ANSWER])


def test_what_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"Let it end in one of \.md, \.html, \.json, \.csl\.json, \.bib\.$"):
        form_of(tmp_path / "answer.docx")
    with pytest.raises(ExportError, match="Name another file"):
        keep(ANSWER, FORMS["JSON"], tmp_path / "none" / "a.json")


def file_of(link: str | None) -> str:
    assert link is not None
    return b64decode(lxml_html.fragments_fromstring(link)[0].get("href").partition("base64,")[2]).decode()


def test_the_page_saves_an_answer_or_all_of_them_and_nothing_else() -> None:
    talk, session = Talk(Scripted(), Fixed()), Session()
    assert talk.save(session, None, "HTML") is None
    session.change(
        lambda held: held.ask("One?").show(1, replace(ANSWER, question=Question("One?", "en", "One?")))
    )
    session.change(lambda held: held.ask("Two?").show(2, ANSWER))
    assert file_of(talk.save(session, 2, "Markdown")) == markdown([ANSWER])
    assert file_of(talk.save(session, None, "Markdown")).count("## ") == 2
    assert [talk.save(session, *wanted) for wanted in ((3, "HTML"), ("1", "HTML"), (1, "PDF"))] == [None] * 3
    session.change(lambda held: held.ask("Three?"))
    session.change(lambda held: held.show(3, replace(ANSWER, status="writing")).end("stopped"))
    assert file_of(talk.save(session, None, "Markdown")).count("## ") == 2  # not what was never finished


def test_every_form_writes_what_no_answer_holds() -> None:
    refused = replace(ANSWER, statements=(), citations=(), disagreements=(), notice="Nothing \ud800.")
    assert all(isinstance(form, Form) and form.write([refused]) for form in FORMS.values())


@pytest.mark.browser
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_a_reader_gets_the_file(
    served: Served, browser_page: Opened, tmp_path: Path, device: dict[str, object]
) -> None:
    page = browser_page(served(Scripted(), Fixed()), **device)
    ask(page)
    finished(page)
    with page.expect_download() as caught:
        page.locator("[data-save=Markdown]").click()
    assert caught.value.suggested_filename == "feud-1.md"
    caught.value.save_as(tmp_path / "a.md")
    assert "“Il a coûté 12 millions d’euros.”" in (tmp_path / "a.md").read_text("utf-8")
    with page.expect_download() as caught:
        page.locator("[data-do=save]").click()
    assert caught.value.suggested_filename == "feud.html"


@pytest.mark.browser
def test_an_answer_is_printed_alone_with_all_its_words(served: Served, browser_page: Opened) -> None:
    page = browser_page(served(Scripted(), Fixed()), color_scheme="dark")
    for turn, words in enumerate(("When?", "And what did it cost?"), 1):
        page.fill("#question textarea", words)
        page.press("#question textarea", "Enter")
        page.locator("article[data-state=done]").nth(turn - 1).wait_for()
    page.evaluate(
        "() => { window.print = () => (window.printed = document.querySelector('[data-printed]').innerText); }"
    )
    page.locator("#past [data-print]").click()
    assert "When?" in str(page.evaluate("window.printed"))
    page.locator("#past .exchange").evaluate("exchange => exchange.setAttribute('data-printed', '')")
    pages = PdfReader(BytesIO(page.pdf())).pages
    text = " ".join("".join(sheet.extract_text() for sheet in pages).split())
    assert "The quay opened on 3 May 2021." in text
    assert "Il a coûté 12 millions d’euros." in text
    assert "And what did it cost?" not in text
    assert "Markdown" not in text
