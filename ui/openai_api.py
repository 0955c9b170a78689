"""An endpoint for what knows OpenAI's chat completions: the last question of a conversation is answered.

The answer's text has its marks, [1], and each mark an annotation: `url_citation` where the document has an
address, else one like the `file_citation` of OpenAI's assistants, with the words and where they stand. The
whole contract is under the key `feud`. See https://platform.openai.com/docs/api-reference/chat/object
"""

import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response

from rag import Answer, Citation
from rag.answer import marks
from rag.contract import to_json
from rag.errors import QuestionError
from ui.conversation import turns_of
from ui.describe import title, web_address
from ui.programs import Asked, Desk, event, narrowed, problem, refused, sent, status_of, told
from ui.shapes import Chat, ChatMessage

MODEL = "feud"
DONE = "data: [DONE]\n\n"
_SINCE = 1_735_689_600  # a moment that never changes, since clients compare


def add_routes(app: FastAPI, desk: Desk) -> None:
    """Let `app` answer as an OpenAI-compatible endpoint does."""
    model = {"id": MODEL, "object": "model", "created": _SINCE, "owned_by": MODEL}

    @app.get("/v1/models", include_in_schema=False)
    def models() -> Response:
        return sent({"object": "list", "data": [model]})

    @app.get("/v1/models/{name}", include_in_schema=False)
    def one_model(name: str) -> Response:
        return sent(model) if name == MODEL else _no_model(name)

    @app.post("/v1/chat/completions", include_in_schema=False)
    async def complete(body: Chat, request: Request) -> Response:
        if body.model != MODEL:
            return _no_model(body.model)
        asked = asked_in(body)
        if body.stream:
            usage = body.stream_options is not None and body.stream_options.include_usage
            return desk.events(asked, request, lambda answers: _chunks(answers, usage))
        answer = await desk.answer(asked, request)
        return sent(completion(answer)) if answer else Response(status_code=499)


def asked_in(body: Chat) -> Asked:
    """The last message of the user, what was said before it, and the filters. Raises `QuestionError`."""
    places = [place for place, message in enumerate(body.messages) if message.role == "user"]
    if not places:
        raise QuestionError("No message is the user's. Send one that asks something.")
    *before, last = body.messages[: places[-1] + 1]
    history = turns_of((message.role, _text(message)) for message in before)
    return Asked(_text(last), tuple(history), narrowed(body.feud.filters))


def completion(answer: Answer) -> dict[str, Any]:
    """An answer as a chat completion."""
    message = {"role": "assistant", "content": answer.text, "refusal": None, "annotations": annotations(answer)}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    head = _head("chat.completion")
    return head | {"choices": [choice], "usage": _usage(answer), "feud": to_json(answer, head["id"])}


def annotations(answer: Answer) -> list[dict[str, Any]]:
    """What each mark of the text points at; `start_index` to `end_index` are the mark's own characters."""
    cited = {citation.number: citation for citation in answer.citations}
    return [_annotation(cited[number], start, end) for number, start, end in marks(answer.statements)]


def _annotation(citation: Citation, start: int, end: int) -> dict[str, Any]:
    document = citation.document
    mark = {"start_index": start, "end_index": end}
    if address := web_address(document):
        return {"type": "url_citation", "url_citation": mark | {"url": address, "title": title(document)}}
    file = {"file_id": document.id, "filename": title(document), "quote": citation.quote}
    place = {"start": citation.start, "end": citation.end}
    return {"type": "file_citation", "text": f"[{citation.number}]", **mark, "file_citation": file | place}


async def _chunks(answers: AsyncIterator[Answer], usage: bool) -> AsyncGenerator[str]:
    """Each sentence once it is checked, at last the annotations and the contract."""
    head = _head("chat.completion.chunk")

    def chunk(delta: dict[str, Any], reason: str | None = None, **others: Any) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return event(head | {"choices": [choice]} | others)

    said = ""
    try:
        yield chunk({"role": "assistant", "content": ""})
        async for answer in answers:
            if more := answer.text[len(said) :]:  # statements appear one by one and never change
                yield chunk({"content": more})
            said = answer.text
    except Exception as error:
        yield event(problem(told(error), status_of(error)))
        return
    yield chunk({"annotations": annotations(answer)}, "stop", feud=to_json(answer, head["id"]))
    if usage:
        yield event(head | {"choices": [], "usage": _usage(answer)})
    yield DONE


def _usage(answer: Answer) -> dict[str, int]:
    read, written = answer.timing.prompt_tokens, answer.timing.generated_tokens
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _head(kind: str) -> dict[str, Any]:
    name = f"chatcmpl-{secrets.token_hex(12)}"
    return {"id": name, "object": kind, "created": int(time.time()), "model": MODEL}


def _text(message: ChatMessage) -> str:
    """The words of a message; of its parts those that are text."""
    if isinstance(message.content, str):
        return message.content
    return "\n".join(part.text for part in message.content or () if part.type == "text")


def _no_model(name: str) -> Response:
    return refused(f"There is no model {name!r} here. The only one is {MODEL!r}.", 404, "model_not_found")
