"""What is being asked: the language of a question, and the question without its conversation."""

import re
import unicodedata
from collections.abc import Sequence

from corpus.asked import guess_question
from corpus.names import same
from corpus.sentences import split
from rag.alone import alone
from rag.answer import Question, Turn, questions
from rag.errors import LLMError, QuestionError
from rag.llm import LLM, Prompt, ended
from rag.prompt import rewriting, searching, visible

LONGEST = 1000
"""Characters of a question. Longer ones are texts, not questions."""

_TURNS = 2
_PARTS = 4  # lines; a model that writes more is answering
_SURE = 0.6  # of 93 short questions 10 of the 13 that are below it are in the language that it is taken for
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_WORD = re.compile(r"[^\W\d_]+")


def understand(text: str, history: Sequence[Turn], llm: LLM | None) -> Question:
    """Return the question with its language and, in a conversation, rewritten to stand alone.

    Raises `QuestionError` for a question that is empty or longer than `LONGEST` characters.
    """
    text = checked(text)
    turns = [Turn(visible(t.question)[:LONGEST], visible(t.answer)[:LONGEST]) for t in history[-_TURNS:]]
    language = _language(text, turns)
    if alone(text, language):
        turns = []
    standalone = _standalone(text, language, turns, llm) if turns else text
    several = bool(turns) or len(questions(text, language)) > 1
    return Question(text, language, standalone, _wordings(text, turns, llm) if several else ())


def checked(text: str) -> str:
    """Return what is visible of a question. Raises `QuestionError` like `understand`."""
    text = visible(text)
    if not text:
        raise QuestionError("The question is empty. Ask something.")
    if len(text) > LONGEST:
        raise QuestionError(f"The question has {len(text)} characters, {LONGEST} are the limit. Shorten it.")
    return text


def _language(text: str, turns: Sequence[Turn]) -> str:
    """The question's own language where it says enough to tell, else that of the question before.

    >>> _language("E Altman?", [Turn("Perché Musk se n'è andato?", "…")])
    'it'
    >>> _language("Who is Shivon Zilis?", []), _language("Kim jest Shivon Zilis?", [])
    ('en', 'pl')
    >>> _language("And when?", [Turn("Who is Shivon Zilis?", "…")])
    'en'
    """
    language, probability = guess_question(text)
    if turns and (probability < _SURE or len(text) < 12):
        earlier = guess_question(turns[-1].question)[0]
        return language if earlier == "und" or _scripts(text) - _scripts(turns[-1].question) else earlier
    return language


def _scripts(text: str) -> set[str]:
    """The scripts of the letters but for Latin, in which names stand in any language.

    >>> sorted(_scripts("OpenAI 왜? Почему?"))
    ['CYRILLIC', 'HANGUL']
    """
    letters = (letter for letter in unicodedata.normalize("NFKC", text) if letter.isalpha())
    return {unicodedata.name(letter, "").split(" ")[0] for letter in letters} - {"LATIN", ""}


def _standalone(text: str, language: str, turns: Sequence[Turn], llm: LLM | None) -> str:
    """Let the model rewrite the question; if it can't or adds what nobody said, put the last one before it."""
    plain = f"{turns[-1].question} {text}"
    written = _reply(rewriting(text, turns), llm)
    strays = guess_question(written)[0] != language or written in {turn.question for turn in turns}
    wrong = not written or "\n" in written or len(written) > LONGEST
    return plain if wrong or strays or _invents(written, _said(text, turns)) else written


def _wordings(text: str, turns: Sequence[Turn], llm: LLM | None) -> tuple[str, ...]:
    """What the question asks, in English, each thing by itself; nothing where the model can't tell.

    Single questions that stand alone are not found better by it (needs in evidence .76 instead of .81,
    development cases, n 51), so the model is asked only about conversations and several questions.
    """
    written = _reply(searching(text, turns), llm).splitlines()
    lines = [visible(line[start:end]) for line in written for start, end in split(line, "en")]
    asked = [line for line in lines if line.endswith("?")] or lines  # what is told or ordered is not asked
    known = set(_NUMBER.findall(_said(text, turns)))
    honest = tuple(line for line in asked if set(_NUMBER.findall(line)) <= known)
    return honest if len(honest) <= _PARTS else ()


def _reply(prompt: Prompt, llm: LLM | None) -> str:
    """What the model writes, "" where there is none, it fails or finds no end."""
    try:
        return ended(llm.stream(prompt, max_tokens=80)).strip() if llm else ""
    except LLMError:
        return ""


def _said(text: str, turns: Sequence[Turn]) -> str:
    return " ".join([*(f"{turn.question} {turn.answer}" for turn in turns), text])


def _invents(written: str, said: str) -> bool:
    """Whether `written` holds a number, or a word with a capital after its first, that was not `said`.

    >>> said = "When did Musk sue? In March 2024."
    >>> [_invents(w, said) for w in ("Why did Musk's suit end?", "Why did Bezos sue?", "Why in 202?")]
    [False, True, True]
    """
    known = {word.casefold() for word in _WORD.findall(said)}
    capitals = [word for word in _WORD.findall(written)[1:] if word[0].isupper()]
    numbers = set(_NUMBER.findall(written)) - set(_NUMBER.findall(said))
    return bool(numbers) or any(not same(word.casefold(), known) for word in capitals)
