"""What who runs it is told: that it lives, can answer, how many and how long; nothing of the words."""

import asyncio
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from corpus import FeudError
from index import EndpointEmbedder, ModelError, StoreFault
from rag import Answer, Question, Statement
from rag.engine import Endpoint
from rag.errors import LLMError, QuestionError
from rag.llm import OpenAILLM
from tests.reader import Reader
from tests.scripted import ANSWER, QUESTION, Fixed, Scripted
from tests.scripted_llm import DONE, Reply, ScriptedServer, finish, text, usage
from tests.test_ui_cli import ASKED, FERRY, SOLD
from tests.test_ui_programs import got
from tests.test_ui_site import PASSWORD, feud, kept
from ui import logs
from ui.access import Access
from ui.health import LINES, Probe, Readiness
from ui.observed import Account, Observed
from ui.tracing import sent_to, traces

__all__ = ["kept"]
Served = Callable[..., str]
ROOT = Path(__file__).parents[1]
SECRET = "Xylophanten"


def page(address: str, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    """The status of a response, and its text."""
    with closing(HTTPConnection(urlsplit(address).netloc, timeout=30)) as connection:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode()


def counted(address: str, **headers: str) -> dict[str, float]:
    """What is told to Prometheus, by name and labels."""
    status, text = page(address, "/metrics", **headers)
    assert status == 200
    return {
        " ".join([sample.name, *(value for _, value in sorted(sample.labels.items()))]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_it_says_that_it_lives_and_can_answer(served: Served) -> None:
    address = served(Scripted(), Fixed())
    assert page(address, "/health") == (200, "alive\n")
    assert page(address, "/ready") == (200, "ready\n")
    assert page(address, "/health", "HEAD")[0] == 200


def test_what_does_not_work_is_one_line_without_names(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    broken: set[str] = set()

    def check(part: str) -> Callable[[], None]:
        def look() -> None:
            if part in broken:
                raise StoreFault("10.1.2.3:19530", "no route to it")

        return look

    readiness = Readiness({part: check(part) for part in LINES}, every=0.0, patience=10.0)
    address = served(Scripted(), Fixed(), readiness=readiness)
    for part, line in LINES.items():
        broken.add(part)
        assert page(address, "/ready") == (503, f"not ready: {line}\n")
        assert page(address, f"/ready?without={part}") == (200, "ready\n")
        assert page(address, "/health")[0] == 200
        broken.clear()
        assert page(address, "/ready") == (200, "ready\n")
    assert [record.getMessage() for record in caplog.records][:2] == [
        "not ready: The store 10.1.2.3:19530 failed: no route to it. Check that it runs, then try again.",
        "ready again: index",
    ]


def test_probes_cost_one_check_and_never_wait_long() -> None:
    gate, checks = threading.Event(), list[float]()

    def hangs() -> None:
        checks.append(time.monotonic())
        gate.wait(30)

    async def look() -> None:
        probe = Probe("index", hangs, every=60.0, patience=0.05)
        assert await asyncio.gather(*(probe.good() for _ in range(20))) == [False] * 20
        gate.set()
        while not await probe.good():
            await asyncio.sleep(0.01)
        assert await asyncio.gather(*(probe.good() for _ in range(20))) == [True] * 20

    with ThreadPoolExecutor(1) as apart:  # in this thread the browser's loop may run
        apart.submit(lambda: asyncio.run(asyncio.wait_for(look(), 20))).result()
    assert len(checks) == 1


def test_strangers_may_know_that_it_lives_and_nothing_else(served: Served, kept: Path) -> None:
    address = served(Scripted(), Fixed(), hosts=(), access=Access(kept))
    assert page(address, "/health", host="10.0.0.7:7860") == (200, "alive\n")
    assert page(address, "/ready") == (200, "ready\n")
    for path in ("/metrics", "/health/", "/ready/../metrics", "//health", "/Health"):
        assert page(address, path)[0] == 401, path
    assert page(address, "/health", origin="https://evil.example")[0] == 403
    assert counted(address, authorization=f"Bearer {PASSWORD}")["feud_questions_total answered"] == 0
    assert page(served(Scripted(), Fixed()), "/health", host="evil.example")[0] == 421


def test_a_model_that_is_asked_whether_it_is_there_need_not_write() -> None:
    with ScriptedServer() as server:
        embedder = EndpointEmbedder(f"{server.base_url}#close")
        llm = OpenAILLM("scripted", lambda: Endpoint(server.base_url, "sk-7"))
        llm.check()
        embedder.embed_passages(["?"])
        server.status = 404
        llm.check()  # it has no list
        server.status = 401
        with pytest.raises(LLMError, match="failed: Error code: 401"):
            llm.check()
        assert [each["path"] for each in server.requests] == ["/v1/embeddings"]
    with pytest.raises(LLMError, match=r"The model scripted at http://127\.0\.0\.1:\d+/v1 failed"):
        llm.check()
    with pytest.raises(ModelError, match="Is it running"):
        EndpointEmbedder(embedder.name).embed_passages(["?"])


def test_questions_are_counted_with_how_long_they_took(served: Served) -> None:
    answers = {
        "?1": ANSWER,
        "?2": Answer(Question("?", "en", "?"), "not_in_documents", notice="The documents do not say."),
        "?3": replace(
            ANSWER,
            status="failed",
            statements=(Statement("Le quai.", (1,), "quoted", 0.3),),
            fault=f"The model said {SECRET}.",
        ),
    }
    address = served(Scripted(lambda question: answers[question]), Fixed(), at_once=1)
    for question in answers:
        assert got(address, "/api/ask", {"question": question})[0] == 200
    Reader(address).ask("?1")
    told = counted(address)
    assert {name: told[f"feud_questions_total {name}"] for name in ("answered", "not_in_documents")} == {
        "answered": 2,
        "not_in_documents": 1,
    }
    assert (told["feud_questions_total failed"], told["feud_faults_total model"]) == (1, 1)
    assert told["feud_statements_total none verified"] == 4
    assert told["feud_statements_total perhaps quoted"] == 1
    assert told["feud_stage_seconds_count first_word"] == 3
    assert told["feud_stage_seconds_sum whole"] == pytest.approx(14.4)
    assert told["feud_stage_seconds_bucket 0.025 evidence"] == 0
    assert told["feud_stage_seconds_bucket 0.05 evidence"] == 3
    assert (told["feud_wait_seconds_count model"], told["feud_wait_seconds_count page"]) == (4, 1)
    assert told["process_resident_memory_bytes"] > 1e7
    assert SECRET not in page(address, "/metrics")[1]


def test_faults_are_counted_by_what_is_at_fault(served: Served) -> None:
    faults: dict[str, FeudError | Exception] = {
        "store": StoreFault("x", "gone"),
        "embedder": ModelError("gone"),
        "model": LLMError("gone"),
        "index": FeudError("gone"),
        "program": ValueError(SECRET),
    }
    for name, error in faults.items():
        address = served(Scripted(error=error), Fixed())
        got(address, "/api/ask", {"question": QUESTION})
        told = counted(address)
        assert {each for each in faults if told[f"feud_faults_total {each}"]} == {name}
        assert told["feud_questions_total error"] == 1
    address = served(Scripted(error=QuestionError("No.")), Fixed())
    assert got(address, "/api/ask", {"question": QUESTION})[0] == 400
    told = counted(address)
    assert told["feud_questions_total mistake"] == 1
    assert sum(told[f"feud_faults_total {each}"] for each in faults) == 0


def test_who_waits_is_counted_and_who_is_turned_away(served: Served) -> None:
    gate = threading.Event()
    address = served(Scripted(gates={"words": gate}), Fixed(), at_once=1, waiting=4)
    asking = [threading.Thread(target=Reader(address).ask, args=(QUESTION,)) for _ in range(2)]
    asking += [
        threading.Thread(target=got, args=(address, "/api/ask", {"question": QUESTION})) for _ in range(2)
    ]
    for place, thread in enumerate(asking):
        thread.start()
        until = time.monotonic() + 60
        while (told := counted(address))["feud_answering"] + told["feud_waiting"] <= place:
            assert time.monotonic() < until, (place, told)
            time.sleep(0.02)
    assert (told["feud_answering"], told["feud_waiting"]) == (1, 3)
    assert got(address, "/api/ask", {"question": QUESTION})[0] == 429
    gate.set()
    for thread in asking:
        thread.join(30)
    told = counted(address)
    assert (told["feud_answering"], told["feud_waiting"], told["feud_busy_total"]) == (0, 0, 1)
    assert told["feud_questions_total answered"] == 4
    assert told["feud_wait_seconds_bucket 0.01 page"] < told["feud_wait_seconds_count page"] == 2


def account(answerer: Scripted, take: int | None = None) -> Account:
    """The account of one question, of which a reader sees `take` snapshots and leaves."""
    found: list[Account] = []
    snapshots = Observed(answerer, [found.append]).stream(f"{SECRET}?")
    with closing(cast("Generator[Answer]", snapshots)), suppress(FeudError, ValueError):
        for count, _ in enumerate(snapshots, start=1):
            if count == take:
                break
    [told] = found
    return told


def test_a_question_is_traced_step_by_step() -> None:
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    observe = sent_to(provider)
    observe(account(Scripted()))
    *steps, question = spans.get_finished_spans()
    names = ["understand", "search", "judge", "write", "check", "write", "check", "compare"]
    assert [step.name for step in steps] == names
    assert {step.parent and step.parent.span_id for step in steps} == {question.context.span_id}
    times = [moment or 0 for step in steps for moment in (step.start_time, step.end_time)]
    assert times == sorted(times)
    assert (question.start_time, question.end_time) == (times[0], times[-1])
    told = dict(question.attributes or {})
    assert (told["feud.outcome"], told["feud.statements"], told["feud.passages"]) == ("answered", 2, 3)
    assert question.status.is_unset
    spans.clear()
    observe(account(Scripted(error=StoreFault("x", SECRET))))
    *steps, question = spans.get_finished_spans()
    assert [step.name for step in steps] == ["understand", "search", "judge"]
    assert (question.status.is_ok, question.status.description) == (False, "store")
    assert SECRET not in question.to_json()


def test_an_account_tells_how_a_question_ended() -> None:
    refused = Answer(Question("?", "en", "?"), "not_in_documents", llm="scripted")
    assert account(Scripted(refused)).outcome == "not_in_documents"
    left = account(Scripted(), take=4)
    assert (left.outcome, left.fault) == ("stopped", "")
    assert left.steps[-1].name == "write"
    quoted = replace(ANSWER, statements=(replace(ANSWER.statements[0], support="quoted"),))
    assert [step.name for step in account(Scripted(quoted)).steps][-2:] == ["quote", "compare"]


def test_what_an_observer_breaks_over_is_logged_and_the_answer_stands(caplog: pytest.LogCaptureFixture) -> None:
    def breaks(_: Account) -> None:
        raise ValueError("no")

    *_, answer = Observed(Scripted(), [breaks]).stream(QUESTION)
    assert answer.status == "answered"
    assert [record.getMessage() for record in caplog.records] == ["a question was not accounted for"]


def test_an_exception_is_logged_without_what_it_says() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        record = logging.LogRecord("feud.page", logging.ERROR, "", 0, "broke", (), sys.exc_info())
    line = logs.JsonLines().format(record)
    told = json.loads(line)
    assert (told["level"], told["message"], told["error"]) == ("error", "broke", "ValueError")
    assert "test_an_exception_is_logged" in told["at"][-1]
    assert SECRET not in line


@contextmanager
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """The address of what takes traces, and what came there."""
    came: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(self.path.encode() + self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", came
        server.shutdown()


def test_the_program_logs_and_traces_without_a_word_and_says_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "ferry.txt").write_text(FERRY)
    reply = Reply((text(SOLD), finish(), usage(50, 12), DONE))
    with collector() as (traced, came), ScriptedServer(reply) as endpoint:
        feud(tmp_path, endpoint.base_url, "index").communicate(timeout=120)
        options = {
            "FEUD_LOG": "json",
            "OTEL_EXPORTER_OTLP_ENDPOINT": traced,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        server = feud(tmp_path, endpoint.base_url, "serve", "--port", "0", **options)
        try:
            assert server.stdout
            address = next(line for line in server.stdout if line.startswith("http://")).strip()
            assert page(address, "/ready") == (200, "ready\n")
            assert got(address, "/api/ask", {"question": ASKED})[1]["status"] == "answered"
            endpoint.status = 503  # of its list of models
            until = time.monotonic() + 60
            while (lacking := page(address, "/ready"))[0] == 200:
                assert time.monotonic() < until
                time.sleep(0.2)
            assert lacking == (503, f"not ready: {LINES['model']}\n")
            assert page(address, "/ready?without=model") == (200, "ready\n")
        finally:
            server.terminate()
            _, logged = server.communicate(timeout=60)
    [question, *others] = map(json.loads, logged.splitlines())
    assert (question["message"], question["outcome"], question["statements"]) == (
        "question",
        "answered",
        ["quoted perhaps"],
    )
    assert question["whole_ms"] >= question["evidence_ms"] >= 0
    assert {other["message"].partition(":")[0] for other in others} == {"not ready"}
    sent = b"".join(came)
    assert sent.startswith(b"/v1/traces")
    assert all(name in sent for name in (b"question", b"understand", b"search", b"judge", b"quote"))
    for private in ("ferry", "Marta Quist", "Hellis"):
        assert private not in logged
        assert private.encode() not in sent


def test_what_can_not_be_meant_is_said() -> None:
    with pytest.raises(FeudError, match=r"FEUD_LOG is 'xml'\. Set it to json, or leave it out\."):
        logs.begin("xml")
    assert traces({}) == []


def test_nothing_of_it_is_imported_or_needed_unless_asked_for() -> None:
    code = (
        "import sys\n"
        "sys.modules.update({'prometheus_client': None, 'opentelemetry.sdk': None})\n"
        "import ui.site, ui.tracing, ui.logs\n"
        "from ui.operations import counted\n"
        "print(counted(), ui.tracing.traces({}))\n"
        "try: ui.tracing.traces({'OTEL_EXPORTER_OTLP_ENDPOINT': 'http://127.0.0.1:9'})\n"
        "except Exception as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    said = "The packages for traces are missing. Install them with: pip install 'feud[tracing]'"
    assert done.stdout.splitlines() == ["None []", said], done.stderr
