"""What the catalogue keeps, as values: a file and what became of it, a document with its spans."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from corpus import Document, Passage, Published, Segment, Sentence, described

State = Literal["indexed", "duplicate", "quarantined"]


@dataclass(frozen=True, slots=True)
class File:
    """What the index knows of one file: its bytes' hash, its stamp, and what became of it.

    `sha256` is "" where the file is to be read again. `described` is a hash of what documents.toml says of it.
    `detail` is the reason of a quarantine or the id of the document that a duplicate repeats. Times are in
    nanoseconds, 0 where they can't be trusted.
    """

    id: str
    sha256: str
    described: str
    size: int
    mtime_ns: int
    ctime_ns: int
    state: State
    detail: str = ""

    @property
    def content(self) -> tuple[str, str, str, str]:
        """All but the stamp: while it is equal, nothing about the file has changed."""
        return self.sha256, self.described, self.state, self.detail


@dataclass(frozen=True, slots=True)
class Record:
    """A document, its spans, and each sentence in English, "" where it is or isn't there in English.

    `own` are the segments that the document has alone; in `document` what repeats another one is left out.
    """

    document: Document
    own: tuple[Segment, ...]
    sentences: tuple[Sentence, ...]
    passages: tuple[Passage, ...]
    english: tuple[str, ...]

    @classmethod
    def of(
        cls,
        document: Document,
        own: tuple[Segment, ...],
        sentences: Sequence[Sentence],
        passages: Sequence[Passage],
    ) -> "Record":
        """A record with nothing in English yet."""
        return cls(document, own, tuple(sentences), tuple(passages), ("",) * len(sentences))

    @classmethod
    def of_rows(cls, document: Sequence[str], sentences: Sequence[Any], passages: Sequence[Any]) -> "Record":
        """Make one from what `rows` returned."""
        name, text, metadata, segments, own = document
        whole = document_from(name, text, metadata, segments)
        inside = tuple(Sentence(whole, start, end, language) for start, end, language, _ in sentences)
        windows = tuple(
            Passage(whole, tuple(inside[i] for i in json.loads(numbers)), heading)
            for numbers, heading in passages
        )
        english = tuple(str(sentence[-1]) for sentence in sentences)
        return cls(whole, segments_from(own), inside, windows, english)

    @property
    def alone(self) -> Document:
        """The document as it was parsed, with the segments that it has alone."""
        return replace(self.document, segments=self.own)

    def rows(self) -> tuple[list[str], list[tuple[int, int, str, str]], list[tuple[str, str]]]:
        """The document, its sentences and its passages as a store keeps them."""
        document = [
            self.document.id,
            self.document.text,
            metadata_json(self.document),
            segments_json(self.document.segments),
            segments_json(self.own),
        ]
        sentences = [
            (sentence.start, sentence.end, sentence.language, english)
            for sentence, english in zip(self.sentences, self.english, strict=True)
        ]
        numbers = {sentence: i for i, sentence in enumerate(self.sentences)}
        passages = [
            (json.dumps([numbers[s] for s in passage.sentences]), passage.heading) for passage in self.passages
        ]
        return document, sentences, passages

    def contexts(self) -> list[str]:
        """Each sentence after the one before it in its passages, or after the title."""
        before = {
            after: s for p in self.passages for s, after in zip(p.sentences, p.sentences[1:], strict=False)
        }
        return [f"{before[s].text if s in before else self.document.title}\n{s.text}" for s in self.sentences]

    def inputs(self) -> "Inputs":
        """What is embedded for the document's spans."""
        own = [sentence.text for sentence in self.sentences]
        english = [self.english[i] or text for i, text in enumerate(own)]
        return Inputs([described(passage) for passage in self.passages], own, self.contexts(), english)


class Inputs(NamedTuple):
    """The texts that are embedded, a list for each view: of every passage, and three of every sentence.

    A passage is embedded with its title and heading. A sentence is embedded alone, since answers are compared
    with it alone, in its context, and in English, where that is known, else as it is.
    """

    passages: list[str]
    sentences: list[str]
    contexts: list[str]
    english: list[str]


def key(text: str) -> str:
    """The name under which what was made of `text` is kept: its SHA-256."""
    return sha256(text.encode()).hexdigest()


def metadata_json(document: Document) -> str:
    """What is known of a document besides its text and segments."""
    names = ("title", "publisher", "url", "author")
    fields = {name: getattr(document, name) for name in names}
    return json.dumps(fields | {"published": asdict(document.published)})


def segments_json(segments: Iterable[Segment]) -> str:
    return json.dumps([[s.start, s.end, s.language, s.kind, s.reason] for s in segments])


def segments_from(text: str) -> tuple[Segment, ...]:
    return tuple(Segment(*fields) for fields in json.loads(text))


def digest(document: Sequence[Any], sentences: Sequence[Any], passages: Sequence[Any]) -> str:
    """SHA-256 of a document's rows: a store may not notice itself that some of its bytes have changed."""
    return sha256(json.dumps([document, sentences, passages]).encode()).hexdigest()


def document_from(name: str, text: str, metadata: str, segments: str) -> Document:
    """The document of a row of the catalogue."""
    fields = json.loads(metadata)
    fields["published"] = Published(**fields["published"])
    return Document(name, text, **fields, segments=segments_from(segments))
