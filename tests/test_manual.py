"""The manual says what is true: its pages are run, its site is whole, and loads nothing from elsewhere."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import html  # type: ignore[import-untyped]
from typer.testing import CliRunner

import rag
from rag.settings import Settings
from tests.manual import PAGES, blocks, difference
from tests.scripted_llm import DONE, Reply, ScriptedServer, finish, text, usage
from tests.test_ui_cli import FERRY, SOLD
from ui.cli import app, extend

ROOT = PAGES.parents[2]
NAMES = sorted(page.relative_to(PAGES).as_posix() for page in PAGES.rglob("*.md"))
REAL = "models: real"
RUN = [name for name in NAMES if "```console" in (PAGES / name).read_text("utf-8")]


@pytest.fixture
def endpoint() -> Iterator[ScriptedServer]:
    with ScriptedServer(Reply((text(SOLD), finish(), usage(50, 12), DONE))) as running:
        yield running


def marked(name: str) -> object:
    real = REAL in (PAGES / name).read_text("utf-8")
    return pytest.param(name, marks=pytest.mark.model) if real else name


@pytest.mark.parametrize("name", [marked(name) for name in RUN])
def test_a_page_is_true(
    name: str, tmp_path: Path, endpoint: ScriptedServer, request: pytest.FixtureRequest
) -> None:
    page = (PAGES / name).read_text("utf-8")
    environ = {n: v for n, v in os.environ.items() if not n.startswith(("FEUD_", "PYTHON"))}
    environ |= {"PATH": f"{programs(tmp_path)}:{environ['PATH']}", "FEUD_HOME": str(tmp_path / "home")}
    environ |= {"HF_HUB_OFFLINE": "1", "COLUMNS": "100", "LC_ALL": "C.UTF-8"}
    if REAL in page:
        shipped: Settings = request.getfixturevalue("shipped")
        shutil.copytree(shipped.home, tmp_path / "home")
        environ["FEUD_MODELS"] = str(shipped.models)
    else:
        (tmp_path / "home" / "documents").mkdir(parents=True)
        environ |= {"FEUD_EMBEDDER": f"{endpoint.base_url}#close", "FEUD_LLM_BASE_URL": endpoint.base_url}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    here = endpoint.base_url.removeprefix("http://").removesuffix("/v1")
    places = {"127.0.0.1:7860": f"127.0.0.1:{port}", "127.0.0.1:11434": here, "127.0.0.1:8000": here}
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "ferry.txt").write_text(FERRY, "utf-8")
    wrong = difference(page, folder, environ, places)
    assert wrong == "", wrong


def programs(folder: Path) -> Path:
    """A folder with `feud` and `python` as the shell finds them in an activated environment."""
    place = folder / "bin"
    place.mkdir()
    for name, start in (("feud", "-c 'from ui.cli import main; main()'"), ("python", "")):
        (place / name).write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} {start} "$@"\n')
        (place / name).chmod(0o755)
    return place


def test_every_block_is_run_understood_or_a_file() -> None:
    stray = [
        (name, block.language, block.text)
        for name in NAMES
        for block in blocks((PAGES / name).read_text("utf-8"))
        if block.language not in ("console", "sh", "nginx") and not block.title
    ]
    assert stray == []


def test_commands_that_are_not_run_exist() -> None:
    shown = [b.text for n in NAMES for b in blocks((PAGES / n).read_text("utf-8")) if b.language == "sh"]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    extend()
    seen = 0
    for line in "\n".join(shown).splitlines():
        words = [word for word in shlex.split(line) if not re.match(r"[A-Z_]+=", word)]
        if not words:
            continue
        if words[0] == "make":
            assert words[1] in targets
        if words[0] == "feud":
            help_ = CliRunner().invoke(app, [words[1], "--help"])
            assert help_.exit_code == 0, line
            assert [w for w in words[2:] if w.startswith("--") and w not in help_.output] == [], line
        seen += words[0] in ("make", "feud")
    assert seen >= 6


def test_the_site_is_whole_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-f", "ui/manual/mkdocs.yml"]
    environ = os.environ | {"PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        [*command, "-d", str(tmp_path)], capture_output=True, text=True, timeout=300, env=environ, cwd=ROOT
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > len(NAMES)
    loading = "//script/@src | //img/@src | //iframe/@src | //link[not(@rel='canonical')]/@href"
    loaded = {str(found) for page in pages for found in html.parse(page).xpath(loading)}
    assert "search/search_index.js" in {name.removeprefix("../") for name in loaded} | {
        file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.js")
    }
    styles = [file.read_text("utf-8") for file in tmp_path.rglob("*.css")]
    loaded |= {place for style in styles for place in re.findall(r"url\(([^)]*)\)", style)}
    assert {place for place in loaded if re.match(r"['\"]?(https?:)?//", place)} == set()
    assert "$FEUD_HOME/documents" in (tmp_path / "reference" / "settings.html").read_text("utf-8")
    assert "feud eval retrieval" in (tmp_path / "reference" / "commands.html").read_text("utf-8")


def test_the_names_of_the_package_are_those_of_the_reference() -> None:
    told = re.findall(r"^::: rag\.(\w+)$", (PAGES / "reference" / "python.md").read_text("utf-8"), re.M)
    assert sorted(told) == sorted(rag.__all__)


@pytest.mark.model
def test_the_notebook_runs(tmp_path: Path, shipped: Settings) -> None:
    notebook = tmp_path / "notebook.ipynb"
    shutil.copy(PAGES / "howto" / "notebook.ipynb", notebook)
    environ = {n: v for n, v in os.environ.items() if not n.startswith("FEUD_")} | {
        "FEUD_HOME": str(shipped.home),
        "FEUD_MODELS": str(shipped.models),
        "PYTHONPATH": str(ROOT),
        "IPYTHONDIR": str(tmp_path),
    }
    command = [sys.executable, "-c", "from nbclient.cli import main; main()", "--inplace", str(notebook)]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=200)
    assert done.returncode == 0, done.stderr
    cells = [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
    first, _, held = ["".join("".join(o["text"]) for o in cell["outputs"]) for cell in cells]
    assert "2018" in first
    assert {line.split()[-1] for line in held.splitlines()} == {"True"}
