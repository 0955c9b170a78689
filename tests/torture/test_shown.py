"""What is shown of what others wrote: nothing of it runs, loads, links, or moves the cursor of a terminal."""

import random
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from corpus import Published
from eval.report import markdown as report
from eval.runner import run
from eval.summary import summarise
from eval.web_report import web_page
from index import EVERYTHING, Filter, Grounds, Hit
from rag import Answer, Citation, Disagreement, Question, Statement, Turn, Version
from tests.browsing import Opened, Served, ask, finished
from tests.scripted import ANSWER, QUESTION, Fixed, Scripted, document, sentence
from tests.test_eval_report import CASES, LAKE, Says
from tests.torture.conftest import Rounds
from ui import chat, terminal
from ui.export import FORMS

RUNS = "window.ran=1"
ELSEWHERE = "https://evil.example/x"
HANDLERS = (
    "onerror",
    "onload",
    "onclick",
    "onfocus autofocus",
    "ontoggle open",
    "onanimationstart",
    "onpointerover",
)
ELEMENTS = (
    "img",
    "svg",
    "body",
    "details",
    "video",
    "input",
    "iframe",
    "object",
    "math",
    "style",
    "a",
    "select",
)
WRAPS = (
    "{0}",
    '"{0}',
    "'>{0}",
    "-->{0}<!--",
    "</q></article></textarea></title></style></script>{0}",
    "<![CDATA[{0}]]>",
    "<scr<script>ipt>{0}</script>",
    "`{0}`",
    "$${0}$$",
    "\\({0}\\)",
    "{{{{{0}}}}}",
    "**{0}**",
    "\ufeff{0}",
    "&lt;{0}&gt;",
)
CONTROLS = (
    *map(chr, [*range(0x20), 0x7F, *range(0x80, 0xA0)]),
    *"\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2060\u2066\u2069\ufeff\ufff9\U000e0041\U000e007f",
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x9b31m",
    "\x1bP+q\x1b\\",
    "\r\x1b[K",
)


def markup(chosen: random.Random) -> str:
    """Something that would run, load or link, were it read as markup."""
    element, handler = chosen.choice(ELEMENTS), chosen.choice(HANDLERS)
    active = chosen.choice(
        (
            f"<script>{RUNS}</script>",
            f"<script src={ELSEWHERE}.js></script>",
            f"<{element} src=x {handler}={RUNS}>",
            f'<{element} src={ELSEWHERE} href="javascript:{RUNS}" {handler.upper()}="{RUNS}">words</{element}>',
            f"<link rel=stylesheet href={ELSEWHERE}.css>",
            f"<style>*{{background:url({ELSEWHERE}.png)}}</style>",
            f'<meta http-equiv=refresh content="0;url={ELSEWHERE}">',
            f"<form action={ELSEWHERE}><button autofocus>send</button></form>",
            f"![picture]({ELSEWHERE}.png)",
            f"[words](javascript:{RUNS})",
            f"<javascript:{RUNS}> {ELSEWHERE}",
            f"\\href{{javascript:{RUNS}}}{{x}} \\includegraphics{{{ELSEWHERE}}}",
            f"${{{RUNS}}} {{{{constructor.constructor('{RUNS}')()}}}}",
        )
    )
    return chosen.choice(WRAPS).format(active)


def answer_of(hostile: str) -> Answer:
    """An answer in which all that others write is `hostile`."""
    source = document(
        "evil.txt",
        (f"{hostile}\n", "article", "en"),
        ("No more.", "noise", "en"),
        title=hostile,
        publisher=hostile,
        author=hostile,
        url=f"javascript:{RUNS}//{hostile}",
        published=Published("2020", "year", uncertain=True, words=hostile, note=hostile),
    )
    cited = sentence(source, hostile)
    passage = replace(ANSWER.hits[0].passage, document=source, sentences=(cited,))
    grounds = Grounds(0.4, 0.4, 0.4, 0.5, hostile, 0.1, (hostile,))
    return replace(
        ANSWER,
        question=Question(hostile, "en", hostile),
        statements=(Statement(hostile, (1,), "verified"), Statement(hostile, (1,), "quoted", 0.3)),
        disagreements=(Disagreement(hostile, (Version(hostile, (1,)), Version("Otherwise.", (1,)))),),
        citations=(Citation(1, (cited,)),),
        hits=(Hit(passage, 0.4, (0.4,), grounds),),
        llm=hostile,
    )


