"""What programs ask over HTTP: how a request becomes an answer, and a mistake one line of JSON."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import anyio
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from corpus import FeudError
from index import EVERYTHING, Filter, FilterError, Hit, filtered
from rag import Answer, Turn
from rag.contract import passages, points
from rag.errors import QuestionError
from rag.question import checked
from ui.access import network
from ui.folder import Differences
from ui.seats import BusyError, Seats
from ui.shapes import Filters
from ui.talk import Answerer
from ui.terminal import plain

LATER = 5
"""Seconds after which one who was refused may ask again: about what an answer takes."""
PRIVATE = {"cache-control": "no-store"}
Written = Callable[[AsyncIterator[Answer]], AsyncGenerator[str]]
"""How the snapshots of an answer are sent."""
LOG = logging.getLogger("feud.programs")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a program asks it. Raises `QuestionError` for one that can't be asked."""

    question: str
    history: tuple[Turn, ...] = ()
    where: Filter = EVERYTHING
    name: str = ""

    def __post_init__(self) -> None:
        checked(self.question)


class Desk:
    """Where programs are answered, by turns with the readers of the page."""

    def __init__(self, answerer: Answerer, seats: Seats) -> None:
        self._answerer, self._seats = answerer, seats

    async def answer(self, asked: Asked, request: Request) -> Answer | None:
        """Return the result, None if whoever asked has left meanwhile. Raises `FeudError`."""
        seat = self._seat(request)
        answers = self._answers(asked, seat)
        last: Answer | None = None
        try:
            async for answer in answers:
                last = answer
                if await request.is_disconnected():
                    return None
        finally:
            await answers.aclose()
            self._seats.leave(seat)
        return last

    def events(self, asked: Asked, request: Request, written: Written) -> Response:
        """Return a response that sends each snapshot as `written`. Raises `BusyError`."""
        seat = self._seat(request)
        answers = self._answers(asked, seat)
        return _Events(written(answers), answers, lambda: self._seats.leave(seat))

    def _seat(self, request: Request) -> "Future[None]":
        return self._seats.ask(f"at {network(request.client.host if request.client else '')}")

    async def _answers(self, asked: Asked, seat: "Future[None]") -> AsyncGenerator[Answer]:
        await asyncio.wrap_future(seat)
        growing = grown(self._answerer.stream(asked.question, asked.history, asked.where))
        try:
            async for answer in iterate_in_threadpool(growing):
                yield answer
        finally:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(growing.close)


class _Events(StreamingResponse):
    """Server-sent events of an answer. However they end, the answer ends too, and its seat is left."""

    def __init__(
        self, events: AsyncGenerator[str], answers: AsyncGenerator[Answer], leave: Callable[[], None]
    ) -> None:
        # A proxy that buffers would hold the events back until the last one.
        super().__init__(events, media_type="text/event-stream", headers=PRIVATE | {"x-accel-buffering": "no"})
        self._events, self._answers, self._leave = events, answers, leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._events.aclose()
                await self._answers.aclose()
                self._leave()


def grown(snapshots: Iterable[Answer]) -> Generator[Answer]:
    """Leave out snapshots in which only the draft grew, which nobody has checked; the last is the result."""
    shown = None
    for answer in snapshots:
        what = answer.status, answer.statements, answer.hits
        if answer.status in ("searching", "writing") and what != shown:
            shown = what
            yield answer
    yield answer


def found(question: str, hits: Sequence[Hit]) -> dict[str, Any]:
    """What a search found, with the words of the passages: `ui.shapes.Found`."""
    words = [each | {"text": hit.passage.text} for each, hit in zip(passages(hits), hits, strict=True)]
    return {"question": question, "passages": words}


def compared(differ: Differences, offset: int = 0, limit: int | None = None) -> dict[str, Any]:
    """Where documents differ, and how much was looked at for that: `ui.shapes.Disagreements`."""
    stop = None if limit is None else offset + limit
    counts = {"sentences": differ.sentences, "compared": differ.compared}
    return {"disagreements": points(differ.found[offset:stop])} | counts


def narrowed(filters: Filters) -> Filter:
    """Raises `FilterError` for a day that is none."""
    return filtered(filters.languages, filters.publishers, filters.documents, filters.since, filters.until)


def dumped(value: object) -> str:
    """JSON in one line of ASCII: half a surrogate pair, which a document may have, is no UTF-8."""
    return json.dumps(value, separators=(",", ":"))


def event(value: object, name: str = "") -> str:
    """A server-sent event.

    >>> event({"text": "a"}, "answer")
    'event: answer\\ndata: {"text":"a"}\\n\\n'
    """
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {dumped(value)}\n\n"


def sent(value: object) -> Response:
    """A value as a JSON response."""
    return Response(dumped(value), media_type="application/json", headers=PRIVATE)


def problem(message: str, status: int, code: str | None = None) -> dict[str, Any]:
    """A mistake as JSON values, in the form that OpenAI's clients know, too."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    kind = "rate_limit_error" if status == 429 else kind
    return {"error": {"message": plain(message), "type": kind, "param": None, "code": code}}


def refused(
    message: str, status: int, code: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """A mistake as a response."""
    body = dumped(problem(message, status, code))
    return Response(body, status, PRIVATE | dict(headers or {}), "application/json")


def status_of(error: Exception) -> int:
    """Which status an error has: 400 for the asker's mistake, 429 for too many, 500 and 503 for faults here."""
    if isinstance(error, BusyError):
        return 429
    if isinstance(error, QuestionError | FilterError):
        return 400
    return 503 if isinstance(error, FeudError) else 500


def told(error: Exception) -> str:
    """What is said of an error: a `FeudError` in its own words; any other is logged and told without them."""
    if isinstance(error, FeudError):
        return str(error)
    LOG.error("a program was not answered", exc_info=error)
    return "Something went wrong here, and the log says what."
