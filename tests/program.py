"""The whole program as processes of their own, over a stub engine and a stub embedder."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from sys import executable
from urllib.request import urlopen

from tests.scripted_llm import ScriptedServer
from tests.stub_engine import PROGRAM

ROOT = Path(__file__).parents[1]


@contextmanager
def stub_models(home: Path, pause: float) -> Iterator[dict[str, str]]:
    """The environment of a program that keeps all in `home`; a word of its model takes `pause` seconds."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "stub").write_text("good")
    settings = json.dumps({"model": str(home / "stub"), "pause": pause})
    pipe = subprocess.PIPE
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FEUD_")}
    with (
        ScriptedServer() as embedder,
        subprocess.Popen(PROGRAM, stdin=pipe, stdout=pipe, text=True) as engine,
    ):
        assert engine.stdin
        assert engine.stdout
        engine.stdin.write(settings + "\n")
        engine.stdin.flush()
        yield kept | {
            "FEUD_HOME": str(home),
            "FEUD_EMBEDDER": f"{embedder.base_url}#close",
            "FEUD_LLM_BASE_URL": engine.stdout.readline().split()[1] + "/v1",
            "FEUD_LLM_MODEL": "stub",
        }


def seconds_written(environ: Mapping[str, str]) -> float:
    """For how long the stub engine has been writing."""
    with urlopen(environ["FEUD_LLM_BASE_URL"]) as answer:
        return float(answer.read())


def feud(environ: Mapping[str, str], *arguments: str) -> "subprocess.Popen[str]":
    """Start a command."""
    pipe = subprocess.PIPE
    command = [executable, "-c", "from ui.cli import main; main()", *arguments]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, env=environ, cwd=ROOT
    )


def done(environ: Mapping[str, str], *arguments: str) -> str:
    """What a command says that has to go well."""
    running = feud(environ, *arguments)
    said, told = running.communicate(timeout=300)
    assert running.returncode == 0, told
    return said


@contextmanager
def serving(environ: Mapping[str, str]) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """`feud serve` on a free port: its address and its process."""
    running = feud(environ, "serve", "--port", "0")
    try:
        assert running.stdout
        address = next((line for line in running.stdout if line.startswith("http://")), "").strip()
        assert address, running.communicate()[1]
        yield address, running
    finally:
        running.kill()
        running.communicate()
