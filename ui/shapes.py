"""The shapes of what programs send and get over HTTP, from which the OpenAPI description is made.

What they get is the JSON of `rag.contract`; the tests hold each answer against its shape here.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from rag.question import LONGEST

QuestionText = Annotated[
    str, Field(min_length=1, max_length=LONGEST, description="In any language; not only spaces.")
]
Day = Annotated[
    str,
    Field(
        description='A year, a month or a day: "2025", "2025-02", "2025-02-12".',
        # Told, and not enforced here: who writes another day is told how, in a line.
        json_schema_extra={"pattern": r"^([0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)?$"},
    ),
]


Whole = Annotated[int, BeforeValidator(lambda n: int(n) if isinstance(n, float) and n.is_integer() else n)]
"""In JSON 8.0 is a whole number, too."""


class Asked(BaseModel):
    """What a program sends. Unknown fields are refused, so that a misspelled filter can't go unnoticed."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Filters(Asked):
    """What the search is narrowed to; an empty field admits all."""

    languages: list[str] = Field(default=[], description="ISO 639-1 codes.")
    publishers: list[str] = []
    documents: list[str] = Field(default=[], description="Ids of documents.")
    since: Day = ""
    until: Day = ""


class Message(Asked):
    role: Literal["user", "assistant"]
    content: str


class Ask(Asked):
    """A question, with what was said before it."""

    question: QuestionText
    id: str = Field(default="", description="Your own id for the question; it comes back with the answer.")
    history: list[Message] = Field(default=[], description="Earlier questions and their answers, in turn.")
    filters: Filters = Filters()
    stream: bool = Field(default=False, description="Send events, as `Accept: text/event-stream` asks for.")


class Search(Asked):
    question: QuestionText
    k: Whole = Field(default=8, ge=1, le=50, description="How many passages, at most.")
    filters: Filters = Filters()


class Told(BaseModel):
    """What a program gets."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Published(Told):
    """A date of publication, as precise as it is known."""

    value: str | None = Field(description="ISO 8601: a day, a month or a year.")
    precision: Literal["day", "month", "year", "none"]
    uncertain: bool


class Citation(Told):
    """Words of a document: its characters from `start` to before `end`."""

    number: int
    document: str
    start: int
    end: int
    quote: str
    language: str
    title: str
    publisher: str
    published: Published
    url: str | None
    translation: str | None


class Statement(Told):
    text: str
    citations: list[int]
    support: Literal["verified", "quoted"]
    likely: float | None = Field(description="The probability that its source answers the question.")


class Version(Told):
    text: str
    citations: list[int]


class Disagreement(Told):
    about: str
    versions: list[Version]


class Passage(Told):
    document: str
    start: int
    end: int
    language: str
    score: float


class FoundPassage(Passage):
    text: str


class Timing(Told):
    """Milliseconds since the question was begun, null for what has not happened, and tokens."""

    evidence_ms: int | None
    first_token_ms: int | None
    total_ms: int | None
    prompt_tokens: int
    generated_tokens: int


class Models(Told):
    llm: str
    embedder: str


class Answer(Told):
    """An answer; "searching" and "writing" are only in events, on the way to one."""

    contract: Literal[2] = Field(alias="schema")
    id: str
    question: str
    language: str
    status: Literal["searching", "writing", "answered", "not_in_documents", "failed"]
    text: str = Field(description="The sentences with the numbers of their citations, or why there are none.")
    statements: list[Statement]
    citations: list[Citation]
    disagreements: list[Disagreement]
    passages: list[Passage]
    timing: Timing
    model: Models
    generation: int


class Found(Told):
    question: str
    passages: list[FoundPassage]


class Document(Told):
    id: str
    title: str
    languages: list[str]
    publisher: str
    published: Published
    url: str | None
    author: str
    characters: int
    left_out: int = Field(description="Characters that are no article: navigation, disclaimers, repeats.")


class Documents(Told):
    documents: list[Document]
    total: int


class Segment(Told):
    start: int
    end: int
    language: str
    kind: Literal["article", "heading", "noise"]
    reason: str


class WholeDocument(Document):
    text: str
    segments: list[Segment]


class Disagreements(Told):
    """Points on which documents differ, each as its versions in the order of time."""

    disagreements: list[list[Citation]]
    sentences: int = Field(description="How many sentences the documents have.")
    compared: int = Field(description="How many of them, the first ones, were compared with all.")


class Happened(Citation):
    time: str = Field(description="A day, a month or a year in ISO 8601.")
    until: str | None = Field(description="Its other reading, where day and month can be either way round.")
    assumed_year: bool = Field(description="Whether the sentence names no year, and it was inferred.")
    otherwise: list[Citation]


class Timeline(Told):
    events: list[Happened]


class Source(Told):
    """Words of a document, and the sentences before and after them."""

    document: Document
    resource: str
    start: int
    end: int
    before: str
    quote: str
    after: str


class Mistake(Told):
    """What went wrong, in one line."""

    message: str
    type: str
    param: None = None
    code: str | None


class Problem(Told):
    error: Mistake


class Part(BaseModel):
    type: str
    text: str = ""


class ChatMessage(BaseModel):
    """A message as OpenAI has it. Only what the user and the assistant said counts."""

    role: str
    content: str | list[Part] | None = None


class Extra(Asked):
    """What only feud knows, under the key `feud`."""

    filters: Filters = Filters()


class StreamOptions(BaseModel):
    include_usage: bool = False


class Chat(BaseModel):
    """A request for a chat completion as OpenAI has it; what is not named here is accepted and let be."""

    model: str
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    feud: Extra = Extra()
