"""What Prometheus is told, by the extra `feud[metrics]`: how many, how long, never what was asked or said."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from importlib.metadata import version
from typing import get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from ui.observed import Account, Fault, Outcome
from ui.seats import BusyError, Seats

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10, 15, 20, 30, 60, 120)
"""Buckets: evidence takes hundredths of a second, an answer on two cores some seconds."""


class Metrics:
    """Counts accounts of questions; of this process alone, as Prometheus sums over many."""

    def __init__(self) -> None:
        own = self._registry = CollectorRegistry()
        ProcessCollector(registry=own)
        PlatformCollector(registry=own)
        Info("feud", "The program", registry=own).info({"version": version("feud")})
        self._questions = Counter("feud_questions", "Questions that are over", ["outcome"], registry=own)
        self._statements = Counter(
            "feud_statements", "Sentences of answers", ["support", "grade"], registry=own
        )
        self._faults = Counter("feud_faults", "Questions that met a fault", ["of"], registry=own)
        self._tokens = Counter("feud_tokens", "Tokens of the language model", ["what"], registry=own)
        self._stages = Histogram(
            "feud_stage_seconds",
            "From a question to its passages, its first word, its whole answer",
            ["stage"],
            buckets=SECONDS,
            registry=own,
        )
        self._waits = Histogram(
            "feud_wait_seconds",
            "What a question waits: in the page's queue, then for a seat at the model",
            ["queue"],
            buckets=SECONDS,
            registry=own,
        )
        self._busy = Counter("feud_busy", "Questions of programs turned away, as too many wait", registry=own)
        self._generation = Gauge("feud_generation", "The generation of the last answer", registry=own)
        for outcome in get_args(Outcome):
            self._questions.labels(outcome)
        for of in filter(None, get_args(Fault)):
            self._faults.labels(of)

    def seats(self, at_once: int, waiting: int) -> Seats:
        """Return seats whose waits are counted."""
        return _CountedSeats(at_once, waiting, self)

    def observe(self, account: Account) -> None:
        """Count a question that is over."""
        self._questions.labels(account.outcome).inc()
        if account.fault:
            self._faults.labels(account.fault).inc()
        for statement in account.statements:
            self._statements.labels(statement.support, statement.grade or "none").inc()
        if account.answer is None:
            return
        timing = account.answer.timing
        stages = {"evidence": timing.evidence_ms, "first_word": timing.first_token_ms, "whole": timing.total_ms}
        for stage, milliseconds in stages.items():
            if milliseconds is not None:
                self._stages.labels(stage).observe(milliseconds / 1000)
        self._tokens.labels("read").inc(timing.prompt_tokens)
        self._tokens.labels("written").inc(timing.generated_tokens)
        self._generation.set(account.answer.generation)

    def waited(self, queue: str, seconds: float) -> None:
        """Count a wait that is over."""
        self._waits.labels(queue).observe(seconds)

    def refused(self) -> None:
        """Count a question that may not even wait."""
        self._busy.inc()

    def show(self, waiting: Callable[[], int], answering: Callable[[], int]) -> None:
        """Ask these, whenever somebody looks, how many questions wait and how many are being answered."""
        for name, told, count in (
            ("feud_waiting", "Questions that wait, on the page and for a seat at the model", waiting),
            ("feud_answering", "Questions that are being answered", answering),
        ):
            Gauge(name, told, registry=self._registry).set_function(count)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)


class _CountedSeats(Seats):
    def __init__(self, at_once: int, waiting: int, metrics: Metrics) -> None:
        super().__init__(at_once, waiting)
        self._metrics = metrics

    def ask(self, who: str) -> "Future[None]":
        began = time.monotonic()

        def had(seat: "Future[None]") -> None:
            if not seat.cancelled():
                self._metrics.waited("model", time.monotonic() - began)

        try:
            seat = super().ask(who)
        except BusyError:
            self._metrics.refused()
            raise
        seat.add_done_callback(had)
        return seat
