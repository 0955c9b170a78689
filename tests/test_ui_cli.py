"""The command line, run as a reader runs it; embedder and language model stand behind a scripted endpoint."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from index import Report, build
from rag.settings import Settings
from tests.fakes import HashEmbedder
from tests.scripted import ANSWER
from tests.scripted_llm import DONE, Reply, ScriptedServer, finish, text, usage
from ui import terminal
from ui.access import keep_password
from ui.cli import app
from ui.doctor import CHECKS

Run = Callable[..., subprocess.CompletedProcess[str]]
COMMANDS = [
    "ask",
    "chat",
    "search",
    "batch",
    "add",
    "remove",
    "list",
    "disagreements",
    "index",
    "ingest",
    "serve",
    "password",
    "eval",
    "backup",
    "restore",
    "models",
    "doctor",
    "kept",
]
FERRY = """The ferry of Hellis

The ferry of Hellis was sold in 1911 to Marta Quist. It carried coal at first. The captain Oskar Lund kept \
goats on board. A storm sank it in 1923. Nobody drowned that night.
"""
SOLD = "The ferry of Hellis was sold in 1911 to Marta Quist."
ASKED = "Who was the ferry of Hellis sold to?"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(Reply((text(SOLD), finish(), usage(50, 12), DONE))) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "documents").mkdir()
    (tmp_path / "ferry.txt").write_text(FERRY, "utf-8")
    return tmp_path


@pytest.fixture
def feud(home: Path, server: ScriptedServer) -> Run:
    """Run `feud` in a process of its own over the temporary home."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("FEUD_")} | {
        "FEUD_HOME": str(home),
        "FEUD_EMBEDDER": f"{server.base_url}#close",
        "FEUD_LLM_BASE_URL": server.base_url,
        "FEUD_LLM_MODEL": "scripted",
        "FEUD_LLM_API_KEY": "sk-canary",
    }

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from ui.cli import main; main()", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environ, timeout=120, input=stdin)

    return run


def error(done: subprocess.CompletedProcess[str], exit_code: int) -> str:
    """The one line of an error, after which nothing was printed."""
    assert (done.returncode, done.stdout) == (exit_code, ""), done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line


def test_help_is_there_at_once_and_lists_every_command(feud: Run) -> None:
    done = feud("--help")
    assert done.returncode == 0
    assert [name for name in COMMANDS if f" {name} " not in done.stdout] == []
    heavy = (
        "import sys; import ui.cli; print({'torch', 'gradio', 'openai', 'faiss', 'numpy'} & sys.modules.keys())"
    )
    assert subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True).stdout == "set()\n"


def test_from_a_file_to_an_answer_and_back(feud: Run, home: Path, server: ScriptedServer) -> None:
    assert "is no index" in (line := error(feud("ask", ASKED), 1)) or "There is no index" in line
    assert line.endswith("Build it with: feud index")

    added = feud("add", str(home / "ferry.txt"))
    assert added.returncode == 0, added.stderr
    assert added.stdout.splitlines()[0].split() == ["added", "ferry.txt"]
    assert ": 1 document, " in added.stdout.splitlines()[-1]
    assert "is unchanged" in feud("index").stdout

    asked = feud("ask", ASKED)
    assert (asked.returncode, asked.stderr) == (0, "")
    assert asked.stdout.splitlines()[:3] == [f"{SOLD} [1] (perhaps the answer)", "", f"[1] “{SOLD}”"]
    value = json.loads(feud("ask", ASKED, "--json").stdout)
    assert (value["status"], value["text"]) == ("answered", f"{SOLD[:-1]} [1].")
    [cited] = value["citations"]
    assert FERRY[cited["start"] : cited["end"]] == cited["quote"] == SOLD
    found = json.loads(feud("search", ASKED, "-k", "1", "--json").stdout)
    assert [list(hit) for hit in found] == [["document", "start", "end", "language", "score"]]

    chat = feud("chat", "--extractive", stdin=f"{ASKED}\n{'a' * 1001}\n\n")
    assert chat.returncode == 0
    assert chat.stderr.startswith("error: The question has 1001 characters")

    server.reply = Reply((b'{"error": "sk-canary is wrong"}',), 401, "application/json")
    failed = feud("ask", ASKED)
    assert failed.returncode == 3
    assert "The language model did not answer; this is what the documents say." in failed.stdout
    [line] = failed.stderr.splitlines()
    assert line.startswith("error: The model scripted at http://127.0.0.1")
    assert "canary" not in failed.stdout + failed.stderr

    removed = feud("remove", "ferry.txt")
    assert removed.returncode == 0
    assert not (home / "documents" / "ferry.txt").exists()
    assert (home / "removed" / "1" / "ferry.txt").read_text("utf-8") == FERRY
    assert json.loads(feud("list", "--json").stdout) == {"documents": [], "others": []}
    assert removed.stdout.splitlines()[-1].startswith(f"There are no files in {home / 'documents'}.")
    assert feud("ask", "Wem wurde die Fähre verkauft?").stdout == "Es gibt noch keine Dokumente.\n"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (("add", "none.txt"), 1, "There is no file or folder"),
        (("remove", "none.txt"), 1, "There is no document 'none.txt'"),
        (("remove", "../ferry.txt"), 1, "is not in the documents folder"),
        (("list", "--explain", "x"), 1, "There is no index"),
        (("models", "pull", "gpt-9"), 3, "No model is named 'gpt-9'. Known models:"),
        (("models", "pull", "--source", "moon"), 1, "Use index or hub"),
        (("eval", "--against", "nowhere"), 1, "nowhere"),
    ],
)
def test_a_mistake_is_one_line_with_what_to_do(
    feud: Run, arguments: tuple[str, ...], exit_code: int, words: str
) -> None:
    assert words in error(feud(*arguments), exit_code)


