"""The man page, from the command line's own help: python -m ui.manual.man > ui/manual/feud.1

What makes man pages of click's commands does not know those of typer, which brings a click of its own.
"""

import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import typer

from ui.cli import app, extend
from ui.manual.generate import meanings

HEAD = r""".TH FEUD 1 "" "feud {version}" "User Commands"
.SH NAME
feud \- {help}
.SH SYNOPSIS
.B feud
.I COMMAND
.RI [ OPTIONS ]
.SH DESCRIPTION
Answers come from a folder of documents, in the language of the question;
each sentence points at the words it rests on.
Where the documents do not say, that is the answer.
.SH COMMANDS"""
FOOT = r""".SH EXIT STATUS
.TP
.B 0
Answered, or honestly not.
.TP
.B 1
A mistake of yours: one line on standard error says what happened, and what to do.
.TP
.B 2
Wrong usage.
.TP
.B 3
A fault of a model or a store.
.TP
.B 4
An eval that is not as good as was asked for.
.SH ENVIRONMENT
Read once, when a program starts.
{variables}
.SH FILES
.TP
.I $FEUD_HOME/documents
What is answered from.
.TP
.I $FEUD_HOME/examples.toml
Questions to try, for the page."""


def page() -> str:
    """The whole page, in the macros of man(7)."""
    extend()
    root: Any = typer.main.get_command(app)
    head = HEAD.format(version=version("feud"), help=_text(root.help.rstrip(".")))
    variables = "\n".join(_item(f"FEUD_{name.upper()}", told) for name, told in meanings().items())
    return "\n".join([head, *_commands(root, None), FOOT.format(variables=variables)]) + "\n"


def _commands(group: Any, parent: Any) -> Iterator[str]:
    """The commands of a group and of its own groups, each with what it takes."""
    around = group.make_context(group.name, [], parent=parent, resilient_parsing=True)
    for name, command in group.commands.items():
        context = command.make_context(name, [], parent=around, resilient_parsing=True)
        yield f".SS {_text(' '.join([context.command_path, *command.collect_usage_pieces(context)]))}"
        yield _text(" ".join((command.help or "").split()))
        for parameter in command.get_params(context):
            if "--help" not in parameter.opts:
                yield _item(*parameter.get_help_record(context))
        if hasattr(command, "commands"):
            yield from _commands(command, around)


def _item(name: str, meaning: str) -> str:
    return f".TP\n.B {_text(name)}\n{_text(' '.join(meaning.split()))}"


def _text(words: str) -> str:
    """Words as roff takes them.

    >>> _text(".toml, --json")
    '\\\\&.toml, \\\\-\\\\-json'
    """
    escaped = words.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    sys.stdout.write(page())
