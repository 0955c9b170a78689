"""Language models for tests: one that replays replies, and a scriptable OpenAI-compatible server."""

import json
import math
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import numpy as np

from index.embedder import Vector
from rag.errors import LLMError
from rag.llm import Piece, Prompt
from tests.fakes import HashEmbedder


class ScriptedLLM:
    """Replays replies in order, word by word, and remembers the prompts it was given.

    It fails after `fail_after` pieces of a reply, and like a real model stops at `max_tokens` pieces. It is
    `sure` that the sentences that end in one of `answers` answer, and no others; it believes every claim
    unless it `doubts`. Without `answers` it tells no probabilities.
    """

    name = "scripted"

    def __init__(
        self,
        *replies: str,
        fail_after: int | None = None,
        answers: Sequence[str] = (),
        sure: float = 0.95,
        doubts: bool = False,
    ) -> None:
        self.replies, self.fail_after, self.answers = list(replies), fail_after, answers
        self.sure, self.doubts = sure, doubts
        self.prompts: list[Prompt] = []

    def stream(self, prompt: Prompt, max_tokens: int) -> Iterator[Piece]:
        self.prompts.append(prompt)
        pieces = re.findall(r"\S+\s*|\s+", self.replies.pop(0))
        for count, text in enumerate(pieces[:max_tokens]):
            if count == self.fail_after:
                break
            yield Piece(text)
        if self.fail_after is not None and self.fail_after <= len(pieces):
            raise LLMError("The model scripted broke off.")
        written = min(len(pieces), max_tokens)
        yield Piece("", len(prompt), written, cut=len(pieces) > max_tokens)

    def yes(self, prompt: Prompt) -> float | None:
        if not self.answers:
            return None
        if "\nClaim: " in prompt[-1].content:
            return 0.1 if self.doubts else 0.95
        sentence = prompt[-1].content.partition("\nQuestion: ")[0]
        return self.sure if sentence.endswith(tuple(self.answers)) else 0.01


class CloseEmbedder(HashEmbedder):
    """A `HashEmbedder` whose cosines crowd between .85 and 1, as those of e5 do."""

    def __init__(self) -> None:
        super().__init__(dimension=65, name="close")
        self._words = HashEmbedder(dimension=64)

    def embed_question(self, text: str) -> Vector:
        own = np.sqrt(0.15) * self._words.embed_question(text)
        return np.asarray([np.sqrt(0.85), *own], np.float32)


def event(**fields: Any) -> bytes:
    """One server-sent event with JSON in it."""
    return b"data: " + json.dumps(fields, ensure_ascii=False).encode() + b"\n\n"


def text(words: str) -> bytes:
    """An event with a piece of the reply."""
    return event(id="1", object="chat.completion.chunk", choices=[{"index": 0, "delta": {"content": words}}])


def first_word(word: str, **others: float) -> bytes:
    """An event with the first word of a reply, and the probabilities of those that might have stood there."""
    likely = [{"token": token, "logprob": math.log(share)} for token, share in others.items()]
    told = {"content": [{"token": word, "logprob": -0.1, "top_logprobs": likely}]}
    return event(id="1", choices=[{"index": 0, "delta": {"content": word}, "logprobs": told}])


def finish(reason: str = "stop") -> bytes:
    """The event that ends the reply."""
    return event(id="1", choices=[{"index": 0, "delta": {}, "finish_reason": reason}])


def usage(prompt: int, generated: int) -> bytes:
    """The event that counts the tokens."""
    counts = {"prompt_tokens": prompt, "completion_tokens": generated, "total_tokens": prompt + generated}
    return event(id="1", choices=[], usage=counts)


DONE = b"data: [DONE]\n\n"
CUT = "cut"
"""A step that closes the connection without the end that HTTP asks for."""


@dataclass
class Reply:
    """An HTTP reply: its steps are bytes to send, seconds to wait, or `CUT`."""

    steps: Sequence[bytes | float | str]
    status: int = 200
    content_type: str = "text/event-stream"


@dataclass
class ScriptedServer:
    """An OpenAI-compatible server on loopback that plays `reply` to every request and remembers them.

    A request with a field that is `unknown` to it is refused. Its list of models has the `status` that is set.
    """

    reply: Reply = field(default_factory=lambda: Reply(()))
    unknown: str = ""
    status: int = 200
    requests: list[dict[str, Any]] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        """What is played to a request."""
        return vectors(body["input"]) if path.endswith("/embeddings") else self.reply

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"


def vectors(texts: Sequence[str]) -> Reply:
    """What an endpoint for embeddings answers, with the vectors of a `CloseEmbedder`."""
    rows = CloseEmbedder().embed_passages(texts).tolist()
    data = [{"object": "embedding", "index": row, "embedding": vector} for row, vector in enumerate(rows)]
    return Reply(
        (json.dumps({"object": "list", "data": data, "model": "close"}).encode(),), 200, "application/json"
    )


def _handler(server: ScriptedServer) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.requests.append({"path": self.path, "headers": self.headers, "body": body})
            with suppress(ConnectionError):  # the client may leave at any time
                if server.unknown in body:
                    self.play(Reply((b'{"error": {"message": "unknown field"}}',), 400, "application/json"))
                else:
                    self.play(server.answer(self.path, body))

        def do_GET(self) -> None:
            self.play(Reply((b'{"object": "list", "data": []}',), server.status, "application/json"))

        def play(self, reply: Reply) -> None:
            steps = list(reply.steps)
            if steps and isinstance(steps[0], float):
                server.stopping.wait(steps.pop(0))  # type: ignore[arg-type]
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for step in steps:
                if isinstance(step, float):
                    server.stopping.wait(step)
                elif isinstance(step, str):
                    self.close_connection = True
                    return
                else:
                    self.wfile.write(f"{len(step):x}\r\n".encode() + step + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
