"""What stands before each question, as the engine has read it, kept on the disk.

Instructions and examples of a prompt never change, and are most of it. The engine reads each once with a "?" in
place of the question, so that no word of a reader or a document is kept, and saves what it has made of it [1];
that is there again after some milliseconds, in each later process, too.

[1] https://github.com/ggml-org/llama.cpp/tree/master/tools/server, POST /slots/{id}?action=save
"""

import hashlib
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import openai

    from rag.llm import Message, Prompt

_QUIET = 30.0  # seconds after which the engine may have given up its memory, and what was in it


class Beginnings:
    """What an engine has read of prompts; one reply at a time, as the engine has one slot."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._there, self._at = "", 0.0
        self._checked: set[Path] = set()

    @contextmanager
    def read(self, prompt: "Prompt", folder: Path, client: "openai.OpenAI", model: str) -> Iterator[None]:
        """Hold the engine, with the beginning of `prompt` read, for a reply.

        It is kept in `folder`. Where that fails the engine reads it with the rest, which takes longer.
        """
        import openai

        *beginning, _ = prompt
        name = hashlib.sha256(repr(beginning).encode()).hexdigest()[:16]
        there = f"{client.base_url} {name}"
        with self._lock:
            try:
                if self._there != there or time.monotonic() - self._at > _QUIET:
                    self._there = there
                    with suppress(openai.OpenAIError, OSError, TypeError, KeyError):
                        if beginning:
                            self._recall(name, beginning, folder, client, model)
                yield
            finally:
                self._at = time.monotonic()

    def _recall(
        self, name: str, beginning: "Sequence[Message]", folder: Path, client: "openai.OpenAI", model: str
    ) -> None:
        import openai

        for kept in folder.glob(f"{name}-*"):
            with suppress(openai.OpenAIError):
                # The engine ends over a damaged file.
                if kept in self._checked or kept.name == f"{name}-{_digest(kept)}":
                    self._checked.add(kept)
                    _slot(client, "restore", kept)
                    return
            kept.unlink()
        asked: Any = [asdict(message) for message in beginning] + [{"role": "user", "content": "?"}]
        client.chat.completions.create(model=model, messages=asked, max_tokens=1, temperature=0)
        new = folder / f"{name}.{threading.get_native_id()}"
        try:
            if _slot(client, "save", new)["n_written"] == new.stat().st_size:  # the disk was not full
                new.replace(folder / f"{name}-{_digest(new)}")
        finally:
            new.unlink(missing_ok=True)


def folder_for(model: Path, version: str, home: Path) -> Path:
    """Return the folder below `home` for what an engine of that version makes of a model's file, and make it.

    That of another file or version of this name is deleted. Raises OSError.
    """
    status = model.stat()
    made_by = hashlib.sha256(f"{model} {status.st_size} {status.st_mtime_ns} {version}".encode()).hexdigest()
    folder = home / f"{model.stem}-{made_by[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    for other in home.glob(f"{model.stem}-????????"):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    return folder


def _slot(client: "openai.OpenAI", action: str, file: Path) -> dict[str, Any]:
    address = str(client.base_url).rstrip("/").removesuffix("/v1") + f"/slots/0?action={action}"
    told: Any = client.post(address, cast_to=object, body={"filename": file.name})
    return dict(told)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]
