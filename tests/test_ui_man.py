"""The man page names every command and what each takes, and is one that roff reads."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from rag.settings import Settings
from ui.cli import app, extend
from ui.manual.man import page

MAN = Path(__file__).parents[1] / "ui" / "manual" / "feud.1"


def test_the_man_page_is_of_the_commands_as_they_are() -> None:
    assert MAN.read_text("utf-8") == page(), "make it again: python -m ui.manual.man > ui/manual/feud.1"


def test_no_command_option_or_setting_is_missing() -> None:
    extend()
    told = MAN.read_text("utf-8").replace(r"\-", "-")
    parts = dict(re.findall(r"^\.SS (feud[a-z ]*[a-z]).*?\n(.*?)(?=^\.S[SH] )", told, re.DOTALL | re.MULTILINE))
    takes = {f"feud {' '.join(names)}": options for names, options in commands(typer.main.get_command(app))}
    assert {"feud ask", "feud models pull", "feud eval retrieval", "feud eval"} <= set(takes)
    assert set(parts) == set(takes)
    missing = [
        (name, option)
        for name, options in takes.items()
        for option in options
        if not re.search(rf"^\.B .*{option}(?![\w-])", parts[name], re.MULTILINE)
    ]
    assert missing == []
    assert {f"FEUD_{name.upper()}" for name in Settings.__dataclass_fields__} == set(
        re.findall(r"^\.B (FEUD_\w+)$", told, re.MULTILINE)
    )


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff, which reads man pages, is not here")
def test_roff_reads_it_without_a_warning() -> None:
    command = ["groff", "-man", "-ww", "-Tutf8", "-Kutf8", str(MAN)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    plain = re.sub(".\b", "", done.stdout)
    assert "feud models pull" in plain
    assert "--extractive" in plain


def commands(group: Any, *names: str) -> list[tuple[tuple[str, ...], list[str]]]:
    """The names of all commands, and the long options of each."""
    found: list[tuple[tuple[str, ...], list[str]]] = []
    for name, command in group.commands.items():
        options = [o for p in command.params for o in p.opts if o.startswith("--") and o != "--help"]
        found.append(((*names, name), options))
        found += commands(command, *names, name) if hasattr(command, "commands") else []
    return found
