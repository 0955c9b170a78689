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


def judging(question: Question, sentence: str) -> Prompt:
    """The prompt that asks, with Yes or No, whether `sentence` answers the question."""
    return _filled("judge", question=question.clear, sentence=visible(sentence))


def controlling(question: Question) -> Prompt:
    """The prompt that asks the same of a sentence that answers nothing which documents are asked about."""
    return _filled("control", question=question.clear, sentence=_words("control")["sentence"])


def answering(question: Question, sentence: Sentence, before: Sentence | None, english: str = "") -> Prompt:
    """The prompt that asks for an answer from `sentence`, which is read after the one before it, if given.

    Where it is given in `english` it is read so.
    """
    told = f"[{_source(sentence)}] {visible(english)}" if english else _told(sentence, before)
    language = language_name(question.language)
    return _filled("answer", question=question.clear, sentence=told, language=language)


def supporting(claim: str, sentence: Sentence, before: Sentence | None) -> Prompt:
    """The prompt that asks, with Yes or No, whether `sentence` says what `claim` says."""
    return _filled("support", claim=visible(claim), sentence=_told(sentence, before))


def _told(sentence: Sentence, before: Sentence | None) -> str:
    """A sentence behind its source, after the one before it."""
    return " ".join([f"[{_source(sentence)}]", *(visible(each.text) for each in (before, sentence) if each)])


def translating(sentence: str) -> Prompt:
    """The prompt that asks for a sentence in English."""
    return _filled("translate", sentence=visible(sentence))


def telling(sentence: str, language: str) -> Prompt:
    """The prompt that asks for a sentence in the language with that code."""
    return _filled("tell", sentence=visible(sentence), language=language_name(language))


def rewriting(text: str, turns: Sequence[Turn]) -> Prompt:
    """The prompt that asks for the question `text` to be made independent of `turns`."""
    return _filled("rewrite", question=text, turns=_said(turns))


def searching(text: str, turns: Sequence[Turn]) -> Prompt:
    """The prompt that asks for `text` in English, independent of `turns`, each thing that it asks on a line."""
    return _filled("search", question=text, turns=_said(turns))


def _said(turns: Sequence[Turn]) -> str:
    return "\n".join(f"Q: {turn.question}\nA: {turn.answer}" for turn in turns)


def _filled(task: str, **values: str) -> Prompt:
    """Instructions and examples of a task, then its question filled in."""
    words = _words(task)
    prompt = [Message("system", words["system"])]
    for asked, reply in words["examples"]:
        prompt += [Message("user", asked), Message("assistant", reply)]
    return [*prompt, Message("user", words["question"].format(**values).strip())]


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


def source_name(sentence: Sentence) -> str:
    """What the model is told of where a sentence stands: who published it, else its document's title."""
    document = sentence.document
    return visible(document.publisher or document.title or document.id)


def _source(sentence: Sentence) -> str:
    published = sentence.document.published.value
    return ", ".join([source_name(sentence), *([published] if published else [])])


@cache
def _words(prompt: str) -> dict[str, Any]:
    words: dict[str, Any] = tomllib.loads((files("rag") / "prompt.toml").read_text("utf-8"))[prompt]
    return words
