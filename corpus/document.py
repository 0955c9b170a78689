"""The values of the corpus: a document and the spans of it. Nothing here is edited after it is made.

Every span counts characters of `Document.text`, the decoded file exactly as it is, so the text of a
sentence or a passage is a slice of its document and can't disagree with it.
"""

from dataclasses import dataclass
from typing import Literal

Precision = Literal["day", "month", "year", "none"]
Kind = Literal["article", "heading", "noise"]


@dataclass(frozen=True, slots=True)
class Published:
    """When a document says it was published, and how far to trust that.

    `value` is an ISO 8601 date as precise as it is known (`2025-02-12`, `2025-06`, `2025`), or None.
    `until` is the last possible date where one spelling allows several. `words` are the document's own
    words that the date was read from; `note` says in English why a date is uncertain.
    """

    value: str | None = None
    precision: Precision = "none"
    uncertain: bool = False
    until: str | None = None
    words: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a document in one language and of one kind.

    The segments of a document follow each other without gaps or overlaps and cover all its text.
    `language` is an ISO 639-1 code, "und" where none could be told. `reason` says in a few English
    words why a segment is noise; it is empty for the other kinds.
    """

    start: int
    end: int
    language: str
    kind: Kind
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A loaded source. `id` is its path below the documents folder, with forward slashes."""

    id: str
    text: str
    title: str
    publisher: str = ""
    published: Published = Published()
    url: str | None = None
    author: str = ""
    segments: tuple[Segment, ...] = ()

    def __hash__(self) -> int:
        return hash(self.id)  # spans hold their document; hashing its whole content each time would be waste

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of its articles, by first appearance."""
        return tuple(dict.fromkeys(s.language for s in self.segments if s.kind == "article"))


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a document: `start` to `end`, in characters."""

    document: Document
    start: int
    end: int
    language: str

    @property
    def text(self) -> str:
        return self.document.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Passage:
    """Neighbouring sentences of one segment: what is embedded, found and shown.

    `heading` is the nearest heading above it, "" where there is none.
    """

    document: Document
    sentences: tuple[Sentence, ...]
    heading: str = ""

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
    def text(self) -> str:
        return self.document.text[self.start : self.end]
