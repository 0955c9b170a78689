"""What the catalogue keeps, as values: a file and what became of it, a document with its spans."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Literal

from corpus import Document, Passage, Published, Segment, Sentence, described

State = Literal["indexed", "duplicate", "quarantined"]


@dataclass(frozen=True, slots=True)
class File:
    """What the index knows of one file: its bytes' hash, its stamp, and what became of it.

    `described` is a hash of what documents.toml says of it. `detail` is the reason of a quarantine or the
    id of the document that a duplicate repeats. Times are in nanoseconds, 0 where they can't be trusted.
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
    """A document, its spans, and for each span the key of the text that was embedded for it.

    `own` are the segments that the document has alone; in `document` what repeats another one is left out.
    """

    document: Document
    own: tuple[Segment, ...]
    sentences: tuple[Sentence, ...]
    passages: tuple[Passage, ...]
    sentence_keys: tuple[str, ...]
    passage_keys: tuple[str, ...]

    @classmethod
    def of(
        cls,
        document: Document,
        own: tuple[Segment, ...],
        sentences: Sequence[Sentence],
        passages: Sequence[Passage],
    ) -> "Record":
        """Make a record; the keys are those of `sentence_input` and `passage_input`."""
        return cls(
            document,
            own,
            tuple(sentences),
            tuple(passages),
            tuple(key(sentence_input(sentence)) for sentence in sentences),
            tuple(key(passage_input(passage)) for passage in passages),
        )


def passage_input(passage: Passage) -> str:
    """The text that is embedded and counted for a passage: with its title and heading."""
    return described(passage)


def sentence_input(sentence: Sentence) -> str:
    """The text that is embedded for a sentence: itself alone, since answers are compared with it alone."""
    return sentence.text


def key(text: str) -> str:
    """The name under which the vector of `text` is kept: its SHA-256."""
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


def document_from(name: str, text: str, metadata: str, segments: str) -> Document:
    """The document of a row of the catalogue."""
    fields = json.loads(metadata)
    fields["published"] = Published(**fields["published"])
    return Document(name, text, **fields, segments=segments_from(segments))