def test_a_search_explains_itself_and_a_follow_up_is_made_standalone(feud: Run, home: Path) -> None:
    assert feud("add", str(home / "ferry.txt")).returncode == 0
    shown = feud("search", "And who was captain?", "-k", "1", "--explain", "--after", ASKED).stdout
    # The scripted model writes no question, so the last one is put before this one.
    assert shown.startswith(f"Searched for: {ASKED} And who was captain?\n")
    assert "· passage " in shown
    assert "· shares " in shown
    [found] = json.loads(feud("search", ASKED, "-k", "1", "--explain", "--json").stdout)
    assert {"ferri", "helli", "sold"} <= set(found["grounds"]["words"])
    assert found["score"] == max(found["grounds"]["sentences"])


def test_a_filter_that_can_not_be_meant_is_one_line(feud: Run, home: Path) -> None:
    assert feud("add", str(home / "ferry.txt")).returncode == 0
    assert json.loads(feud("search", ASKED, "--language", "fr", "--json").stdout) == []
    assert len(json.loads(feud("search", ASKED, "--language", "en", "--since", "1990", "--json").stdout)) > 0
    nobody = feud("ask", ASKED, "--publisher", "Rueters")
    assert (nobody.returncode, nobody.stdout) == (0, "No document passes the filters.\n")
    wrong = feud("search", ASKED, "--until", "12.02.2025")
    assert wrong.returncode == 1
    assert wrong.stderr == "error: '12.02.2025' is no date. Write 2025, 2025-02 or 2025-02-12.\n"


