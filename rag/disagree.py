"""Where sources differ: sentences that tell the same with other numbers or dates, shown as versions.

Found by the program alone; which version is right is left to the reader.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from corpus import Sentence
from corpus.names import absent, capitals, names
from corpus.numbers import Quantity, is_year, missing, quantities, reads
from index import Index
from rag.answer import Answer, Disagreement, Statement, Version
from rag.cite import quote, quoted

SAME = 0.03
"""How much closer two sentences are to each other than the next closest of their languages are, both ways.

Set on the first half of the reports of `feud eval disagreements`, where it finds 26 of 29 planted differences.
"""


def compare(answer: Answer, index: Index, translated: Callable[[Sentence], str]) -> Answer:
    """Return the answer with each point on which a passage that was found differs from what it states.

    What tells a stated thing with other numbers is quoted too, `translated`; versions are in the order of time.
    """
    shown = {sentence for hit in answer.hits for sentence in hit.passage.sentences}
    for statement in answer.statements:
        source = _source(statement, answer)
        if any(set(version.citations) & set(statement.citations) for version in _versions(answer)):
            continue
        stated = _numbers(source) if statement.support == "quoted" else _stated(statement, answer)
        differing = [other for other in others(source, index, stated) if other in shown]
        if not differing:
            continue
        for sentence in differing:
            known = any(sentence in citation.sentences for citation in answer.citations)
            answer = answer if known else quote(answer, [sentence], translated(sentence))
        told = [other for other in answer.statements if _source(other, answer) in (source, *differing)]
        told.sort(key=lambda other: _in_time(_source(other, answer)))
        sources = {_source(other, answer) for other in told}
        versions = tuple(_version(other, answer, sources, translated) for other in told)
        if len(versions) > 1:
            point = Disagreement(answer.question.text, versions)
            answer = replace(answer, disagreements=(*answer.disagreements, point))
    return answer


def differences(sentences: Iterable[Sentence], index: Index) -> list[tuple[Sentence, ...]]:
    """Return what `sentences` and others of the index tell differently: versions in the order of time."""
    groups: list[set[Sentence]] = []
    for sentence in sentences:
        if found := others(sentence, index, _numbers(sentence)):
            group = {sentence, *found}
            apart = [other for other in groups if not other & group]
            groups = [*apart, group.union(*(other for other in groups if other & group))]
    return [tuple(sorted(group, key=_in_time)) for group in groups]


def others(source: Sentence, index: Index, stated: Sequence[Quantity]) -> list[Sentence]:
    """Return what tells the same as `source`, with another number in place of one that is `stated`."""
    if not stated:
        return []
    return [other for other in index.counterparts(source, SAME) if _differ(source, other, stated)]


def _differ(first: Sentence, second: Sentence, stated: Sequence[Quantity]) -> bool:
    """Whether the two have different numbers of one kind, as many of them, and most of their names in common.

    A year that only one of them names is no other year. Where large numbers can't be read nobody can tell.
    """
    if not (reads(first.language) and reads(second.language)):
        return False
    one, two = missing(_numbers(first), _numbers(second)), missing(_numbers(second), _numbers(first))
    kinds = {is_year(number) for number in one} & {is_year(number) for number in two}
    one, two = ([number for number in own if is_year(number) in kinds] for own in (one, two))
    return (
        len(one) == len(two)
        and any(number in stated for number in one)
        and _known(first, second)
        and _known(second, first)
    )


def _known(first: Sentence, second: Sentence) -> bool:
    """Whether at least half of the names of the one stand in the other; one may be spelled otherwise there."""
    found = names(first.text, first.language, capitals(second.text))
    strange = len(absent(found, second.text))
    return strange < 2 or 2 * strange <= len(found)


def _version(
    statement: Statement, answer: Answer, sources: Collection[Sentence], translated: Callable[[Sentence], str]
) -> Version:
    """What a statement tells; its source, quoted, where it leaves out the number that others have otherwise."""
    source = _source(statement, answer)
    stated = _stated(statement, answer)
    tells = any(missing(stated, _numbers(other)) for other in sources if other != source)
    if tells or statement.support == "quoted":
        return Version(statement.text, statement.citations)
    words = quoted([source], answer.question.language, translated(source))
    return Version(words, statement.citations)


def _versions(answer: Answer) -> list[Version]:
    return [version for point in answer.disagreements for version in point.versions]


def _source(statement: Statement, answer: Answer) -> Sentence:
    """The sentence that a statement rests on; one that is quoted stands behind the one that introduces it."""
    place = -1 if statement.support == "quoted" else 0
    [cited] = [citation for citation in answer.citations if citation.number == statement.citations[place]]
    return cited.sentences[place]


def _stated(statement: Statement, answer: Answer) -> list[Quantity]:
    """The numbers of the statement's source that it repeats."""
    told = quantities(statement.text, answer.question.language)
    return [number for number in _numbers(_source(statement, answer)) if not missing([number], told)]


def _numbers(sentence: Sentence) -> list[Quantity]:
    return quantities(sentence.text, sentence.language)


def _in_time(sentence: Sentence) -> tuple[str, str, int]:
    document = sentence.document
    return document.published.value or "9999", document.id, sentence.start
