"""Runs a page of the manual: its files are written, its commands run in one shell, what they print compared.

A block with a `title` is a file. A `console` block is run: behind `$ ` stand commands, below each what it
prints, where `...` is anything. `feud serve` and `feud mcp --http` go on in the background until the page ends.
A `sh` block is what can't be run here (other machines, other programs): its commands are only understood.
"""

import doctest
import re
import secrets
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PAGES = Path(__file__).parents[1] / "ui" / "manual" / "pages"
FENCE = re.compile(r"^( *)```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
LISTENS = re.compile(r"^feud (serve|mcp --http)\b")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the file that it is, if any, and its text."""

    language: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """What is typed, and what is printed."""

    typed: str
    printed: str


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page.

    >>> blocks('Do:\\n\\n```console\\n$ feud list\\n...\\n```\\n')
    [Block(language='console', title='', text='$ feud list\\n...\\n')]
    """
    found = [(indent, *rest) for indent, *rest in FENCE.findall(page)]
    return [
        Block(kind, title, re.sub(f"^{indent}", "", body, flags=re.M)) for indent, kind, title, body in found
    ]


def commands(text: str) -> list[Command]:
    """What is typed in a block, and below each command what it prints.

    >>> commands("$ echo a \\\\\\n  b\\na b\\n$ true\\n")
    [Command(typed='echo a \\\\\\n  b', printed='a b\\n'), Command(typed='true', printed='')]
    """
    found = []
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        typed = re.match(r"(?:.*\\\n)*.*", part)
        assert typed is not None
        found.append(Command(typed[0], part[len(typed[0]) + 1 :]))
    return found


def difference(page: str, folder: Path, environ: Mapping[str, str], places: Mapping[str, str]) -> str:
    """Run a page in `folder`; what is printed otherwise than it says, "" where nothing is.

    `places` are addresses of the page, and what stands for them here.
    """
    here = page
    for address, other in places.items():
        here = here.replace(address, other)
    mark, script, expected = secrets.token_hex(8), ["exec 2>&1; trap 'kill $(jobs -p) 2>/dev/null' EXIT"], []
    for block in blocks(here):
        if block.title:
            script.append(f"cat > {block.title} <<'{mark}'\n{block.text}{mark}")
        for command in commands(block.text) if block.language == "console" else ():
            expected.append(command)
            script += [_started(command, places) if LISTENS.match(command.typed) else command.typed]
            script += [f"echo {mark}"]
    run = subprocess.run(
        ["bash"], input="\n".join(script), cwd=folder, env=environ, capture_output=True, text=True, timeout=300
    )
    told = run.stdout.split(f"{mark}\n")
    wrong = [_wrong(command, printed) for command, printed in zip(expected, told, strict=False)]
    return "\n".join(filter(None, wrong)) or ("" if len(told) > len(expected) else run.stdout[-2000:])


def _started(command: Command, places: Mapping[str, str]) -> str:
    """A command that goes on in the background, waited for until it has printed what it should."""
    port = next((new.rpartition(":")[2] for old, new in places.items() if old.endswith(":7860")), "")
    typed = f"{command.typed} --port {port}" if command.typed.startswith("feud serve") else command.typed
    log = f"listening-{secrets.token_hex(4)}.log"
    last = shlex.quote(command.printed.splitlines()[-1])
    wait = f"for i in $(seq 600); do grep -qF {last} {log} && break; sleep 0.2; done; cat {log}"
    return f"{typed} > {log} 2>&1 &\n{wait}"


def _wrong(command: Command, printed: str) -> str:
    kinds = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    if doctest.OutputChecker().check_output(command.printed, printed, kinds):
        return ""
    return f"$ {command.typed}\nshould print:\n{command.printed}but printed:\n{printed}"
