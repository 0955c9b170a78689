"""What others measure: their own cases, with the line of each mistake, compared and bounded, in a workflow."""

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html  # type: ignore[import-untyped]
from typer.main import get_command
from typer.testing import CliRunner

from corpus import FeudError
from corpus.shipped import seed
from eval.bounds import BoundError, NotEnoughError, bound
from eval.casefile import CaseError, load, mistakes
from eval.command import app
from eval.plot import Bar, intervals
from eval.summary import compare, summarise
from eval.web_report import web_page
from index import build
from rag.opening import open_embedder
from rag.settings import Settings
from tests.documents import documents_of
from tests.scripted_llm import DONE, Reply, ScriptedServer, finish, text, usage
from tests.test_eval_report import RIGHT, WRONG, hostile, summary
from tests.test_ui_cli import FERRY, SOLD
from ui.cli import app as feud

EXAMPLES = Path(__file__).parents[1] / "eval" / "examples"
TEMPLATE = (EXAMPLES / "cases.toml").read_text("utf-8")
OWN = f"""# What became of the ferry.
[quotes."ferry.txt"]
sold = "{SOLD}"

[facts]
owner = ["Quist"]
""" + "".join(
    f"""
[[case]]
id = "sold-{number}"
question = "{question}"
needs = ["sold"]
facts = ["owner"]
"""
    for number, question in enumerate(
        (
            "Who was the ferry of Hellis sold to?",
            "To whom was the ferry of Hellis sold in 1911?",
            "Who bought the ferry of Hellis?",
            "The ferry of Hellis was sold to whom?",
            "In 1911 the ferry of Hellis was sold: to whom?",
        )
    )
)
Command = Callable[..., Any]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(Reply((text(SOLD), finish(), usage(50, 12), DONE))) as running:
        yield running


