"""What is known of a question once it is over, and nothing of its words: for metrics, traces and logs."""

import logging
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from corpus import FeudError
from index import EVERYTHING, Filter, FilterError, ModelError, StoreFault
from rag import Answer, Citation, Statement, Turn
from rag.errors import LLMError, QuestionError
from ui.talk import Answerer

LOG = logging.getLogger("feud.observed")
Outcome = Literal["answered", "not_in_documents", "failed", "mistake", "error", "stopped"]
"""How a question ends; a "mistake" is the asker's, an "error" a fault that left no answer."""
Fault = Literal["", "store", "index", "embedder", "model", "program"]


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the work on a question; nanoseconds since 1970."""

    name: str
    began: int
    ended: int


@dataclass(frozen=True, slots=True)
class Account:
    """How a question went. `answer` is its last snapshot, if there was one."""

    began: int
    steps: tuple[Step, ...]
    outcome: Outcome
    fault: Fault
    answer: Answer | None

    @property
    def ended(self) -> int:
        """Nanoseconds since 1970."""
        return self.steps[-1].ended

    @property
    def statements(self) -> tuple[Statement, ...]:
        return self.answer.statements if self.answer else ()


Observer = Callable[[Account], None]


class Observed:
    """An answerer that gives each observer an account of each question. What an observer raises is logged."""

    def __init__(self, answerer: Answerer, observers: Sequence[Observer]) -> None:
        self._answerer, self._observers = answerer, observers

    def stream(
        self, question: str, history: Sequence[Turn] = (), where: Filter = EVERYTHING
    ) -> Iterator[Answer]:
        began, steps, last = time.time_ns(), list[Step](), None
        error: BaseException | None = None
        snapshots = self._answerer.stream(question, history, where)
        try:
            for answer in snapshots:
                steps = grown(steps, step_between(last, answer), began, time.time_ns())
                last = answer
                yield answer
        except BaseException as raised:
            error = raised
            raise
        finally:
            if isinstance(snapshots, Generator):
                snapshots.close()
            if error is not None or last is None:
                steps = grown(steps, step_between(last, last), began, time.time_ns())
            self._tell(Account(began, tuple(steps), outcome(last, error), fault(last, error), last))

    def translate(self, citation: Citation, language: str) -> str:
        return self._answerer.translate(citation, language)

    def _tell(self, account: Account) -> None:
        for observe in self._observers:
            try:
                observe(account)
            except Exception:
                LOG.exception("a question was not accounted for")


def step_between(before: Answer | None, after: Answer | None) -> str:
    """What is done between two snapshots; between the last one and a fault `after` is `before` again."""
    if before is None or after is None:
        return "understand"
    if before.status == "searching":
        return "search"
    if before.draft:
        more = after.statements[len(before.statements) :]
        return "write" if after.draft else "quote" if more and more[-1].support == "quoted" else "check"
    if not before.statements:
        return "judge" if before.llm else "quote"
    return "write" if after.draft else "compare"


def grown(steps: Sequence[Step], name: str, began: int, now: int) -> list[Step]:
    """The steps with one that ends now, which goes on with the last one if that is of the same name."""
    if steps and steps[-1].name == name:
        return [*steps[:-1], replace(steps[-1], ended=now)]
    return [*steps, Step(name, steps[-1].ended if steps else began, now)]


def outcome(last: Answer | None, error: BaseException | None) -> Outcome:
    """How a question ended that was answered so far when `error` was raised, or nothing."""
    if isinstance(error, QuestionError | FilterError):
        return "mistake"
    if last is not None and last.status != "searching" and last.status != "writing":
        return last.status
    return "error" if isinstance(error, Exception) else "stopped"


def fault(last: Answer | None, error: BaseException | None) -> Fault:
    """What was at fault, "" for nothing here."""
    if isinstance(error, QuestionError | FilterError) or not isinstance(error, Exception):
        return "model" if last is not None and last.status == "failed" else ""
    if isinstance(error, StoreFault):
        return "store"
    if isinstance(error, LLMError):
        return "model"
    if isinstance(error, ModelError):
        return "embedder"
    return "index" if isinstance(error, FeudError) else "program"
