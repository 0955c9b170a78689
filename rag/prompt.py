"""The prompts, filled in from `prompt.toml`, where all their words stand."""

import tomllib
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from corpus import Sentence
from rag.answer import Question, Turn
from rag.llm import Message, Prompt

_JOINERS = "\u200c\u200d"  # scripts from Persian to Malayalam spell with them, and emoji are joined by them


def visible(text: str) -> str:
    """Return `text` as one line without what can't be seen: control and format characters.

    >>> visible(" Who\\u202e sued\\x00\\n whom?"), visible("می\\u200cخواهم") == "می\\u200cخواهم"
    ('Who sued whom?', True)
    """
    kept = (c for c in text if c.isspace() or c in _JOINERS or unicodedata.category(c)[0] != "C")
    return " ".join("".join(kept).split())


def answering(question: Question, evidence: Sequence[Sentence]) -> Prompt:
    """The prompt that asks for an answer from `evidence`, in the given order."""
    return _about(question, evidence, "question")


def checking(question: Question, evidence: Sequence[Sentence]) -> Prompt:
    """The prompt that asks, with Yes or No, whether `evidence` states the answer.

    It differs from `answering` after the last excerpt only, so an engine reads the excerpts once for both.
    """
    return _about(question, evidence, "check")


def _about(question: Question, evidence: Sequence[Sentence], task: str) -> Prompt:
    words = _words("answer")
    excerpts = "\n".join(f"[{_source(sentence)}] {visible(sentence.text)}" for sentence in evidence)
    asked = words[task].format(question=question.standalone, language=language_name(question.language))
    return [
        Message("system", words["system"]),
        Message("user", words["excerpts"].strip()),
        Message("assistant", words["reply"]),
        Message("user", f"Excerpts:\n\n{excerpts}\n\n{asked.strip()}"),
    ]


def rewriting(text: str, turns: Sequence[Turn]) -> Prompt:
    """The prompt that asks for the question `text` to be made independent of `turns`."""
    return _of_a_conversation("rewrite", text, turns)


def searching(text: str, turns: Sequence[Turn]) -> Prompt:
    """The prompt that asks for `text` in English, independent of `turns`, each thing that it asks on a line."""
    return _of_a_conversation("search", text, turns)


def _of_a_conversation(task: str, text: str, turns: Sequence[Turn]) -> Prompt:
    words = _words(task)
    said = "\n".join(f"Q: {turn.question}\nA: {turn.answer}" for turn in turns)
    prompt = [Message("system", words["system"])]
    for conversation, question in words["examples"]:
        prompt += [Message("user", conversation), Message("assistant", question)]
    return [*prompt, Message("user", words["question"].format(turns=said, question=text).strip())]


def translating(sentence: str) -> Prompt:
    """The prompt that asks for a sentence in English."""
    words = _words("translate")
    return [
        Message("system", words["system"]),
        Message("user", words["example"]),
        Message("assistant", words["reply"]),
        Message("user", visible(sentence)),
    ]


def language_name(code: str) -> str:
    """The name of a language by CLDR, in English and in the language itself.

    >>> language_name("nl"), language_name("en"), language_name("?")
    ('Dutch (Nederlands)', 'English', 'the language of the question')
    """
    from babel import Locale, UnknownLocaleError

    try:
        own = Locale.parse(code.replace("und", "?")).languages[code]
    except (UnknownLocaleError, ValueError, KeyError):
        return "the language of the question"
    english = str(Locale("en").languages[code])
    return english if own == english else f"{english} ({own})"


def _source(sentence: Sentence) -> str:
    document = sentence.document
    known = (document.publisher or document.title or document.id, document.published.value or "")
    return ", ".join(visible(part) for part in known if part)


@cache
def _words(prompt: str) -> dict[str, Any]:
    words: dict[str, Any] = tomllib.loads((files("rag") / "prompt.toml").read_text("utf-8"))[prompt]
    return words
