"""How well passages and sentences are found: the feud cases, XQuAD-R and NTREX news, by ranking.

Each question set is ranked as the product does it and with parts of the ranking taken away, in one run, so
that what each part gives stands side by side.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from corpus import Passage, Sentence
from eval.case import Case
from eval.measures import retrieved
from eval.pools import Query
from index import RANKING, Hit, Index, Ranking, sentence_scores
from rag.answer import Question
from rag.evidence import gather

_DENSE = Ranking(neutral=False, sentence=0, context=0, english=0, lexical=0, seconds=0, wordings=0)
_CONTEXTS = replace(_DENSE, sentence=0.55, context=RANKING.context)
_WORDS = replace(_CONTEXTS, neutral=True, lexical=RANKING.lexical)
RANKINGS: Mapping[str, Ranking] = {
    "dense": _DENSE,
    "dense + sentences": replace(_DENSE, sentence=0.55),
    "+ contexts": _CONTEXTS,
    "+ neutral": replace(_CONTEXTS, neutral=True),
    "+ words": _WORDS,
    "+ versions": replace(_WORDS, seconds=RANKING.seconds),
    "+ English": replace(RANKING, wordings=0),
    "+ wordings (shipped)": RANKING,
}
"""From the plain baseline to what is shipped, one part more in each."""

DEPTH = 40  # passages that a ranking of sentences is made from


@dataclass(frozen=True, slots=True)
class Found:
    """The value of a measure for one question: the share of its needs, or whether its sentence was found."""

    group: str
    measure: str
    value: float


def cases(
    index: Index, asked: Sequence[tuple[Case, Question]], ranking: Ranking, k: int = 8
) -> Iterator[tuple[Case, list[Hit], list[Found]]]:
    """Search each case by its standalone question; the groups are all, its kind, and how languages meet.

    "@8" is the share of its needs in the first 8 passages, "in evidence" in the sentences that the model reads.
    """
    texts = {document.id: document.text for document in index.documents}
    spoken = {document.id: set(document.languages) for document in index.documents}
    for case, question in asked:
        if not case.needs:
            continue
        hits = index.search(question.standalone, k, ranking=ranking, wordings=question.wordings)
        shown = [place(hit.passage) for hit in hits]
        read = [place(sentence) for sentence in gather(hits, index, question.language).sentences]
        own = [any(case.language in spoken[gold.document] for gold in need) for need in case.needs]
        groups = ["all", case.kind, "own language" if all(own) else "another language"]
        values = {f"@{n}": fmean(retrieved(need, shown[:n], texts) for need in case.needs) for n in (2, 4, k)}
        values["in evidence"] = fmean(retrieved(need, read, texts) for need in case.needs)
        yield case, hits, [Found(group, name, value) for group in groups for name, value in values.items()]


def sentences(index: Index, query: Query, ranking: Ranking) -> list[Sentence]:
    """Return the pool's sentences as the search ranks them for a question, best first."""
    best = sentence_scores(index.search(query.text, DEPTH, ranking=ranking))
    return sorted(best, key=lambda sentence: -best[sentence])


def ranked(query: Query, ranking: Sequence[Sentence]) -> Iterator[Found]:
    """The measures of one question of a pool.

    Average precision over the whole list; in the list of each gold sentence's language alone whether it is
    among the first five, and in the question's own language the reciprocal of its rank down to ten.
    """
    places = {sentence: place for place, sentence in enumerate(ranking)}
    yield Found(query.set, "average precision", average_precision([places.get(gold) for gold in query.gold]))
    yield Found(query.set, "recall@5", fmean(places.get(gold, 5) < 5 for gold in query.gold))
    for gold in query.gold:
        same = [sentence for sentence in ranking if sentence.language == gold.language]
        place = same.index(gold) if gold in places else None
        pair = f"{query.language}→{gold.language}"
        yield Found(pair, "own list top 5", float(place is not None and place < 5))
        yield Found(pair, "recall@5", float(places.get(gold, 5) < 5))
        if query.language == gold.language:
            yield Found(query.set, "MRR@10", 1 / (place + 1) if place is not None and place < 10 else 0.0)
    for sentence in ranking[:5]:
        yield Found(f"in {sentence.language}", "share of the first 5", 1.0)


def average_precision(places: Sequence[int | None]) -> float:
    """The mean of the precision at each gold sentence; one that was not found counts 0.

    >>> average_precision([0, 3]), average_precision([1, None])
    (0.75, 0.25)
    """
    found = sorted(place for place in places if place is not None)
    return sum((n + 1) / (place + 1) for n, place in enumerate(found)) / len(places)


def place(span: Passage | Sentence) -> tuple[str, int, int]:
    """Where a span stands: its document's id, start and end."""
    return span.document.id, span.start, span.end


def by_group(found: Sequence[Found]) -> dict[tuple[str, str], list[float]]:
    """The values by group and measure."""
    groups: dict[tuple[str, str], list[float]] = {}
    for each in found:
        groups.setdefault((each.group, each.measure), []).append(each.value)
    return groups