@pytest.fixture
def command(tmp_path: Path, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run `feud eval …` over one document, in `tmp_path`."""
    environ = {
        "FEUD_HOME": str(tmp_path / "home"),
        "FEUD_DOCUMENTS": str(tmp_path / "documents"),
        "FEUD_EMBEDDER": f"{server.base_url}#close",
        "FEUD_LLM_BASE_URL": server.base_url,
        "FEUD_LLM_MODEL": "scripted",
    }
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "ferry.txt").write_text(FERRY, "utf-8")
    own = Settings.from_env(environ)
    assert list(build(own.documents, own.home, open_embedder(own)))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, arguments, env=environ)


def shipped(home: Path) -> dict[str, str]:
    seed(home / "documents")
    return {document.id: document.text for document in documents_of(home / "documents")}


def test_the_template_holds_against_the_shipped_documents(tmp_path: Path) -> None:
    texts = shipped(tmp_path)
    cases = load(EXAMPLES / "cases.toml")
    assert [case.kind for case in cases] == ["one_fact", "several_documents", "follow_up", "unanswerable"]
    assert [case.language for case in cases] == ["en", "fr", "en", "en"]
    assert mistakes(EXAMPLES / "cases.toml", cases, texts) == []
    assert CliRunner().invoke(app, ["template"]).stdout == TEMPLATE


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("verließ 2018", "verließ  2018", "9: left-year: 000_0798723971b9266c.txt does not hold the quote"),
        ('"003_d6af93d0565fa1b0.txt"', '"x.txt"', "11: left-year: there is no document 'x.txt'; feud list"),
        ('"several_documents" ', '"riddle" ', "31: left-and-bid: kind 'riddle' is none of one_fact"),
        ('id = "left-follow-up"', 'id = "left-year"', "39: left-year: the id stands 2 times"),
        ("answerable = false\n", "", "49: left-why-bezos: answerable, but without needs or without facts"),
        ('"fr"  ', '"french"', "33: left-and-bid: language 'french' is no two letters"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: str) -> None:
    texts = shipped(tmp_path)
    assert old in TEMPLATE
    (tmp_path / "mine.toml").write_text(TEMPLATE.replace(old, new), "utf-8")
    found = mistakes(tmp_path / "mine.toml", load(tmp_path / "mine.toml"), texts)
    assert any(each.startswith(f"mine.toml:{line}") for each in found), found


@given(
    st.integers(0, len(TEMPLATE)), st.text(max_size=6) | st.sampled_from(["[", "1", "[[case]]\n", "{}", '""'])
)
@settings(max_examples=50, deadline=None)
def test_any_file_is_read_or_refused_in_one_line(at: int, put: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "cases.toml")
        file.write_text(TEMPLATE[:at] + put + TEMPLATE[at + len(put) :], "utf-8", errors="replace")
        try:
            told = mistakes(file, load(file), {})
        except CaseError as error:
            told = [str(error)]
        assert told
        assert all(line.startswith("cases.toml") and "\n" not in line for line in told)


def test_own_cases_are_asked_compared_and_bounded(
    command: Command, server: ScriptedServer, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text(OWN, "utf-8")
    assert "5 cases, nothing wrong" in command("check", "mine.toml").stdout
    first = command("--cases", "mine.toml", "--folder", "accepted", "--fail-below", "facts=1")
    assert first.exit_code == 0, first.output
    assert "Report: accepted/report.html" in first.stdout
    server.reply = Reply((b"{}",), 401, "application/json")
    later = command("--cases", "mine.toml", "--compare", "accepted", "--fail-worse", "--fail-above", "failed=0")
    assert "· answered: better none; worse sold-0, sold-1, sold-2, sold-3, sold-4" in later.stdout.replace(
        "\n", " "
    )
    assert isinstance(later.exception, NotEnoughError)
    assert later.exception.exit_code == 4
    assert str(later.exception).startswith(
        "failed is 1.000, above 0; answered went from 1.000 to 0.000 (cases: sold-0"
    )


def test_nothing_is_asked_of_cases_with_a_mistake(
    command: Command, server: ScriptedServer, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text(OWN.replace("sold-1", "sold-0").replace("Quist", "Lund"), "utf-8")
    done = command("--cases", "mine.toml")
    assert isinstance(done.exception, CaseError)
    assert done.stderr.splitlines()[0] == "mine.toml:15: sold-0: the id stands 2 times; give each case its own"
    assert str(done.exception).endswith("(and the 1 above)")
    assert not (tmp_path / "home" / "eval").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--fail-below", "beauty=1"), "No measure is named 'beauty'"),
        (("--fail-below", "facts"), "'facts' has no number. Write: --fail-below facts=0.5"),
        (("--fail-above", "facts=nan"), "has no number"),
        (("--fail-worse",), "Name it: --compare RUN"),
        (("--compare", "nowhere"), "There is no eval run in nowhere"),
        (("--cases", "none.toml"), "There is no none.toml. Write one with: feud eval template"),
    ],
)
def test_a_wrong_wish_is_one_line_before_anything_is_asked(
    command: Command, arguments: tuple[str, ...], words: str
) -> None:
    done = command(*arguments)
    assert isinstance(done.exception, FeudError)
    assert words in str(done.exception)


def test_what_no_case_measures_keeps_no_bound() -> None:
    with pytest.raises(BoundError):
        bound("=1", "above")
    from eval.bounds import missed

    made = summary(RIGHT, WRONG, RIGHT, RIGHT)
    kept = [bound("facts=0.66", "below"), bound("hallucination=1", "above"), bound("failed=0", "above")]
    assert list(missed(kept, made)) == []
    broken = [bound("facts=0.7", "below"), bound("hallucination=0.9", "above"), bound("forbidden=1", "above")]
    assert [line.split(" is ")[0] for line in missed(broken, made)] == [
        "facts",
        "hallucination",
        "forbidden: no case measures it",
    ]


def test_the_page_holds_plots_changes_and_no_markup_of_others() -> None:
    earlier, later = summary(WRONG, *[RIGHT] * 3, name="<b>earlier"), summary(RIGHT, WRONG, RIGHT, RIGHT)
    page = html.document_fromstring(web_page(later, compare(earlier, later)))
    assert page.xpath("//h2")[0].text_content() == "Against <b>earlier"
    assert len(page.xpath("//*[local-name()='svg']")) == 2
    changed = {d.xpath("summary")[0].text_content(): d.text_content() for d in page.xpath("//details")}
    assert "one-0: facts better" in changed
    assert "one-1: facts worse" in changed
    assert "winter" in changed["one-1: facts worse"]
    assert page.xpath("//@src | //@href | //script | //link") == []
    evil = web_page(summarise([hostile()]))
    assert not {"\x1b", "\u202e"} & set(evil)
    assert html.document_fromstring(evil).xpath("//img") == []
    assert "&lt;img src=x&gt;" in evil


def test_an_interval_is_drawn_where_it_lies() -> None:
    drawn = html.fragment_fromstring(intervals("what", [Bar("a", 0.0, -0.5, 0.5, "n 3")], low=-1.0))
    [dot], [*_, whisker] = drawn.xpath("//circle"), drawn.xpath("//line")
    x1, middle, x2 = float(whisker.get("x1")), float(dot.get("cx")), float(whisker.get("x2"))
    left, right = (float(line.get("x1")) for line in (drawn.xpath("//line")[0], drawn.xpath("//line")[4]))
    assert middle - left == pytest.approx(right - middle, abs=0.2)
    assert x2 - x1 == pytest.approx((right - left) / 2, abs=0.2)


def test_the_workflow_holds_commands_that_are_there(command: Command, tmp_path: Path) -> None:
    job = yaml.safe_load((EXAMPLES / "workflow.yml").read_text("utf-8"))["jobs"]["answers"]
    lines = [shlex.split(step["run"]) for step in job["steps"] if step.get("run", "").startswith("feud ")]
    assert [line[1:3] for line in lines[:3]] == [["models", "pull"], ["index"], ["eval", "check"]]
    whole = typer.Typer()
    whole.add_typer(feud)
    whole.add_typer(app, name="eval")
    for line in lines[:2]:
        with get_command(whole).make_context("feud", line[1:]) as context:
            assert context.info_name
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "cases.toml").write_text(OWN, "utf-8")
    assert command("--cases", "answers/cases.toml", "--folder", "answers/accepted").exit_code == 0
    for line in lines[2:]:  # with what the last comment of the file asks for, they run as they stand there
        assert line[1] == "eval"
        done = command(*(each for each in line[2:] if "hallucination" not in each and each != "--fail-above"))
        assert done.exit_code == 0, done.output
    assert (tmp_path / job["steps"][-1]["with"]["path"] / "report.html").exists()
