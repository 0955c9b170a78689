"""The embedded engine: llama.cpp's own HTTP server in a child process on loopback, supervised.

The child is this module run as a program. It reads its settings and a random key from its standard
input, prints the address it listens on, and ends when that input closes, so it never outlives its parent.
Run apart, a crash of the engine costs one answer and not the page.
"""

import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import httpx2

from corpus import FeudError
from rag.beginnings import folder_for
from rag.errors import LLMError
from rag.watch import Watch
from rag.window import WINDOW


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an OpenAI-compatible server answers."""

    base_url: str
    api_key: str = field(repr=False)
    embedded: bool = False
    beginnings: Path | None = None
    """Where an embedded one keeps what it has read of prompts."""


PROGRAM = (sys.executable, "-P", "-m", "rag.engine")


def usable_cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Engine:
    """A GGUF model behind an endpoint. The child starts with the first call and again after a crash or a hang.

    `find` returns the model's file and is called before each start; `context` is in tokens. After
    `idle_seconds` without a question the child gives the model's memory back, and the next one loads it again.
    Below the folder `beginnings` stands what it has read of prompts. `program` is what runs as the child.
    """

    def __init__(
        self,
        find: Callable[[], Path],
        context_tokens: int = WINDOW,
        start_seconds: float = 120,
        idle_seconds: int = 900,
        beginnings: Path | None = None,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self._context, self._start_seconds, self._idle = context_tokens, start_seconds, idle_seconds
        self._find, self._beginnings, self._program = find, beginnings, program
        self._child: subprocess.Popen[str] | None = None
        self._endpoint = Endpoint("", "")
        self._lock = threading.Lock()

    def endpoint(self) -> Endpoint:
        """Return where the engine answers, starting it first if it is not running.

        Raises `LLMError` when the model's file can't be had or the child ends or hangs while it loads.
        """
        with self._lock:
            if self._child is None or self._child.poll() is not None:
                self._end()
                self._start()
            return self._endpoint

    def stop(self) -> None:
        """End the child, at once and for good or until the next `endpoint()`."""
        with self._lock:
            self._end()

    def __del__(self) -> None:
        self._end()

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None

    def _start(self) -> None:
        model = self._model()
        key, beginnings = secrets.token_urlsafe(32), None
        if self._beginnings:
            with suppress(OSError):  # they save time, no more
                beginnings = folder_for(model, version("xllamacpp"), self._beginnings)
        self._child = subprocess.Popen(
            self._program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._child.stdin is not None
        settings = {
            "model": str(model),
            "context": self._context,
            "idle": self._idle,
            "threads": usable_cores(),
            "key": key,
            "beginnings": f"{beginnings}{os.sep}" if beginnings else "",
        }
        with suppress(BrokenPipeError):  # it has ended already, as the wait for its address will find
            self._child.stdin.write(json.dumps(settings) + "\n")
            self._child.stdin.flush()
        watch = Watch(self._child)
        watch.address = self._address(model, time.monotonic() + self._start_seconds)
        self._endpoint = Endpoint(watch.address + "/v1", key, embedded=True, beginnings=beginnings)

    def _model(self) -> Path:
        try:
            return self._find()
        except FeudError as error:
            raise LLMError(str(error)) from error

    def _address(self, model: Path, deadline: float) -> str:
        """Wait until the child has printed its address and says that it is healthy."""
        child = self._child
        assert child is not None
        assert child.stdout is not None
        late = threading.Timer(deadline - time.monotonic(), child.kill)
        late.start()
        # Whatever else the native code prints comes before the one line that is ours.
        address = next((line.split()[1] for line in child.stdout if line.startswith("listening ")), "")
        late.cancel()
        while address and child.poll() is None and time.monotonic() < deadline:
            try:
                if httpx2.get(f"{address}/health", timeout=5, trust_env=False).status_code == 200:
                    return address
            except httpx2.TransportError:
                pass  # not listening yet
            time.sleep(0.05)
        self._end()
        busy = f" in {self._start_seconds:g} seconds. Ask again when the machine is less busy, or check"
        raise LLMError(
            f"The embedded engine did not start with {model.name}"
            f"{busy if time.monotonic() >= deadline else '. Check'} the file with: feud models verify"
        )


def main() -> None:
    """Serve one model until standard input closes. Settings come as one line of JSON on standard input."""
    settings = json.loads(sys.stdin.readline())

    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = settings["model"]
    # Weights are repacked for the processor: a mapped file would stand in memory beside them, 0.6 GB more.
    params.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE
    params.sleep_idle_seconds = settings["idle"]
    params.n_ctx = settings["context"]
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings["threads"]
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.api_keys, params.cors_origins = [settings["key"]], ""
    params.endpoint_slots = params.endpoint_metrics = params.ui = False
    params.slot_save_path = settings["beginnings"]
    params.cache_ram_mib = 256  # the default of 8 GiB is more than the laptop has to spare
    params.verbosity = -1
    server = xllamacpp.Server(params)
    print("listening", server.listening_address, flush=True)
    sys.stdin.read()
    os._exit(0)  # the server's threads have nothing to save


if __name__ == "__main__":
    main()
