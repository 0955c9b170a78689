"""Evidence: the few sentences that are worth the model's attention, the best one first."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from corpus import Passage, Sentence
from corpus.dates import dates, month_days, undated
from corpus.names import names
from corpus.numbers import Quantity, missing, quantities
from index import Hit, Index, sentence_scores
from rag.alone import points_back
from rag.disagree import SAME
from rag.wording import quotes

SENTENCES = 6
"""With ten, one of 93 development questions more is answered, and the first word comes two seconds later."""
CHARACTERS = 2600


@dataclass(frozen=True, slots=True)
class Evidence:
    """Sentences with their scores for the question, in falling order.

    `before` is the sentence that each of them follows, where that may say who speaks or is spoken of: where it
    names nobody itself, but points back or quotes. `around` are the words of its passages, also in English
    where the index has them so. `scores` are those of the search.
    """

    sentences: tuple[Sentence, ...]
    before: tuple[Sentence | None, ...]
    around: tuple[str, ...]
    scores: NDArray[np.float32]


def gather(hits: Sequence[Hit], index: Index, language: str) -> Evidence:
    """Choose the best sentences of `hits`, as many as fit `SENTENCES` and `CHARACTERS`.

    Of what a document says in several languages one is chosen: what a reader of `language` reads best.
    """
    best = sentence_scores(hits)
    follows = {second: first for hit in hits for first, second in pairwise(hit.passage.sentences)}
    chosen: dict[Sentence, float] = {}
    said: set[Sentence] = set()
    room = CHARACTERS
    for sentence in sorted(best, key=lambda each: -best[each]):
        if sentence in said:
            continue
        same = [sentence, *(each for each in _translations(sentence, index) if each in best)]
        if any(each in chosen for each in same):
            continue
        told = min(same, key=lambda each: (each.language != language, each.language != "en"))
        room -= len(told.text)
        if len(chosen) == SENTENCES or (chosen and room < 0):
            break
        chosen[told] = best[sentence]
        said.update(same)
    known = _named(hits, index)
    return Evidence(
        tuple(chosen),
        tuple(follows.get(sentence) if _leans(sentence, known) else None for sentence in chosen),
        tuple(
            " ".join(_words(hit, index) for hit in hits if sentence in hit.passage.sentences)
            for sentence in chosen
        ),
        np.array(list(chosen.values()), np.float32),
    )


def _translations(sentence: Sentence, index: Index) -> list[Sentence]:
    """What the same document says in another language with the same numbers, for all that can be told."""
    if len(sentence.document.languages) < 2:
        return []
    own = quantities(sentence.text, sentence.language)
    return [
        each
        for each in index.counterparts(sentence, SAME)
        if each.document.id == sentence.document.id
        and each.language != sentence.language
        and not missing(own, numbers := quantities(each.text, each.language))
        and not missing(numbers, own)
    ]


def _named(hits: Iterable[Hit], index: Index) -> set[str]:
    """The names in passages, as they are and in English, which shows them better than German does."""
    found: set[str] = set()
    for sentence in {sentence for hit in hits for sentence in hit.passage.sentences}:
        found |= names(sentence.text, sentence.language) | names(index.english(sentence), "en")
    return found


def _leans(sentence: Sentence, known: Collection[str]) -> bool:
    """Whether a sentence has none of the `known` names nor another, but a quotation or a word such as "he"."""
    return not names(sentence.text, sentence.language, known) and (
        quotes(sentence) or points_back(sentence.text, sentence.language)
    )


def dated_numbers(spans: Iterable[Passage | Sentence]) -> list[Quantity]:
    """The numbers in passages or sentences, and in the dates of their documents."""
    return [
        quantity
        for span in spans
        for quantity in quantities(span.text, span.language)
        + quantities(span.document.published.value or "", "und")
    ]


def told_numbers(text: str, sentence: Sentence) -> list[Quantity]:
    """The numbers that `text` may take from a sentence: its own, and those of the day it was published on.

    The latter only where that day is named in `text`, or where the sentence names a month or a weekday without
    a year. "Then he founded a firm", written in 2024, says of no year.
    """
    published = sentence.document.published
    readings = {published.value, published.until} - {None}
    named = any({printed.value, printed.until} & readings for printed in dates(text))
    if named or undated(sentence.text, sentence.language):
        return dated_numbers([sentence])
    return quantities(sentence.text, sentence.language)


def told_days(text: str, sentence: Sentence) -> bool:
    """Whether each day of a month in `text` stands in a sentence, or is the day that was published on.

    The latter must be of that year, where `text` names one: "on 12 February 2018" is not of what was written on
    12 February 2025 about 2018.
    """
    published = sentence.document.published
    readings = {published.value, published.until} - {None}
    others = month_days(text) - month_days(sentence.text, loosely=True)
    whole = ({printed.value, printed.until} for printed in dates(text))
    strange = " ".join(str(value) for values in whole if not values & readings for value in values)
    return others <= month_days(f"{published.value} {published.until}") and not others & month_days(strange)


def _words(hit: Hit, index: Index) -> str:
    return " ".join([hit.passage.text, *map(index.english, hit.passage.sentences)])
