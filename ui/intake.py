"""The routes by which the page adds documents, takes them out and brings them back, and has the index follow.

Files are sent one by one, then the index is made once:

    PUT /documents/NAME      keep the body as a file; 201 if it was not there
    DELETE /documents/NAME   take a file out
    POST /documents/NAME     bring it back
    POST /index              make the index equal to the folder: lines of JSON, {"words": …} while it is made;
                             the last, with "over": true, says what became of the files that the body names

A request needs the header X-Feud with the language of the page, which a form of another site can't send;
scripts of other sites are kept out by `ui.site.Guard`. What went wrong is one line of text, with status 400, or
413 for a file that is too large.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from corpus import FeudError
from corpus.read import MAX_BYTES
from index import Progress, Report
from ui.folder import Folder
from ui.reasons import reason_words
from ui.texts import nearest, say, speaking

if TYPE_CHECKING:
    from fastapi import FastAPI

HEADER = "x-feud"
LOG = logging.getLogger("feud.page")


def add_routes(app: "FastAPI", folder: Folder) -> None:
    """Let `app` change what is in `folder`."""

    async def change(request: Request) -> Response:
        language, name = _language(request), request.path_params["name"]
        if language is None:
            return PlainTextResponse("not from the page", 403)
        try:
            with speaking(language):
                if request.method == "PUT":
                    data = await _body(request)
                    if data is None:
                        line = f"{name}: {say('large', limit=MAX_BYTES // 1_000_000)}"
                        return PlainTextResponse(line, 413)
                    made = await run_in_threadpool(folder.put, name, data)
                    return Response(status_code=201 if made else 204)
                await run_in_threadpool(folder.take if request.method == "DELETE" else folder.put_back, name)
        except (FeudError, OSError) as error:
            return PlainTextResponse(str(error), 400)
        return Response(status_code=204)

    async def index(request: Request) -> Response:
        language = _language(request)
        if language is None:
            return PlainTextResponse("not from the page", 403)
        names = await _body(request) or b""
        lines = _lines(folder, names.decode("utf-8", "replace").split("\n"), language)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    app.add_route("/documents/{name:path}", change, methods=["PUT", "DELETE", "POST"])
    app.add_route("/index", index, methods=["POST"])


def _language(request: Request) -> str | None:
    """The language of the page that asks, None where another program or another site's page does."""
    wanted = request.headers.get(HEADER)
    return nearest(wanted) if wanted else None


async def _body(request: Request) -> bytes | None:
    """The body, None as soon as it is larger than a document may be."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MAX_BYTES:
            return None
    return bytes(data)


def _lines(folder: Folder, names: Sequence[str], language: str) -> Iterator[str]:
    """Say how far the index is. It is made to its end whether or not somebody listens."""
    steps: Queue[Progress | Report | str] = Queue()
    Thread(target=_make, args=(folder, steps), daemon=True).start()
    over = False
    while not over:
        step = steps.get()
        over = not isinstance(step, Progress)
        with speaking(language):  # left before the yield: each line may be asked for by another thread
            words = _words(step, names)
        yield json.dumps({"words": words, "over": over}) + "\n"


def _make(folder: Folder, steps: "Queue[Progress | Report | str]") -> None:
    try:
        for step in folder.index():
            steps.put(step)
    except (FeudError, OSError) as error:
        steps.put(str(error))
    except Exception:
        LOG.exception("the index was not made")
        steps.put("")


def _words(step: Progress | Report | str, names: Sequence[str]) -> str:
    """A step in words; the last says what became of each of these files, or what went wrong."""
    if isinstance(step, str):
        return step or say("unmade")
    if isinstance(step, Progress):
        return say(step.stage, done=step.done, total=step.total)
    named = [outcome for outcome in step.outcomes if outcome.id in names]
    words = [
        say(word, names=", ".join(own))
        for word, of in (("added", ("added", "changed")), ("removed", ("removed",)))
        if (own := [outcome.id for outcome in named if outcome.outcome in of])
    ]
    words += [f"{o.id}: {say('repeats', of=o.detail)}" for o in named if o.outcome == "duplicate"]
    words += [
        say("refused", name=o.id, reason=reason_words(o.detail)) for o in named if o.outcome == "quarantined"
    ]
    return " ".join(words) or say("unchanged")
