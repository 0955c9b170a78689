"""Whether the passages are about the question at all: the first half of saying "not in there"."""

from collections.abc import Sequence

from corpus.names import absent, names
from corpus.numbers import is_year, missing, quantities
from index import Hit, Index
from rag.answer import Question
from rag.evidence import dated_numbers

ABOUT = 0.80
"""Least likeness of a passage that is about what the question is about, for the default embedder.

Of 14 questions of the development cases that the documents don't answer those about other things are below it.
"""


def likeness(question: Question, hits: Sequence[Hit], index: Index) -> float:
    """The highest cosine of a passage with the question, 0 without passages."""
    passages = [hit.passage for hit in hits]
    return max(index.likeness(question.standalone, passages), default=0.0)


def unknown(question: Question, hits: Sequence[Hit]) -> set[str]:
    """The names and years that the question asks about and no passage knows."""
    passages = " ".join(f"{hit.passage.document.title} {hit.passage.text}" for hit in hits)
    years = [number for number in quantities(question.clear, question.language) if is_year(number)]
    told = dated_numbers(hit.passage for hit in hits)
    return absent(names(question.clear, question.language), passages).union(
        str(int(max(number))) for number in missing(years, told)
    )
