"""The routes for programs: the JSON of `rag.contract` by HTTP, described at /api/openapi.json.

    POST /api/ask             an answer; with `stream`, or Accept: text/event-stream, events while it grows
    POST /api/search          passages
    GET /api/documents        what is known of each document
    GET /api/documents/ID     the same of one, with its text and its segments
    GET /api/disagreements    the points on which documents differ
    GET /api/timeline         what happened when, and what tells it otherwise

`ui.site.Guard` stands before all of them.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import asdict
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from corpus import FeudError
from rag import Answer
from rag.contract import described, happened, to_json
from rag.question import checked
from ui import shapes
from ui.conversation import turns_of
from ui.folder import Shelf
from ui.programs import (
    LATER,
    Asked,
    Desk,
    compared,
    event,
    found,
    narrowed,
    problem,
    refused,
    sent,
    status_of,
    told,
)

DESCRIPTION = """Ask a folder of documents in any language; check every sentence of the answer.

`start` and `end` count characters of the document's text, and `text[start:end] == quote`, always."""
EXPECTED = "What is expected stands in /api/openapi.json."
DISPUTED = 1_000  # events that are compared with all other sentences, the first ones
EVENTS = {
    "text/event-stream": {
        "schema": {
            "type": "object",
            "description": '"snapshot", each whole, and at last "answer" or "error". The data of the first two '
            "are Answers, of the last a Problem.",
            "properties": {
                "event": {"enum": ["snapshot", "answer", "error"]},
                "data": {"type": "string", "contentMediaType": "application/json"},
            },
            "required": ["event", "data"],
        }
    }
}


def _mistakes(*codes: int) -> dict[int | str, dict[str, Any]]:
    what = {
        400: "The question or a filter can't be meant",
        401: "The password is missing or wrong",
        403: "From the page of another site",
        404: "There is no such document",
        413: "The request is too large",
        421: "This name is not served",
        422: "Not of the shape that is described",
        429: "Too many questions wait, or too many wrong passwords came; see Retry-After",
        503: "A model or the index is at fault",
    }
    return {code: {"model": shapes.Problem, "description": what[code]} for code in (401, 403, 421, *codes)}


def add_routes(app: FastAPI, desk: Desk, shelf: Shelf) -> None:
    """Let `app` answer programs."""

    @app.post(
        "/api/ask",
        summary="Ask a question",
        responses={
            200: {"model": shapes.Answer, "content": EVENTS},
            **_mistakes(400, 413, 422, 429, 503),
        },
    )
    async def ask(body: shapes.Ask, request: Request) -> Response:
        history = turns_of((message.role, message.content) for message in body.history)
        asked = Asked(body.question, tuple(history), narrowed(body.filters), body.id)
        if body.stream or "text/event-stream" in request.headers.get("accept", ""):
            return desk.events(asked, request, lambda answers: _events(answers, body.id))
        answer = await desk.answer(asked, request)
        return sent(to_json(answer, body.id)) if answer else Response(status_code=499)

    @app.post(
        "/api/search",
        summary="Find passages",
        responses={200: {"model": shapes.Found}, **_mistakes(400, 413, 422, 503)},
    )
    def search(body: shapes.Search) -> Response:
        question = checked(body.question)
        hits = shelf.search(question, body.k, narrowed(body.filters))
        return sent(found(question, hits))

    @app.get(
        "/api/documents",
        summary="List the documents",
        responses={200: {"model": shapes.Documents}, **_mistakes(422, 503)},
    )
    def documents(
        offset: Annotated[int, Query(ge=0, le=10**9)] = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 100
    ) -> Response:
        held = shelf.documents()
        shown = [described(document) for document in held[offset : offset + limit]]
        return sent({"documents": shown, "total": len(held)})

    @app.get(
        "/api/documents/{name:path}",
        summary="Read a document",
        responses={200: {"model": shapes.WholeDocument}, **_mistakes(404, 422, 503)},
    )
    def document(name: str) -> Response:
        held = shelf.document(name)
        if held is None:
            return refused(f"There is no document {name!r}.", 404)
        segments = [asdict(segment) for segment in held.segments]
        return sent(described(held) | {"text": held.text, "segments": segments})

    @app.get(
        "/api/disagreements",
        summary="Where documents differ",
        responses={200: {"model": shapes.Disagreements}, **_mistakes(503)},
    )
    def disagreements() -> Response:
        return sent(compared(shelf.differences()))

    @app.get(
        "/api/timeline",
        summary="What happened when",
        responses={200: {"model": shapes.Timeline}, **_mistakes(503)},
    )
    def timeline() -> Response:
        events = shelf.events()
        return sent({"events": happened([*shelf.disputed(events[:DISPUTED]), *events[DISPUTED:]])})


async def _events(answers: AsyncIterator[Answer], name: str) -> AsyncGenerator[str]:
    try:
        async for answer in answers:
            over = answer.status not in ("searching", "writing")
            yield event(to_json(answer, name), "answer" if over else "snapshot")
    except Exception as error:
        yield event(problem(told(error), status_of(error)), "error")


def program_app() -> FastAPI:
    """Return an application without routes whose mistakes are one line of JSON."""
    return FastAPI(
        title="feud",
        version=version("feud"),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,
        exception_handlers={
            RequestValidationError: _malformed,
            HTTPException: _unserved,
            FeudError: _failed,
            Exception: _failed,
        },
    )


async def _malformed(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return refused(f"{where}: {first['msg']}. {EXPECTED}", 422)


async def _unserved(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return refused(f"{error.detail}. {EXPECTED}", error.status_code, headers=error.headers)


async def _failed(_: Request, error: Exception) -> Response:
    status = status_of(error)
    wait = {"retry-after": str(LATER)} if status == 429 else {}
    return refused(told(error), status, headers=wait)
