"""Whether the evidence is good enough to ask the model at all: the first half of saying "not in there"."""

from collections.abc import Sequence

from corpus.names import absent, names, words
from index import Hit, Index
from rag.answer import Question

LIKENESS = 0.80
"""Least cosine between a question and its best passage, for the default embedder."""
STATED = 0.77
"""Least probability, by the default language model, that the evidence states the answer, for quoting it.

On the development cases 1 of 14 questions without an answer reaches it, and 25 of 51 with one.
"""


def good_enough(question: Question, hits: Sequence[Hit], index: Index) -> bool:
    """Whether some passage is about the question, and the passages know each name that it asks about.

    On the development cases both together refuse 8 of 14 questions without an answer and 2 of 51 with one.
    Likeness has an area under the ROC curve of .79; names catch persons and companies that no passage mentions.
    """
    if not hits:
        return False
    if max(index.likeness(question.standalone, [hit.passage for hit in hits])) < LIKENESS:
        return False
    passages = " ".join(f"{hit.passage.document.title} {hit.passage.text}" for hit in hits)
    asked = names(question.standalone, question.language, known=words(passages))
    return not absent(asked, passages)
