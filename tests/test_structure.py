"""The shape of the house: imports run right to left, and only the rooms exist."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = {"corpus": set[str](), "index": {"corpus"}, "rag": {"corpus", "index"}}
LAYERS |= {top: {"corpus", "index", "rag"} for top in ("ui", "eval")}
FILES = [file.relative_to(ROOT) for layer in LAYERS for file in sorted((ROOT / layer).rglob("*.py"))]


def imported(tree: ast.AST) -> set[str]:
    """The top-level names that a module imports, wherever in it."""
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("file", FILES, ids=str)
def test_imports_point_one_way(file: Path) -> None:
    rooms = imported(ast.parse((ROOT / file).read_text("utf-8"))) & {*LAYERS, "tests"}
    assert rooms <= LAYERS[file.parts[0]] | {file.parts[0]}


def test_the_check_sees_imports_inside_functions() -> None:
    assert imported(ast.parse("def f():\n    from rag.llm import LLM\n    import ui.cli")) == {"rag", "ui"}