@pytest.mark.browser
def test_markup_of_others_on_the_page(served: Served, browser_page: Opened, rounds: Rounds) -> None:
    """`browser_page` sees to it that no other site was asked for anything."""
    shown = Scripted(ANSWER, pause=0)
    page = browser_page(served(shown, Fixed(())))
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
    for chosen in rounds(200, 12):
        hostile = markup(chosen)
        shown.answer = answer_of(hostile)
        page.evaluate("window.ran = 0")
        ask(page, QUESTION)
        finished(page)
        page.locator(".statement .cite").last.click()
        page.locator("#cited").wait_for()
        page.mouse.move(0, 0)
        page.locator(".statement .cite").last.hover()
        page.locator("#peek[data-on]").wait_for()
        whole = hostile.replace("\ufeff", "")
        assert whole in page.locator(".words").first.evaluate("e => e.textContent").replace("\ufeff", ""), (
            hostile
        )
        assert page.evaluate("window.ran") == 0, hostile
        made = page.evaluate(
            """() => [...document.querySelectorAll("#feud *, #peek *")].filter(e =>
                e.matches("img, script, iframe, object, video, math, link, meta, form, body")
                || [...e.attributes].some(a => a.name.startsWith("on") || /^javascript:/i.test(a.value))
                || (e.matches("a[href]") && e.getAttribute("href").includes("evil")))
                .map(e => e.outerHTML.slice(0, 200))"""
        )
        assert made == [], hostile
        page.mouse.move(0, 0)
        page.locator("[data-do=fresh]").click()
        page.locator(".intro").wait_for()


class Replays:
    """An assistant that gives one answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def stream(
        self, question: str, history: Sequence[Turn] = (), where: Filter = EVERYTHING
    ) -> Iterator[Answer]:
        yield self.answer


class Active(HTMLParser):
    """Collects what would run, load or link in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        runs = [name for name, value in attrs if name.startswith("on") or "javascript:" in (value or "")]
        if tag in ("script", "img", "iframe", "object", "link", "form", "base") or runs:
            self.found.append(tag)


def test_controls_and_markup_of_others_elsewhere(rounds: Rounds, capsys: pytest.CaptureFixture[str]) -> None:
    """In the terminal, in what is saved of an answer, and in the reports of an eval."""
    for chosen in rounds(120, 20):
        hostile = "".join(chosen.choices(CONTROLS, k=4)) + markup(chosen) + chosen.choice(CONTROLS) + "winter"
        hostile = hostile.replace("\n", " ")
        answer = answer_of(hostile)
        terminal.show(Replays(answer), hostile)  # type: ignore[arg-type]
        terminal.show_hits(answer.hits, as_json=False, explained=answer.question)
        print(chat.source(answer.citations[0], marked=False))
        told = capsys.readouterr()
        [row] = run(Says(hostile), CASES[:1], [LAKE])
        summary = summarise([row])
        saved = {form.ending: form.write([answer]) for form in FORMS.values()}
        pages = {"saved": saved["html"], "page": web_page(summary)}
        texts = {"terminal": told.out, "errors": told.err, "report": report(summary), **pages}
        for name, text in texts.items():
            odd = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")} - set(
                "\n\u200c\u200d"
            )
            assert not odd or name == "saved", (name, odd, hostile)
        for name, text in pages.items():
            parser = Active()
            parser.feed(text)
            assert parser.found == [], (name, hostile)
        for text in (saved["md"], texts["report"]):
            inner = [child for token in MarkdownIt().parse(text) for child in token.children or ()]
            links = [child for child in inner if child.type in ("link_open", "image", "html_inline")]
            assert [link.attrs for link in links] == [], hostile
            assert not [token for token in MarkdownIt().parse(text) if token.type == "html_block"], hostile
