"""A conversation on the terminal: what can be ordered, and where cited words stand."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag import Citation
from tests.scripted import ANSWER, COST, HARBOUR, QUESTION, Scripted
from ui.chat import HELP, converse, source
from ui.cli import app


def told(capsys: pytest.CaptureFixture[str], tmp_path: Path, *lines: str) -> str:
    typed = iter([*lines, ""])
    converse(Scripted(), tmp_path / "asked", lambda _: next(typed))  # type: ignore[arg-type]
    return capsys.readouterr().out


def test_a_source_is_opened_at_the_cited_words(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    said = told(capsys, tmp_path, QUESTION, ":open 2")
    [second] = [citation for citation in ANSWER.citations if citation.number == 2]
    assert f"⟦{second.quote}⟧" in said
    assert said.index("⟦") > said.index(f"{second.document.id}:{second.start}–{second.end}")
    assert "\x1b" not in said  # no terminal: nothing is coloured
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (":help", HELP),
        (":open 9", "The last answer has [1]"),
        (":open", "has [1]"),
        (":sing", "no order :sing"),
    ],
)
def test_orders_say_what_they_are(
    line: str, words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert words in told(capsys, tmp_path, QUESTION, line)


@pytest.mark.parametrize("line", [":quit", "exit"])
def test_who_wants_to_leave_leaves(line: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert told(capsys, tmp_path, line, ":help") == ""


def test_before_a_question_there_are_no_sources(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "The last answer has no sources." in told(capsys, tmp_path, ":open 1")


def test_cited_words_are_in_reverse_on_a_terminal() -> None:
    shown = source(Citation(1, (COST,)), marked=True)
    words = HARBOUR.text[COST.start : COST.end]
    assert f"\x1b[7m{words}\x1b[27m" in shown


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        (["models", "list", "--json"], {"name", "kind", "bytes", "licence", "state", "default"}),
        (["kept", "--json"], {"what", "bytes", "where"}),
        (["doctor", "--json"], {"check", "ok", "found"}),
    ],
)
def test_what_is_data_is_json_on_demand(arguments: list[str], keys: set[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(app, arguments, env={"FEUD_HOME": str(tmp_path), "FEUD_MODELS": str(tmp_path)})
    rows = json.loads(done.stdout)
    assert rows
    assert all(set(row) == keys for row in rows)
    assert done.exit_code == (3 if arguments[0] == "doctor" else 0)
