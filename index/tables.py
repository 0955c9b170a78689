"""What an index asks of its store's rows: the seam at which a store stands beside vectors and words."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from corpus import Document, Passage, Sentence
from index.filters import Filter
from index.rows import Kind
from index.times import Period
from index.vectors import Rows


class Tables(Protocol):
    """Which row is which passage or sentence. Rows of a language lie side by side; any thread may ask.

    What `admitted` returns is the store's own: it comes back to `only` and to the store's vectors.
    """

    @property
    def alive(self) -> Mapping[Kind, Any]:
        """Which rows of a kind still stand for something, None for all."""

    @property
    def passages(self) -> Sequence[Passage]:
        """The living passages, by row."""

    @property
    def sentences(self) -> Sequence[Sentence]:
        """The living sentences, by row."""

    @property
    def documents(self) -> Sequence[Document]:
        """The living documents."""

    def runs(self, kind: Kind) -> dict[str, list[range]]:
        """The rows of each language, in the order of the languages' first appearance."""

    def counts(self, kind: Kind) -> dict[str, int]:
        """How many living rows each language has."""

    def document(self, name: str) -> Document:
        """Return a document by its id; raises KeyError."""

    def passage(self, row: int) -> Passage: ...

    def sentence(self, row: int) -> Sentence: ...

    def english(self, row: int) -> str:
        """Return a sentence in English, "" where it isn't there."""

    def row(self, span: Passage | Sentence) -> int:
        """Return the row of a span; raises KeyError."""

    def documents_of(self, sentences: Rows) -> Rows:
        """Return a number for the document that each sentence stands in, (n,)."""

    def inside(self, passages: Rows) -> tuple[Rows, Rows]:
        """Return the sentences of each passage, one after the other, and how many each has."""

    def around(self, sentences: Rows) -> tuple[Rows, Rows]:
        """Return the passages that hold each sentence, one after the other, and how many do."""

    def of_the_time(self, sentences: Rows, asked: Sequence[Period]) -> NDArray[np.float32]:
        """How much each sentence is of a time that was asked for, (n,)."""

    def admitted(self, where: Filter) -> tuple[Any, Any]:
        """Which passages `where` admits, and which sentences stand in them; None where that is all."""

    def only(self, passages: Rows, admitted: Any) -> Rows:
        """Return those of the passages that are `admitted`."""
