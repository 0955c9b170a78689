"""What `feud serve` logs: faults in plain words; with `FEUD_LOG=json` these and each question as JSON.

Those have no word of a question, an answer or a document. An exception is logged by its kind and its place,
since what it says may quote them.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

from corpus import FeudError
from ui.observed import Account

LOG = logging.getLogger("feud.serve")
"""Warnings to who starts it."""
QUESTIONS = logging.getLogger("feud.question")


class JsonLines(logging.Formatter):
    """A record as a line of JSON; what stands under `told` in its extra are fields of their own."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        told |= getattr(record, "told", {})
        if record.exc_info and record.exc_info[0]:
            told["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            told["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(told)


def begin(form: str) -> None:
    """Log to standard error from now on, as `form` says, "" or "json". Raises `FeudError` for any other."""
    if form not in ("", "json"):
        raise FeudError(f"FEUD_LOG is {form!r}. Set it to json, or leave it out.")
    handler = logging.StreamHandler()
    if form:
        handler.setFormatter(JsonLines())
        logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
        logging.captureWarnings(True)
        logging.getLogger("feud").setLevel(logging.INFO)
    else:
        handler.setFormatter(logging.Formatter("warning: %(message)s"))
        feud = logging.getLogger("feud")
        feud.addHandler(handler)
        feud.propagate = False


def observe(account: Account) -> None:
    """Log a question that is over."""
    told: dict[str, Any] = {"outcome": account.outcome, "fault": account.fault}
    told["steps_ms"] = {step.name: 0 for step in account.steps}
    for step in account.steps:
        told["steps_ms"][step.name] += (step.ended - step.began) // 1_000_000
    if answer := account.answer:
        timing = answer.timing
        told |= {
            "language": answer.question.language,
            "generation": answer.generation,
            "passages": len(answer.hits),
            "statements": [f"{each.support} {each.grade or ''}".rstrip() for each in answer.statements],
            "disagreements": len(answer.disagreements),
            "evidence_ms": timing.evidence_ms,
            "first_word_ms": timing.first_token_ms,
            "whole_ms": timing.total_ms,
            "tokens": timing.prompt_tokens + timing.generated_tokens,
        }
    QUESTIONS.info("question", extra={"told": told})
