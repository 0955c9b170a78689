"""Where sources differ: sentences that tell the same with other numbers or dates, shown as versions.

Found by the program alone; which version is right is left to the reader.
"""

from collections.abc import Sequence
from dataclasses import replace

from corpus import Sentence
from corpus.numbers import Quantity, missing, quantities
from index import Index
from rag.answer import Answer, Disagreement, Statement, Version
from rag.cite import quote
from rag.evidence import Evidence

SAME = 0.03
"""How much closer two sentences are to each other than the next closest of their languages are, both ways.

In 60 development cases 21 pairs of evidence have other numbers; the 5 that tell the same reach it, all of them
the same two sentences, so that this is a first value and not a calibration.
"""


def compare(answer: Answer, evidence: Evidence, index: Index) -> Answer:
    """Return the answer with each point on which evidence differs from what it states.

    Evidence that tells a stated thing with other numbers is quoted too; versions are in the order of time.
    """
    for statement in answer.statements:
        source = _source(statement, answer)
        if any(set(version.citations) & set(statement.citations) for version in _versions(answer)):
            continue
        differing = _differing(statement, source, evidence, index, answer.question.language)
        if not differing:
            continue
        for sentence in differing:
            known = any(sentence in citation.sentences for citation in answer.citations)
            answer = answer if known else quote(answer, sentence)
        told = [other for other in answer.statements if _source(other, answer) in (source, *differing)]
        told.sort(key=lambda other: _source(other, answer).document.published.value or "9999")
        versions = tuple(Version(other.text, other.citations) for other in told)
        if len(versions) > 1:
            point = Disagreement(answer.question.text, versions)
            answer = replace(answer, disagreements=(*answer.disagreements, point))
    return answer


def _versions(answer: Answer) -> list[Version]:
    return [version for point in answer.disagreements for version in point.versions]


def _source(statement: Statement, answer: Answer) -> Sentence:
    [first] = [citation for citation in answer.citations if citation.number == statement.citations[0]]
    return first.sentences[0]


def _differing(
    statement: Statement, source: Sentence, evidence: Evidence, index: Index, language: str
) -> list[Sentence]:
    """The evidence that tells what `source` does, without a number that the statement has and with another."""
    quoted = statement.support == "quoted"
    stated = _numbers(source) if quoted else quantities(statement.text, language)
    stated = [number for number in stated if not missing([number], _numbers(source))]
    others = [
        sentence
        for sentence in evidence.sentences
        if missing(stated, _numbers(sentence)) and missing(_numbers(sentence), _numbers(source))
    ]
    return _telling_the_same(source, others, index)


def _telling_the_same(source: Sentence, others: Sequence[Sentence], index: Index) -> list[Sentence]:
    if not others:
        return []
    own, *vectors = index.sentence_vectors([source, *others])
    there = index.standing_out(own, others)
    back = [float(index.standing_out(vector, [source])[0]) for vector in vectors]
    return [other for other, *near in zip(others, there.tolist(), back, strict=True) if min(near) >= SAME]


def _numbers(sentence: Sentence) -> list[Quantity]:
    return quantities(sentence.text, sentence.language)
