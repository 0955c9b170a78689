"""What foreign libraries read, they read in a process of its own: it may hang, swell or break, and is ended."""

import atexit
import json
import os
import resource
import select
import subprocess
import sys
import threading
import time
from typing import Any

from corpus.errors import DocumentError, PassingError
from corpus.read import SUFFIXES, Content, extract

APART = tuple(suffix for suffix in SUFFIXES if suffix not in (".txt", ".md"))
SECONDS = 60.0
"""How long one file may take."""
MEMORY = 2 << 30
"""Bytes that the process may have."""
_IDLE = 20.0  # seconds without a file after which it ends by itself


class Reader:
    """A process that reads one file after another; it is started for the first, and again after its end."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def extract(self, suffix: str, data: bytes, seconds: float = SECONDS) -> Content:
        """As `corpus.read.extract`; raises PassingError for what takes too long or breaks the reader."""
        deadline = time.monotonic() + seconds
        with self._turn:
            try:
                try:
                    reply = self._ask(suffix, data, deadline)
                except (BrokenPipeError, EOFError):  # it may have ended for want of files just now
                    self.close()
                    reply = self._ask(suffix, data, deadline)
            except TimeoutError as error:
                self.close()
                reason = f"took longer than {seconds:.0f} s to read; save it as plain text"
                raise PassingError(reason) from error
            except (OSError, EOFError, ValueError) as error:
                self.close()
                raise PassingError("broke the program that reads it; save it as plain text") from error
        if "refused" in reply:
            raise DocumentError(reply["refused"])
        return Content(reply["text"], reply["properties"])

    def close(self) -> None:
        """End the process."""
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _ask(self, suffix: str, data: bytes, deadline: float) -> Any:
        process = self._started()
        assert process.stdin
        assert process.stdout
        sending = memoryview(f"{suffix} {len(data)}\n".encode() + data)
        reply = bytearray()
        while not reply.endswith(b"\n"):
            wanted = [process.stdin] if sending else []
            readable, writable, _ = select.select(
                [process.stdout], wanted, [], max(0, deadline - time.monotonic())
            )
            if not readable and not writable:
                raise TimeoutError
            if readable:
                piece = os.read(process.stdout.fileno(), 1 << 20)
                if not piece:
                    raise EOFError
                reply += piece
            elif writable:
                sending = sending[os.write(process.stdin.fileno(), sending[: select.PIPE_BUF]) :]
        return json.loads(reply)

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process and self._process.poll() is not None:
            self.close()
        if not self._process:
            # Without -P a file of the working directory could stand for one of ours.
            command = [sys.executable, "-P", "-c", "from corpus.apart import serve; serve()"]
            own = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere, env=own)
        return self._process


def serve() -> None:
    """Read files from standard input, and write a line of JSON for each, until none has come for a while."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no reply
    while select.select([0], [], [], _IDLE)[0]:
        header = sys.stdin.buffer.readline().split()
        if not header:
            return
        data = sys.stdin.buffer.read(int(header[1]))
        try:
            content = extract(header[0].decode(), data)
            reply: dict[str, Any] = {"text": content.text, "properties": content.properties}
        except DocumentError as error:
            reply = {"refused": str(error)}
        except Exception as error:  # whatever a library raises over a file is the file's fault
            reply = {"refused": f"can't be read: {type(error).__name__}"}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


READER = Reader()
atexit.register(READER.close)


def extract_apart(suffix: str, data: bytes) -> Content:
    """As `corpus.read.extract`, in the other process where the format is one of `APART`."""
    return READER.extract(suffix, data) if suffix in APART else extract(suffix, data)
