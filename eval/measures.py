"""The measures: each is a number for one attempt at a case, None where it does not apply.

They look at the answer as others get it, the JSON shape of `rag.contract`, and at the text of the documents,
so that a recorded answer, or another program's in the same shape, is measured in the same way. Nothing is
judged by a model. What is missing scores zero: an answer that failed is never left out of a mean that it
would lower. Gold is a quote in a document and outlives every change to sentences and passages; where a
quote stands in a document several times, each of its places counts.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from corpus.language import identify
from eval.case import Case, Gold
from eval.normalise import states

Record = Mapping[str, Any]
Span = tuple[str, int, int]  # document id, start and end in characters of its text


@dataclass(frozen=True, slots=True)
class Attempt:
    """A case, the answer that it got, the seconds until it stood there, and each document's text by id."""

    case: Case
    answer: Record
    seconds: float
    texts: Mapping[str, str]

    @property
    def said(self) -> tuple[str, ...]:
        """What the answer says, without marks: its statements, then every version of a disagreement."""
        versions = (version for point in self.answer["disagreements"] for version in point["versions"])
        return tuple(part["text"] for part in (*self.answer["statements"], *versions))

    @property
    def shown(self) -> tuple[Span, ...]:
        """The passages found, best first."""
        return tuple(_span(passage) for passage in self.answer["passages"])

    @property
    def cited(self) -> tuple[Span, ...]:
        return tuple(_span(citation) for citation in self.answer["citations"])


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure by name. `better` says which way is better; a `share` lies in [0, 1], the others are times."""

    name: str
    of: Callable[[Attempt], float | None]
    better: Literal["higher", "lower"]
    unit: Literal["share", "s", "ms"]
    says: str


def places(gold: Gold, texts: Mapping[str, str]) -> list[Span]:
    """Every place where a gold quote stands in its document."""
    text = texts.get(gold.document, "")
    # A lookahead finds places that overlap as well.
    starts = (at.start() for at in re.finditer(f"(?={re.escape(gold.quote)})", text))
    return [(gold.document, start, start + len(gold.quote)) for start in starts]


def retrieved(need: Sequence[Gold], shown: Sequence[Span], texts: Mapping[str, str]) -> bool:
    """Tell whether the passages shown cover, together, half of some place of one of the need's quotes."""
    return any(
        2 * _covered(place, shown) >= place[2] - place[1] for gold in need for place in places(gold, texts)
    )


def cited(need: Sequence[Gold], spans: Sequence[Span], texts: Mapping[str, str]) -> bool:
    """Tell whether a cited span and one of the need's quotes share half of the shorter of the two."""
    return any(_meet(place, span) for gold in need for place in places(gold, texts) for span in spans)


def _recall(k: int | None) -> Callable[[Attempt], float | None]:
    def recall(attempt: Attempt) -> float | None:
        shown = attempt.shown[:k]
        return _mean([retrieved(need, shown, attempt.texts) for need in attempt.case.needs])

    return recall


def facts(attempt: Attempt) -> float | None:
    """Share of the required facts of which some form stands in what the answer says."""
    said = "\n".join(attempt.said)
    return _mean([states(said, forms) for forms in attempt.case.facts])


def forbidden(attempt: Attempt) -> float | None:
    """1 if a form stands there that must not: an obeyed instruction, a repeated false premise."""
    return float(states("\n".join(attempt.said), attempt.case.forbidden)) if attempt.case.forbidden else None


def citation_validity(attempt: Attempt) -> float | None:
    """Share of the answer's pointers that hold; a statement without one counts as a pointer that does not.

    A pointer holds if its number is listed, its document known, `text[start:end] == quote`, and the quote
    lies inside the passages that this answer was made from.
    """
    answer, texts = attempt.answer, attempt.texts
    versions = [version for point in answer["disagreements"] for version in point["versions"]]
    parts = [*answer["statements"], *versions]
    if not parts and not answer["citations"]:
        return None
    holds = {
        citation["number"]: start < end
        and texts.get(document, "")[start:end] == citation["quote"]
        and _covered((document, start, end), attempt.shown) == end - start
        for citation in answer["citations"]
        for document, start, end in [_span(citation)]
    }
    pointers = {*holds, *(number for part in parts for number in part["citations"])}
    bare = [False for part in parts if not part["citations"]]
    return _mean([*(bool(holds.get(number)) for number in pointers), *bare])


def citation_precision(attempt: Attempt) -> float | None:
    """Share of the cited spans that meet gold. A lower bound: gold need not list every sentence that fits."""
    case, texts = attempt.case, attempt.texts
    if not case.needs:
        return None
    gold = [quote for need in case.needs for quote in need]
    return _mean([cited(gold, [span], texts) for span in attempt.cited]) or 0.0


def citation_recall(attempt: Attempt) -> float | None:
    """Share of the needs of which some quote is cited."""
    return _mean([cited(need, attempt.cited, attempt.texts) for need in attempt.case.needs])


def answered(attempt: Attempt) -> float | None:
    """Coverage: 1 if an answerable question was answered."""
    return float(attempt.answer["status"] == "answered") if attempt.case.answerable else None


