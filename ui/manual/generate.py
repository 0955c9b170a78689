"""What the manual takes from the code, for MkDocs: pages made when it is built, files from other rooms.

MkDocs calls `on_files` before it reads the pages.
"""

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import griffe
import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from pydantic import BaseModel
from typer.testing import CliRunner

from rag.settings import Settings
from ui import shapes
from ui.cli import app, extend

ROOT = Path(__file__).parents[2]
TAKEN = {
    "reference/cases.md": "eval/cases/README.md",
    "reference/changes.md": "CHANGELOG.md",
    "reference/security.md": "SECURITY.md",
    "reports/size.svg": "eval/size.svg",
    "reports/store.svg": "eval/store.svg",
    **{f"pictures/{file.name}": f"ui/pictures/{file.name}" for file in (ROOT / "ui" / "pictures").iterdir()},
}
"""Files of other rooms by their place in the site."""
SHAPES = (
    *(shapes.Answer, shapes.Statement, shapes.Citation, shapes.Published, shapes.Disagreement),
    *(shapes.Version, shapes.Passage, shapes.Timing, shapes.Models),
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from code, and the files of other rooms."""
    for place, name in TAKEN.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / name)))
    made = {"commands": commands(), "settings": settings(), "json": contract()}
    for page, text in made.items():
        files.append(File.generated(config, f"reference/{page}.md", content=text))
    return files


def commands() -> str:
    """Every command with its arguments and options, from the command line itself."""
    extend()
    parts = [
        "# Commands\n\nWhat `feud COMMAND --help` says.\n\n"
        "Exit codes: 0 answered, or honestly not; 1 a mistake of yours; 2 wrong usage; 3 a fault of a model "
        "or a store; 4 an eval that is not as good as was asked for. A mistake is one line on standard error: "
        "what happened, and what to do."
    ]
    for names in _named(typer.main.get_command(app)):
        shown = CliRunner().invoke(app, [*names, "--help"], prog_name="feud", env={"COLUMNS": "100"})
        assert shown.exit_code == 0, (names, shown.output)
        parts.append(f"## feud {' '.join(names)}\n\n```text\n{shown.output.strip()}\n```")
    return "\n\n".join(parts) + "\n"


def _named(command: Any, *names: str) -> Iterator[tuple[str, ...]]:
    """The names of a command's own commands, and of theirs."""
    for own, each in getattr(command, "commands", {}).items():
        yield (*names, own)
        yield from _named(each, *names, own)


def settings() -> str:
    """The settings with their meanings, as a table."""
    lines = [
        "# Settings\n\nRead once, when a program starts, from variables of the environment.\n",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    home = Settings.from_env({"FEUD_HOME": "/FEUD_HOME"})
    for name, told in meanings().items():
        default = str(getattr(home, name)).replace("/FEUD_HOME", "$FEUD_HOME")
        default = "the platform's folder for a user's data" if name == "home" else default and f"`{default}`"
        lines.append(f"| `FEUD_{name.upper()}` | {default} | {_cell(told)} |")
    return "\n".join(lines) + "\n"


def meanings() -> dict[str, str]:
    """What each field of `Settings` means: what stands under it."""
    read: Any = griffe.load("rag.settings", search_paths=[ROOT])
    fields = Settings.__dataclass_fields__
    return {name: " ".join(read["Settings"].members[name].docstring.value.split()) for name in fields}


def contract() -> str:
    """The JSON of an answer, field by field, from the shapes that the tests hold each answer against."""
    lines = [
        "# JSON\n\nOne shape, `feud ask --json`, `feud batch`, `POST /api/ask`, the key `feud` of an "
        "OpenAI completion, the tool `ask` of `feud mcp`. `start` and `end` count characters of the decoded "
        "file, and `text[start:end] == quote`, always. Another shape gets another number under `schema`. All "
        "routes are described for programs at `/api/openapi.json` of a running `feud serve`.",
    ]
    for shape in SHAPES:
        lines += [
            f"\n## {shape.__name__}\n\n{_own_words(shape)}\n",
            "| field | type | meaning |",
            "|---|---|---|",
        ]
        for name, field in shape.model_fields.items():
            lines.append(
                f"| `{field.alias or name}` | {_cell(_type(field.annotation))} | {field.description or ''} |"
            )
    return "\n".join(lines) + "\n"


def _own_words(shape: type[BaseModel]) -> str:
    return shape.__doc__ or "" if "__doc__" in vars(shape) else ""


def _type(kind: Any) -> str:
    """A type as it reads in a table.

    >>> _type(str | None), _type(list[int])
    ('str or null', 'list of int')
    """
    if kind is type(None):
        return "null"
    if get_origin(kind) in (Union, types.UnionType):
        return " or ".join(map(_type, get_args(kind)))
    if get_origin(kind) is list:
        return f"list of {_type(get_args(kind)[0])}"
    if inner := get_args(kind):
        return ", ".join(f"`{value!r}`".replace("'", '"') for value in inner)
    return f"[{kind.__name__}](#{kind.__name__.lower()})" if issubclass(kind, BaseModel) else kind.__name__


def _cell(text: str) -> str:
    """A text as it may stand in a table."""
    return " ".join(text.split()).replace("|", r"\|")
