"""What stands before each question, as the engine has read it, kept on the disk.

Instructions and examples of a prompt never change, and are most of it. The engine reads each once with a "?" in
place of the question, so that no word of a reader or a document is kept, and saves what it has made of it [1];
that is there again after some milliseconds, in each later process, too.

[1] https://github.com/ggml-org/llama.cpp/tree/master/tools/server, POST /slots/{id}?action=save
"""

import hashlib
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.window import beside

if TYPE_CHECKING:
    import openai

    from rag.llm import Message, Prompt

_QUIET = 30.0  # seconds after which it is restored again: an idle engine gives back its memory with it
_UNUSED = 30 * 86_400  # seconds after which what no engine was started with is deleted


class Beginnings:
    """What an engine has read of prompts; one reply at a time, as the engine has one slot."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last, self._at = "", 0.0
        self._checked: set[Path] = set()
        self._refused = ""  # the engine that could not save

    @contextmanager
    def read(
        self, prompt: "Prompt", folder: Path, client: "openai.OpenAI", model: str, left: threading.Event
    ) -> Iterator[None]:
        """Hold the engine for a reply, with the beginning of `prompt` read unless the reader has `left`.

        It is kept in `folder`. Where that fails the engine reads it with the rest, which takes longer.
        """
        import openai

        *beginning, _ = prompt
        name = hashlib.sha256(repr(beginning).encode()).hexdigest()[:16]
        asked = f"{client.base_url} {name}"
        with self._lock:
            try:
                if not left.is_set():
                    if beginning and (self._last != asked or time.monotonic() - self._at > _QUIET):
                        with suppress(openai.OpenAIError, OSError, TypeError, ValueError, KeyError):
                            self._recall(name, beginning, folder, client, model)
                    self._last = asked
                yield
            finally:
                self._at = time.monotonic()

    def _recall(
        self, name: str, beginning: "Sequence[Message]", folder: Path, client: "openai.OpenAI", model: str
    ) -> None:
        import httpx2
        import openai

        for kept in folder.glob(f"{name}-*"):
            try:
                # The engine ends over a damaged file.
                if kept in self._checked or kept.name == f"{name}-{_digest(kept)}":
                    self._checked.add(kept)
                    _slot(client, "restore", kept)
                    return
            except openai.OpenAIError as error:
                if isinstance(error.__cause__, httpx2.ConnectError):  # it had ended before
                    raise
            kept.unlink()
        if self._refused == str(client.base_url):
            return
        asked: Any = [asdict(message) for message in beginning] + [{"role": "user", "content": "?"}]
        client.chat.completions.create(model=model, messages=asked, max_tokens=1, temperature=0)
        self._refused = str(client.base_url)
        new = folder / f"{name}.{secrets.token_hex(4)}"
        try:
            if 0 < _slot(client, "save", new)["n_written"] == new.stat().st_size:  # the disk was not full
                new.replace(folder / f"{name}-{_digest(new)}")
                self._refused = ""
        finally:
            new.unlink(missing_ok=True)


def folder_for(model: Path, version: str, home: Path) -> Path:
    """Return the folder below `home` for what an engine of that version makes of a model's file, and make it.

    What nobody uses any more is deleted. Raises OSError.
    """
    status, prompts = model.stat(), (files("rag") / "prompt.toml").read_text("utf-8")
    made_by = f"{model.name} {status.st_size} {status.st_mtime_ns} {version} {prompts}"
    folder = home / hashlib.sha256(made_by.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    for path in [*home.iterdir(), *folder.glob("*.*")]:  # the latter were not saved to their end
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _UNUSED:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    return folder


def _slot(client: "openai.OpenAI", action: str, file: Path) -> dict[str, Any]:
    return dict(beside(client, f"/slots/0?action={action}", {"filename": file.name}))


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]