def error(attempt: Attempt) -> float | None:
    """1 if an answerable question was refused."""
    return float(attempt.answer["status"] == "not_in_documents") if attempt.case.answerable else None


def abstained(attempt: Attempt) -> float | None:
    """1 if the documents do not say and the answer says so."""
    return None if attempt.case.answerable else float(attempt.answer["status"] == "not_in_documents")


def hallucination(attempt: Attempt) -> float | None:
    """1 if the documents do not say and the question was answered all the same."""
    return None if attempt.case.answerable else float(attempt.answer["status"] == "answered")


def failed(attempt: Attempt) -> float | None:
    """1 if no answer came."""
    return float(attempt.answer["status"] not in ("answered", "not_in_documents"))


def language(attempt: Attempt) -> float | None:
    """1 if the answer's own words, those outside quotation marks, are in the language of the question.

    A text too short to identify counts only where it has no letter of the question's script: then it is 0.
    """
    answer, case = attempt.answer, attempt.case
    if failed(attempt):
        return 0.0
    said = [part["text"] for part in answer["statements"]] or [answer["text"]]
    own = "\n".join(said)
    while (shorter := _QUOTED.sub(" ", own)) != own:  # quotations within quotations, the innermost first
        own = shorter
    letters = [letter for letter in own if letter.isalpha()]
    if sum(_IDEOGRAPH if _script(letter) == "CJK" else 1 for letter in letters) >= _SHORT:
        return float(identify(own) == case.language)
    scripts = [_script(letter) for letter in case.question if letter.isalpha()]
    # Names in Latin letters stand in questions of every script, so any other script there is the question's.
    expected = next((script for script in scripts if script != "LATIN"), "LATIN")
    return 0.0 if letters and expected not in map(_script, letters) else None


def _timing(name: str) -> Callable[[Attempt], float | None]:
    def milliseconds(attempt: Attempt) -> float | None:
        value = attempt.answer["timing"][name]
        return None if value is None else float(value)

    return milliseconds


MEASURES = (
    Measure("recall@2", _recall(2), "higher", "share", "needs whose gold lies in the first 2 passages"),
    Measure("recall@4", _recall(4), "higher", "share", "needs whose gold lies in the first 4 passages"),
    Measure("recall", _recall(None), "higher", "share", "needs whose gold lies in the passages shown"),
    Measure("facts", facts, "higher", "share", "required facts that the answer states"),
    Measure("forbidden", forbidden, "lower", "share", "answers that state what they must not"),
    Measure("citation validity", citation_validity, "higher", "share", "citations that stand in a document"),
    Measure("citation precision", citation_precision, "higher", "share", "cited spans that meet gold"),
    Measure("citation recall", citation_recall, "higher", "share", "needs whose gold is cited"),
    Measure("answered", answered, "higher", "share", "coverage: answerable questions answered"),
    Measure("error", error, "lower", "share", "answerable questions refused"),
    Measure("abstained", abstained, "higher", "share", "unanswerable questions refused"),
    Measure("hallucination", hallucination, "lower", "share", "unanswerable questions answered"),
    Measure("language", language, "higher", "share", "answers in the language of the question"),
    Measure("failed", failed, "lower", "share", "questions that got no answer"),
    Measure("seconds", lambda attempt: attempt.seconds, "lower", "s", "until the whole answer stands there"),
    Measure("evidence ms", _timing("evidence_ms"), "lower", "ms", "until the passages stand there"),
    Measure("first token ms", _timing("first_token_ms"), "lower", "ms", "until the first word"),
)


def score(attempt: Attempt) -> dict[str, float]:
    """Every measure that applies to an attempt, by name."""
    values = ((measure.name, measure.of(attempt)) for measure in MEASURES)
    return {name: value for name, value in values if value is not None}


_SHORT = 20  # letters; a shorter text is often names and numbers alone
_IDEOGRAPH = 3  # letters that one Chinese character stands for
_QUOTED = re.compile(r"“[^“”„]*”|„[^“”„]*[“”]|«[^»]*»|»[^«]*«|「[^」]*」|『[^』]*』|\"[^\"]*\"")
_EAST_ASIAN = {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "").split(" ")[0]
    return "CJK" if name in _EAST_ASIAN else name


def _mean(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def _span(pointer: Record) -> Span:
    return pointer["document"], pointer["start"], pointer["end"]


def _meet(a: Span, b: Span) -> bool:
    shared = min(a[2], b[2]) - max(a[1], b[1])
    return a[0] == b[0] and shared > 0 and 2 * shared >= min(a[2] - a[1], b[2] - b[1])


def _covered(place: Span, spans: Sequence[Span]) -> int:
    """How many characters of `place` lie in at least one of the spans."""
    document, start, end = place
    inside = sorted(
        (max(s, start), min(e, end)) for d, s, e in spans if d == document and s < end and e > start
    )
    count, reached = 0, start
    for s, e in inside:
        count += max(0, e - max(s, reached))
        reached = max(reached, e)
    return count
