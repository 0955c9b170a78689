"""`feud eval judge`: whether the probabilities that sentences answer come true, and tell what is answered.

Asked are the cases of a split and half of the NTREX questions: in turn as they are, and in the other language
with the document that answers them left out of what was found.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from eval.case import Gold, Split
from eval.casefile import load
from eval.measures import retrieved
from eval.pools import halves, news
from eval.retrieval_report import pool_index
from index import Hit, Index
from rag.answer import Question
from rag.evidence import gather
from rag.gate import likeness
from rag.judge import asks, judged
from rag.llm import LLM
from rag.opening import Library, open_llm
from rag.question import understand
from rag.settings import Settings

BOUNDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
_DEPTH = 20  # passages, of which those of one document are left out


@dataclass(frozen=True, slots=True)
class Judged:
    """One question: whether the texts answer it, and for each sentence how likely it does, and whether."""

    answerable: bool
    likely: tuple[float, ...]
    right: tuple[bool, ...]


def measure(settings: Settings, split: Split, sample: int) -> None:
    """Judge the evidence of the cases and of the news questions, and print how well."""
    llm, errors = open_llm(settings), Console(file=sys.stderr)
    feud, pool = Library(settings).latest(), news()
    cases = [case for case in load(split=split) if case.kind not in ("off_topic", "instruction")]
    asked = halves(pool)[0 if split == "dev" else 1]
    rows: dict[str, list[Judged]] = {"cases": [], "NTREX": []}
    for case in track(cases[: sample or None], "cases", console=errors):
        question = understand(case.question, case.history, llm)
        hits = feud.search(question.standalone, wordings=question.wordings)
        rows["cases"].append(_judged(question, hits, [gold for need in case.needs for gold in need], feud, llm))
    index = pool_index(settings, pool, errors)
    for query, away in track(asked[: sample or None], "NTREX", console=errors):
        question = Question(query.text, query.language, query.text)
        [answer] = query.gold
        hits = index.search(query.text, _DEPTH if away else 8)
        left = [hit for hit in hits if not away or hit.passage.document.id != answer.document.id][:8]
        gold = [] if away else [Gold(answer.document.id, answer.text)]
        rows["NTREX"].append(_judged(question, left, gold, index, llm))
    _print(rows)


def _judged(question: Question, hits: Sequence[Hit], gold: Sequence[Gold], index: Index, llm: LLM) -> Judged:
    texts = {hit.passage.document.id: hit.passage.document.text for hit in hits}
    evidence = gather(hits, index, question.language)
    read = judged(question, evidence, likeness(question, hits, index), index, llm)
    likely = tuple(read) if asks(question, llm) else ()
    known = [each for each in gold if each.document in texts]
    places = [(each.document.id, each.start, each.end) for each in evidence.sentences]
    right = tuple(retrieved(known, [place], texts) for place in places[: len(likely)])
    return Judged(bool(gold), likely, right)


def area(rows: Iterable[Judged]) -> float:
    """The area under the ROC curve: how often an answerable question's best is likelier than another's.

    >>> area([Judged(True, (0.2, 0.9), ()), Judged(False, (0.3,), ()), Judged(False, (0.9,), ())])
    0.75
    """
    rows = list(rows)
    told = [max(row.likely, default=0.0) for row in rows if row.answerable]
    untold = [max(row.likely, default=0.0) for row in rows if not row.answerable]
    return float(np.mean([(yes > no) + (yes == no) / 2 for yes in told for no in untold]))


def calibration(rows: Iterable[Judged]) -> Iterator[tuple[float, float, int, float, float]]:
    """Yield for each span of probabilities its bounds, how many were in it, what was said, what came true.

    >>> list(calibration([Judged(True, (0.25, 0.05), (True, False))]))
    [(0.0, 0.1, 1, 0.05, 0.0), (0.2, 0.3, 1, 0.25, 1.0)]
    """
    pairs = [pair for row in rows for pair in zip(row.likely, row.right, strict=True)]
    for low, high in pairwise(BOUNDS):
        own = [(said, true) for said, true in pairs if low <= said < high]
        if own:
            said, true = np.mean(np.array(own, float), axis=0).tolist()
            yield low, high, len(own), said, true


def _print(rows: dict[str, list[Judged]]) -> None:
    out = Console(highlight=False)
    for name, own in rows.items():
        answerable = [row for row in own if row.answerable and row.likely]
        first = np.mean([row.right[int(np.argmax(row.likely))] for row in answerable])
        out.print(
            f"{name}: n {len(own)}, answerable {len(answerable)}; area under the ROC curve {area(own):.2f}; "
            f"the likeliest sentence answers {first:.2f}"
        )
    spans = list(calibration([row for own in rows.values() for row in own]))
    error = np.average([abs(said - true) for *_, said, true in spans], weights=[span[2] for span in spans])
    table = Table("probability", "sentences", "said", "came true")
    for low, high, count, said, true in spans:
        table.add_row(f"{low:.1f}–{high:.1f}", str(count), f"{said:.2f}", f"{true:.2f}")
    out.print(table, f"expected calibration error {error:.3f}")