@pytest.mark.parametrize("arguments", [["ask"], ["search", "x", "-k", "0"], ["ask", "x", "--loud"], ["sing"]])
def test_wrong_usage_is_two(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_an_unusable_home_is_one_line(feud: Run, home: Path) -> None:
    (home / "index").write_text("no folder")
    for command in (["index"], ["list"], ["ask", "Who?"]):
        done = feud(*command)
        assert done.returncode in (1, 3)
        [line] = done.stderr.splitlines()
        assert line.startswith("error: ")


def test_the_doctor_says_what_is_wrong_and_goes_on(feud: Run) -> None:
    done = feud("doctor")
    lines = {line.split()[1]: line.split()[0] for line in done.stdout.splitlines()}
    assert list(lines) == [*CHECKS]
    assert (done.returncode, lines["sqlite"], lines["index"], lines["engine"]) == (3, "ok", "WRONG", "ok")
    assert lines["models"] == "ok"  # an endpoint needs no file


def test_control_characters_of_a_document_stay_off_the_terminal(feud: Run, home: Path) -> None:
    evil = FERRY.replace("coal", "\x1b[31mcoal\x07\u202e").replace("goats", "goats\u00a0and\u202fhens")
    (home / "ferry.txt").write_text(evil, "utf-8")
    assert feud("add", str(home / "ferry.txt")).returncode == 0
    shown = [feud(*command).stdout for command in (["search", "coal"], ["list", "--explain", "ferry.txt"])]
    for output in shown:
        assert "[31mcoal" in output
        assert "goats and hens" in output
        assert not {c for c in output if not c.isprintable()} - {"\n"}


def test_plain_makes_what_moves_a_cursor_visible() -> None:
    assert terminal.plain("a\rb\tc\x9bd\u2066e") == "a b c\ufffdd\ufffde"
    assert terminal.plain("می\u200cخواهم 97,4\u00a0% 桥\u3000") == "می\u200cخواهم 97,4 % 桥 "


def test_every_version_of_a_disagreement_is_shown() -> None:
    assert terminal.differing(ANSWER) == [
        *("", "The sources differ: what the quay cost"),
        *("  – 12 million euros [2]", "  – 15 million euros [3]"),
    ]


def test_sources_name_publisher_date_and_place() -> None:
    lines = terminal.sources(ANSWER)
    assert lines[1:3] == [
        "[1] “Le nouveau quai a ouvert le 3 mai 2021.”",
        "    Le Télégramme du port, 2021-05-04, fr · harbour.txt:23–62",
    ]
    assert "海港报, 2021-06, uncertain, zh" in lines[6]


@pytest.mark.model
def test_the_default_embedder_finds_an_added_document(home: Path) -> None:
    models = str(Settings.from_env().models)
    environ = {**os.environ, "FEUD_HOME": str(home), "FEUD_MODELS": models}
    for name in ("FEUD_DOCUMENTS", "FEUD_EMBEDDER"):
        environ.pop(name, None)

    def run(*arguments: str) -> str:
        command = [sys.executable, "-c", "from ui.cli import main; main()", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, env=environ, check=True, timeout=120
        ).stdout

    run("add", str(home / "ferry.txt"))
    [best] = json.loads(run("search", "Wem wurde die Fähre verkauft?", "-k", "1", "--json"))
    assert best["document"] == "ferry.txt"
    assert best["start"] <= FERRY.index(SOLD) < best["end"]


def test_the_doctor_mends_what_it_can(feud: Run, home: Path) -> None:
    (home / "documents" / "ferry.txt").write_text(FERRY, "utf-8")
    assert feud("index").returncode == 0
    keep_password(home / "password", "correct horse battery")
    (home / "password").chmod(0o644)
    for file in (home / "index").glob("volumes/*/*"):
        file.write_bytes(file.read_bytes()[:-1])
    mended = feud("doctor", "--fix")
    assert mended.returncode == 0, mended.stdout
    marks = [line.split()[:2] for line in mended.stdout.splitlines() if not line.startswith("ok")]
    assert marks == [["WRONG", "private"], ["mended", "private"], ["WRONG", "index"], ["mended", "index"]]
    (home / "index" / "catalogue.sqlite").write_bytes(b"nothing that SQLite knows" * 300)
    assert "mended index" in feud("doctor", "--fix").stdout
    assert feud("doctor").returncode == 0


def test_what_is_kept_is_shown_and_deleted(feud: Run, home: Path) -> None:
    (home / "eval" / "run").mkdir(parents=True)
    (home / "eval" / "run" / "rows.jsonl").write_text("x" * 2_000_000)
    assert "2.0 MB" in feud("kept").stdout
    done = feud("kept", "--forget", "runs", "--forget", "password")
    assert "2.0 MB" not in done.stdout
    assert not (home / "eval").exists()
    assert "Choose of: conversations" in error(feud("kept", "--forget", "models"), 1)


def test_an_index_that_is_made_anew_is_said_and_its_steps_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "a.txt").write_text("The ferry\n\nThe ferry was sold in 1911 to Marta Quist.\n")
    *steps, report = terminal.anew(build(tmp_path / "documents", tmp_path / "home", HashEmbedder()))
    assert steps
    assert isinstance(report, Report)
    assert capsys.readouterr() == ("", "The index is of an earlier feud and is made anew, once.\n")
