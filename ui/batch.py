"""A file of questions to a file of answers, one line each, in the same order."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from corpus import FeudError
from rag.answer import Answer, Question, Turn
from rag.assistant import Assistant
from rag.contract import SCHEMA, to_json
from rag.prompt import visible
from ui.conversation import turns_of

_BEGINNING = f'{{"schema": {SCHEMA}, "id": "'.encode()  # of every answer, as `to_json` orders it


class BatchError(FeudError):
    """A line of the input is no question, or the output belongs to other questions."""


def answer_all(assistant: Assistant, in_file: Path, out_file: Path) -> int:
    """Answer each line of `in_file` into `out_file`; return the exit code.

    Answers that `out_file` holds already are kept and not asked again. Raises `BatchError`.
    """
    from rich.console import Console
    from rich.progress import track

    asked = list(questions(in_file))
    done = _finished(out_file, [(name, visible(question)) for name, question, _ in asked])
    failed = False
    with _opened(out_file) as out:
        for name, question, history in track(
            asked[done:], f"{len(asked) - done} questions", console=Console(file=sys.stderr)
        ):
            answer = _ask(assistant, question, history)
            failed |= answer.status == "failed"
            out.write(json.dumps(to_json(answer, name), ensure_ascii=False) + "\n")
            out.flush()
    return 3 if failed else 0


def questions(file: Path) -> Iterator[tuple[str, str, list[Turn]]]:
    """Yield the id, question and turns of each line. Raises `BatchError` that names the line."""
    try:
        lines = file.read_text("utf-8-sig").split("\n")  # JSON may hold the other characters that end lines
    except (OSError, UnicodeDecodeError) as error:
        raise BatchError(f"{file} can't be read: {error}.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            name = value.get("id")
            yield (
                str(number if name is None else name),
                _text(value["question"]),
                turns_of(_said(message) for message in value.get("history") or []),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BatchError(
                f'Line {number} of {file} is no question. Wanted: {{"id": "1", "question": "…"}}, '
                'optional "history": [{"role": "user", "content": "…"}, …].'
            ) from error


def _said(message: dict[str, str]) -> tuple[str, str]:
    """Who says what in a message; what neither the user nor the assistant says is let be."""
    role = message["role"]
    return role, _text(message["content"]) if role in ("user", "assistant") else ""


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _finished(out_file: Path, asked: list[tuple[str, str]]) -> int:
    """How many answers `out_file` holds; half a line of a killed run is cut off."""
    if not out_file.exists():
        return 0
    try:
        data = out_file.read_bytes()
    except OSError as error:
        raise BatchError(f"{out_file} can't be read: {error.strerror}. Name another with --out.") from error
    *lines, half = data.split(b"\n")
    kept = [_answered(line, out_file) for line in lines]
    if not (half.startswith(_BEGINNING) or _BEGINNING.startswith(half)):
        raise _no_answers(out_file)
    if kept != asked[: len(kept)]:
        raise BatchError(f"{out_file} holds answers to other questions. Name another file with --out.")
    if half:
        os.truncate(out_file, len(data) - len(half))
    return len(kept)


def _answered(line: bytes, out_file: Path) -> tuple[str, str]:
    """The id and the question of an answer."""
    try:
        value = json.loads(line)
        if value["schema"] == SCHEMA:
            return value["id"], value["question"]
    except (ValueError, KeyError, TypeError) as error:
        raise _no_answers(out_file) from error
    raise _no_answers(out_file)


def _no_answers(out_file: Path) -> BatchError:
    return BatchError(f"{out_file} is no file of answers. Name another file with --out.")


def _opened(out_file: Path) -> TextIO:
    # A lone surrogate in an id becomes \\udXXX, which is how JSON writes it.
    try:
        return out_file.open("a", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise BatchError(f"{out_file} can't be written: {error.strerror}. Name another with --out.") from error


def _ask(assistant: Assistant, question: str, history: list[Turn]) -> Answer:
    try:
        return assistant.ask(question, history)
    except FeudError as error:
        shown = visible(question)
        return Answer(Question(shown, "und", shown), "failed", fault=str(error))
