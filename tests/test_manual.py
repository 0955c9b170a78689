"""The manual says what is true: its pages are run, its site is whole, and nothing in it comes from elsewhere."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.settings import Settings
from tests.manual import PAGES, blocks, commands, difference
from tests.scripted_llm import DONE, Reply, ScriptedServer, finish, text, usage
from tests.test_ui_cli import FERRY, SOLD

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
