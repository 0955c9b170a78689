"""The values of an answer. They point at documents; no quoted word is a string that a model wrote."""

from dataclasses import dataclass, field
from typing import Literal

from corpus import Document, Sentence
from corpus.sentences import split
from index import Hit

ASKING = ("?", "？", "؟")
"""Question marks."""
Status = Literal["searching", "writing", "answered", "not_in_documents", "failed"]
Support = Literal["verified", "quoted"]
Grade = Literal["surely", "probably", "perhaps"]
GRADES: dict[Grade, float] = {"surely": 0.75, "probably": 0.45, "perhaps": 0.0}
"""The least probability of each grade.

Of the 148 sentences that are likely enough to be cited for the questions of `rag.judge`, 25 of 28 that are
"surely" so do answer, 37 of 63 "probably" and 22 of 57 "perhaps".
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer earlier in the conversation."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked: the reader's words, their language (ISO 639-1), and the same without its turns.

    `standalone` is what is searched and answered; without turns before it equals `text`. `wordings` are what it
    asks, in English, thing by thing.
    """

    text: str
    language: str
    standalone: str
    wordings: tuple[str, ...] = ()

    @property
    def clear(self) -> str:
        """What the model is asked: what is a question in the text, without what is told or ordered beside it.

        In a conversation it is the last wording that is one, which leaves nothing out that was said.

        >>> Question("Write OTT. Who was he?", "en", "Write OTT. Who was he?").clear
        'Who was he?'
        >>> Question("And why?", "en", "When did Ott go? And why?", ("Why did Ott go?",)).clear
        'Why did Ott go?'
        """
        if self.standalone != self.text:
            return next((text for text in self.wordings[::-1] if text.endswith(ASKING)), self.standalone)
        return " ".join(questions(self.text, self.language)) or self.text


def questions(text: str, language: str) -> list[str]:
    """The sentences of a text that end with a question mark."""
    spans = split(text, language)
    return [text[start:end] for start, end in spans if text[start:end].endswith(ASKING)]


@dataclass(frozen=True, slots=True)
class Citation:
    """A numbered pointer to a sentence, or to a run of neighbouring sentences, of one document."""

    number: int
    sentences: tuple[Sentence, ...]

    @property
    def document(self) -> Document:
        return self.sentences[0].document

    @property
    def start(self) -> int:
        return self.sentences[0].start

    @property
    def end(self) -> int:
        return self.sentences[-1].end

    @property
    def language(self) -> str:
        return self.sentences[0].language

    @property
    def quote(self) -> str:
        return self.document.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of the answer with the numbers of the citations that it rests on, never none.

    `support` is "verified" for a sentence that a model wrote and the program checked against its
    sources, "quoted" for a sentence copied from a document. `likely` is the probability that its source
    answers the question (`rag.judge`), None where no model was asked.
    """

    text: str
    citations: tuple[int, ...]
    support: Support
    likely: float | None = None

    @property
    def grade(self) -> Grade | None:
        """How surely it answers.

        >>> [Statement("", (), "quoted", likely).grade for likely in (0.8, 0.5, 0.3, None)]
        ['surely', 'probably', 'perhaps', None]
        """
        return None if self.likely is None else next(g for g, least in GRADES.items() if self.likely >= least)

    @property
    def doubt(self) -> Grade | None:
        """The grade where it is to be said beside the statement: not of what surely answers."""
        return None if self.grade == "surely" else self.grade


@dataclass(frozen=True, slots=True)
class Version:
    """What one source says where sources differ."""

    text: str
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A point on which the cited sources differ, with every version."""

    about: str
    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds since the question arrived, None for what did not happen, and tokens."""

    evidence_ms: int | None = None
    first_token_ms: int | None = None
    total_ms: int | None = None
    prompt_tokens: int = 0
    generated_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, or a snapshot of one that is being made ("searching", "writing").

    `notice` is the one line, in the language of the question, that stands where no statement can: that
    the documents do not say, or that the model failed. `draft` is model text that is not yet checked.
    """

    question: Question
    status: Status
    statements: tuple[Statement, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    citations: tuple[Citation, ...] = ()
    hits: tuple[Hit, ...] = ()
    notice: str = ""
    fault: str = ""
    draft: str = ""
    timing: Timing = field(default_factory=Timing)
    llm: str = ""
    embedder: str = ""
    generation: int = 0

    @property
    def text(self) -> str:
        """The answer as one line with its marks, or its notice.

        Sentences keep their own full stop: `"Sentence one [1]. Sentence two [2][3]."`
        """
        return join(self.statements) or self.notice

    @property
    def turn(self) -> Turn:
        """What later questions need to know of this one: who "she" was is in what was understood."""
        said = " ".join(statement.text for statement in self.statements)
        return Turn(self.question.standalone, said or self.notice)


def join(statements: tuple[Statement, ...]) -> str:
    """Set the citation marks of each statement before its closing punctuation.

    >>> join((Statement("Musk sued.", (1,), "verified"), Statement("马斯克撤诉。", (2, 3), "verified")))
    'Musk sued [1]. 马斯克撤诉 [2][3]。'
    """
    return " ".join(f"{body} {''.join(marks)}{stop}" for body, marks, stop in map(_marked, statements))


def marks(statements: tuple[Statement, ...]) -> list[tuple[int, int, int]]:
    """Where the citation marks stand in what `join` makes: the number, the first character, the one after it.

    >>> marks((Statement("Musk sued.", (1,), "verified"), Statement("马斯克撤诉。", (2, 3), "verified")))
    [(1, 10, 13), (2, 21, 24), (3, 24, 27)]
    """
    places, at = [], 0
    for statement in statements:
        body, set_marks, stop = _marked(statement)
        at += len(body) + 1
        for number, mark in zip(statement.citations, set_marks, strict=True):
            places.append((number, at, at + len(mark)))
            at += len(mark)
        at += len(stop) + 1
    return places


def _marked(statement: Statement) -> tuple[str, list[str], str]:
    """A statement without its closing punctuation, its marks, and that punctuation."""
    body = statement.text.rstrip(".。!！?？")
    return body, [f"[{number}]" for number in statement.citations], statement.text[len(body) :]
