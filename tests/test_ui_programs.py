"""What other programs get by HTTP: the contract, whole or growing, and OpenAI's form, by its client."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft202012Validator
from openai import APIError, BadRequestError, NotFoundError, OpenAI
from pydantic import BaseModel

from corpus import Document, Published
from index import ModelError, filtered
from rag import Answer, Question, Turn
from rag.contract import cited, described, happened, to_json
from rag.timeline import timeline
from tests.scripted import ANSWER, COST, COST_ZH, DOCUMENTS, HARBOUR, OPENED, QUAY, QUESTION, Fixed, Scripted
from tests.test_ui_site import PASSWORD, kept, request
from ui import shapes
from ui.access import Access
from ui.api import EXPECTED
from ui.seats import READERS, BusyError, Seats
from ui.site import LARGEST_OF_PROGRAMS

__all__ = ["kept"]
Served = Callable[..., str]
REFUSED = Answer(Question("Why?", "en", "Why?"), "not_in_documents", notice="The documents do not say.")
EVENTS = timeline([OPENED])


@contextmanager
def sent(
    address: str, path: str, body: object = None, method: str = "", **headers: str
) -> Iterator[HTTPResponse]:
    """The response to JSON that is sent."""
    connection = HTTPConnection(urlsplit(address).netloc, timeout=30)
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body)
    written = {"content-type": "application/json"} | {n.replace("_", "-"): v for n, v in headers.items()}
    connection.request(method or ("GET" if data is None else "POST"), path, data, written)
    try:
        yield connection.getresponse()
    finally:
        connection.close()


def got(address: str, path: str, body: object = None, **options: str) -> tuple[int, Any]:
    """The status and the JSON of a response."""
    with sent(address, path, body, **options) as response:
        return response.status, json.loads(response.read())


def mistake(address: str, path: str, body: object = None, **options: str) -> tuple[int, str]:
    """The status and the one line of a response that is none."""
    status, value = got(address, path, body, **options)
    shapes.Problem.model_validate(value)
    assert "\n" not in value["error"]["message"]
    return status, value["error"]["message"]


def events(response: HTTPResponse) -> Iterator[tuple[str, Any]]:
    """The events that come, each as soon as it is there."""
    name = ""
    for line in response:
        field, _, value = line.decode().rstrip("\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, value if value == "[DONE]" else json.loads(value)


def test_a_question_gets_the_contract(served: Served) -> None:
    scripted = Scripted()
    address = served(scripted, Fixed())
    history = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "The mayor."}]
    filters = {"languages": ["fr"], "since": "2021", "until": "2021-05"}
    status, answer = got(
        address, "/api/ask", {"question": QUESTION, "id": "7", "history": history, "filters": filters}
    )
    assert (status, answer) == (200, json.loads(json.dumps(to_json(ANSWER, "7"))))
    assert scripted.asked == [(QUESTION, (Turn("Who?", "The mayor."),))]
    assert scripted.where == filtered(["fr"], since="2021", until="2021-05")
    for citation in answer["citations"]:
        document = got(address, f"/api/documents/{citation['document']}")[1]
        assert document["text"][citation["start"] : citation["end"]] == citation["quote"]


@pytest.mark.parametrize("way", ["header", "field"])
def test_an_answer_grows_in_events_and_the_last_is_the_result(served: Served, way: str) -> None:
    address = served(Scripted(), Fixed())
    field, header = ({"stream": True}, {}) if way == "field" else ({}, {"accept": "text/event-stream"})
    with sent(address, "/api/ask", {"question": QUESTION, **field}, **header) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        names, answers = zip(*events(response), strict=True)
    assert names == ("snapshot",) * 4 + ("answer",)
    assert [a["status"] for a in answers] == ["searching", "writing", "writing", "writing", "answered"]
    assert [len(a["passages"]) for a in answers] == [0, 3, 3, 3, 3]
    assert [len(a["statements"]) for a in answers] == [0, 0, 1, 2, 2]
    assert answers[-1] == json.loads(json.dumps(to_json(ANSWER)))


def test_the_passages_come_while_the_model_is_silent(served: Served) -> None:
    gate = threading.Event()
    address = served(Scripted(gates={"words": gate}), Fixed())
    with sent(address, "/api/ask", {"question": QUESTION, "stream": True}) as response:
        coming = events(response)
        assert len([next(coming), next(coming)][1][1]["passages"]) == 3
        gate.set()
        assert [name for name, _ in coming][-1] == "answer"


def test_what_documents_say_is_read_without_a_model(served: Served) -> None:
    address = served(Scripted(), Fixed(events=EVENTS))
    found = got(address, "/api/search", {"question": " Combien ? ", "k": 2})[1]
    assert found["question"] == "Combien ?"
    assert [p["document"] for p in found["passages"]] == ["harbour.txt", "quay.txt"]
    assert found["passages"][0]["text"] == HARBOUR.text[found["passages"][0]["start"] :][:72].rstrip()
    assert got(address, "/api/documents?offset=1&limit=1")[1] == {"documents": [described(QUAY)], "total": 3}
    whole = got(address, "/api/documents/harbour.txt")[1]
    assert whole["text"] == HARBOUR.text
    assert [s["kind"] for s in whole["segments"]] == ["heading", "article", "article", "noise"]
    differ = got(address, "/api/disagreements")[1]
    assert [[c["quote"] for c in point] for point in differ["disagreements"]] == [[COST.text, COST_ZH.text]]
    assert (differ["sentences"], differ["compared"]) == (7, 5)
    assert got(address, "/api/timeline")[1] == {"events": json.loads(json.dumps(happened(EVENTS)))}


def test_what_is_no_utf8_is_sent_as_json_has_it(served: Served) -> None:
    torn = Document("a/half \ud83d.txt", "Half: \ud83d.", "")
    address = served(Scripted(), Fixed([torn]))
    assert got(address, "/api/documents")[1]["documents"][0]["id"] == torn.id
    nested = replace(torn, id="a/b.txt")
    address = served(Scripted(), Fixed([nested]))
    assert got(address, "/api/documents/a/b.txt")[1]["text"] == torn.text


MISTAKES: list[tuple[str, object, int, str]] = [
    ("/api/ask", {"question": "  "}, 400, "The question is empty"),
    ("/api/ask", {"question": "x" * 1001}, 422, "body.question: String should have at most 1000"),
    ("/api/ask", {"question": "Who?", "filter": {}}, 422, "body.filter: Extra inputs"),
    ("/api/ask", {"question": "Who?", "filters": {"since": "May"}}, 400, "'May' is no date"),
    (
        "/api/ask",
        {"question": "Who?", "history": [{"role": "system", "content": ""}]},
        422,
        "body.history.0.role",
    ),
    ("/api/ask", b'{"question": "W', 422, "body.13: JSON decode error"),
    ("/api/ask", b"[" * 50_000, 400, "There was an error parsing the body"),
    ("/api/ask", b'{"question": "\xff"}', 400, "There was an error parsing the body"),
    ("/api/search", {"question": "Who?", "k": 0}, 422, "body.k: Input should be greater than or equal to 1"),
    ("/api/search", {"question": "Who?", "k": True}, 422, "body.k"),
    ("/api/documents?limit=x", None, 422, "query.limit"),
    ("/api/documents/none%1B.txt", None, 404, "There is no document 'none\\x1b"),
    ("/api/", None, 404, f"Not Found. {EXPECTED}"),
    ("/v1/completions", {}, 404, "Not Found"),
    ("/v1/chat/completions", {"model": "feud", "messages": []}, 422, "body.messages: List should have"),
]


def test_a_mistake_is_one_line(served: Served) -> None:
    address = served(Scripted(), Fixed())
    for path, body, status, line in MISTAKES:
        code, message = mistake(address, path, body)
        assert (code, message[: len(line)]) == (status, line), path


def test_the_guard_stands_before_programs_too(served: Served, kept: Path) -> None:
    address = served(Scripted(), Fixed())
    large = json.dumps({"question": "x" * LARGEST_OF_PROGRAMS}).encode()
    assert mistake(address, "/api/ask", large) == (413, "The request is too large.")
    assert mistake(address, "/api/ask", {}, host="evil.example") == (421, "This name is not served here.")
    assert mistake(address, "/api/ask", {}, origin="https://evil.example") == (403, "Not from this page.")
    assert mistake(address, "/api/ask", method="PUT") == (405, f"Method Not Allowed. {EXPECTED}")
    assert request(address, "GET", "/api/documents")[1]["content-security-policy"].startswith("default-src")
    address = served(Scripted(), Fixed(), hosts=(), access=Access(kept))
    for path in ("/api/documents", "/api/openapi.json", "/v1/models"):
        assert mistake(address, path) == (401, "A password is needed.")
        assert got(address, path, authorization=f"Bearer {PASSWORD}", host="lamp.example")[0] == 200


def test_a_fault_is_told_and_never_in_foreign_words(served: Served) -> None:
    address = served(Scripted(error=ModelError("The vectors are none.")), Fixed())
    assert mistake(address, "/api/ask", {"question": "Who?"}) == (503, "The vectors are none.")
    with sent(address, "/api/ask", {"question": "Who?", "stream": True}) as response:
        *_, (name, value) = events(response)
    assert (name, value["error"]["message"]) == ("error", "The vectors are none.")


def test_programs_and_readers_take_turns() -> None:
    seats, served = Seats(at_once=1, waiting=4), []
    first = seats.ask("a")
    line = [("a", seats.ask("a")), ("a", seats.ask("a")), ("b", seats.ask("b")), ("page", seats.ask(READERS))]
    with pytest.raises(BusyError, match="3 questions are waiting, 2 of them yours"):
        seats.ask("a")
    line.append(("c", seats.ask("c")))
    with pytest.raises(BusyError, match="4 questions are waiting, 0 of them yours"):
        seats.ask("d")
    line.append(("page", seats.ask(READERS)))
    seats.leave(line[2][1])  # b does not wait any longer
    seats.leave(first)
    seats.leave(first)
    for _ in range(5):
        [(who, had)] = [(who, seat) for who, seat in line if seat.done() and not seat.cancelled()]
        served.append(who)
        line.remove((who, had))
        seats.leave(had)
    assert served == ["a", "page", "c", "a", "page"]
    with seats.taken("e"):
        pass


def test_too_many_are_told_when_to_come_again_and_who_leaves_frees_a_place(served: Served) -> None:
    gate = threading.Event()
    scripted = Scripted(gates={"words": gate})
    address = served(scripted, Fixed(), at_once=1, waiting=2)
    body = {"question": QUESTION, "stream": True}
    with ExitStack() as leaving:
        first = leaving.enter_context(sent(address, "/api/ask", {"question": "And this?", "stream": True}))
        next(events(first))
        with sent(address, "/api/ask", body) as second:
            assert second.status == 200  # it is in line
            with sent(address, "/api/ask", body) as third:
                assert (third.status, third.headers["retry-after"]) == (429, "5")
                shapes.Problem.model_validate(json.loads(third.read()))
            leaving.close()
            gate.set()  # that the first has left is noticed at its next word
            assert [name for name, _ in events(second)][-1] == "answer"
    assert [question for question, _ in scripted.asked] == ["And this?", QUESTION]
    assert scripted.closed == 1
    assert got(address, "/api/ask", {"question": QUESTION})[0] == 200


def known(address: str) -> OpenAI:
    return OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)


def test_openais_client_gets_a_cited_answer(served: Served) -> None:
    scripted = Scripted()
    with known(served(scripted, Fixed())) as client:
        assert [model.id for model in client.models.list()] == ["feud"]
        assert client.models.retrieve("feud").owned_by == "feud"
        done = client.chat.completions.create(
            model="feud",
            messages=[
                {"role": "system", "content": "Speak like a pirate."},
                {"role": "user", "content": "Who?"},
                {"role": "assistant", "content": "The mayor."},
                {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
            ],
            temperature=0.7,
            extra_body={"feud": {"filters": {"languages": ["fr"]}}},
        )
    assert scripted.asked == [(QUESTION, (Turn("Who?", "The mayor."),))]
    assert scripted.where == filtered(["fr"])
    [choice] = done.choices
    assert (choice.message.content, choice.finish_reason) == (ANSWER.text, "stop")
    first, second, third = choice.message.annotations or []
    assert first.url_citation.url == "https://example.org/port"
    assert first.url_citation.title == "Le port de Saint-Malo"
    marked = [ANSWER.text[a.url_citation.start_index : a.url_citation.end_index] for a in (first, second)]
    assert marked == ["[1]", "[2]"]
    cited_file: Any = third.model_dump()  # a document without an address
    assert ANSWER.text[cited_file["start_index"] : cited_file["end_index"]] == cited_file["text"] == "[3]"
    place = cited_file["file_citation"]
    assert (place["file_id"], place["quote"]) == ("quay.txt", QUAY.text[place["start"] : place["end"]])
    assert done.model_extra is not None
    assert done.model_extra["feud"] == json.loads(json.dumps(to_json(ANSWER, done.id)))


def test_openais_client_sees_the_answer_grow(served: Served) -> None:
    with known(served(Scripted(), Fixed())) as client:
        chunks = list(
            client.chat.completions.create(
                model="feud",
                messages=[{"role": "user", "content": QUESTION}],
                stream=True,
                stream_options={"include_usage": True},
            )
        )
    said = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    first = ANSWER.text.index(" It cost")
    assert said == ["", ANSWER.text[:first], ANSWER.text[first:], ""]
    *_, last, counted = chunks
    assert last.choices[0].finish_reason == "stop"
    assert last.model_extra is not None
    assert last.model_extra["feud"]["text"] == ANSWER.text
    extra: Any = last.choices[0].delta.model_extra
    assert [note["type"] for note in extra["annotations"]] == ["url_citation", "url_citation", "file_citation"]
    assert (counted.choices, counted.usage and counted.usage.total_tokens) == ([], 0)


def test_openais_client_is_told_what_went_wrong(served: Served) -> None:
    with known(served(Scripted(REFUSED), Fixed())) as client:
        ask = client.chat.completions.create
        done = ask(model="feud", messages=[{"role": "user", "content": "Why?"}])
        assert (done.choices[0].message.content, done.choices[0].message.annotations) == (REFUSED.notice, [])
        with pytest.raises(NotFoundError, match="There is no model 'gpt-5' here"):
            ask(model="gpt-5", messages=[{"role": "user", "content": "Why?"}])
        with pytest.raises(BadRequestError, match="No message is the user's"):
            ask(model="feud", messages=[{"role": "system", "content": "Why?"}])
        with pytest.raises(BadRequestError, match="1001 characters"):
            ask(model="feud", messages=[{"role": "user", "content": "x" * 1001}])
    with known(served(Scripted(error=ModelError("The vectors are none.")), Fixed())) as client:
        streamed = client.chat.completions.create(
            model="feud", messages=[{"role": "user", "content": "Why?"}], stream=True
        )
        with pytest.raises(APIError, match=r"^The vectors are none\.$"):
            list(streamed)


SHAPES: list[tuple[type[BaseModel], object]] = [
    (shapes.Answer, to_json(ANSWER)),
    (shapes.Answer, to_json(REFUSED)),
    (shapes.Document, described(replace(DOCUMENTS[2], published=Published()))),
    (shapes.Citation, cited(ANSWER.citations[0])),
]


@pytest.mark.parametrize(("shape", "value"), SHAPES)
def test_the_shapes_are_those_of_the_contract(shape: type[BaseModel], value: object) -> None:
    assert shape.model_validate(value).model_dump(by_alias=True) == value


def test_the_description_is_true_of_what_is_sent(served: Served) -> None:
    address = served(Scripted(), Fixed(events=EVENTS))
    described_as = got(address, "/api/openapi.json")[1]
    asked = {"/api/ask": {"question": QUESTION}, "/api/search": {"question": QUESTION}}
    held = {"/api/documents/{name}": "/api/documents/harbour.txt"}
    routes = {"ask", "search", "documents", "documents/{name}", "disagreements", "timeline"}
    assert set(described_as["paths"]) == {f"/api/{route}" for route in routes}
    for path, methods in described_as["paths"].items():
        [(method, operation)] = methods.items()
        status, value = got(address, held.get(path, path), asked.get(path))
        assert (status, method) == (200, "post" if path in asked else "get")
        [shape] = [
            c["schema"] for c in operation["responses"]["200"]["content"].values() if "$ref" in c["schema"]
        ]
        Draft202012Validator({**described_as, **shape}).validate(value)
        wrong, problem = got(address, held.get(path, path), {"no": 1} if path in asked else None, host="evil")
        assert wrong == 421
        schema = operation["responses"]["421"]["content"]["application/json"]["schema"]
        Draft202012Validator({**described_as, **schema}).validate(problem)
