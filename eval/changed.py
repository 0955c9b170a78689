"""News in which a number was changed: whether answers follow the documents or what a model remembers."""

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import get_args

from eval.case import Case, Split
from eval.normalise import states
from eval.pools import Pool, Query, altered, halves, rewritten
from eval.unseen import told

_DIGITS = re.compile(r"\d+")
Swaps = dict[str, dict[str, str]]  # by document: numbers, and what stands in their place


def changed(pool: Pool, splits: Collection[Split]) -> tuple[Pool, list[Case]]:
    """The pool with other numbers, and the questions of the splits that they answer; the old are forbidden.

    Changed is a number of the answer that stands in digits in the sentence and in its English, everywhere in
    its document.
    """
    numbers: dict[str, tuple[str, Split]] = {}
    swaps: Swaps = {}
    for split, half in zip(get_args(Split), halves(pool), strict=True):
        for query, away in half:
            if split in splits and not away and (number := _number(query, pool)):
                numbers[query.id] = number, split
                swaps.setdefault(query.gold[0].document.id, {})[number] = altered(number)
    other = rewritten(pool, lambda document, text: _swapped(text, swaps.get(document, {})))
    return other, [_case(query, *numbers[query.id]) for query in other.queries if query.id in numbers]


def _number(query: Query, pool: Pool) -> str:
    """The number that is the answer, where the sentence has it in digits, in English too; "" where none is."""
    [gold] = query.gold
    texts = gold.text, pool.english.get(gold, gold.text)
    numbers: list[str] = [run for form in query.says for run in _DIGITS.findall(form)]
    for number in numbers:
        own = _with(number, query.says)
        others = [form for form in query.says if form not in own]
        held = len(_with(number, texts)) == len(texts) and any(states(text, own) for text in texts)
        if held and not any(states(text, others) for text in texts):
            return number
    return ""


def _case(query: Query, number: str, split: Split) -> Case:
    swap = {number: altered(number)}
    forms = _with(number, query.says)
    return replace(
        told(query, split),
        id=f"{query.id}-changed",
        topic="changed",
        facts=(tuple(_swapped(form, swap) for form in forms),),
        forbidden=tuple(forms),
    )


def _with(number: str, texts: Iterable[str]) -> list[str]:
    return [text for text in texts if number in _DIGITS.findall(text)]


def _swapped(text: str, swaps: dict[str, str]) -> str:
    """Put other numbers in place of these.

    >>> _swapped("12 of 112 in 2012", {"12": "15"})
    '15 of 112 in 2012'
    """
    return _DIGITS.sub(lambda match: swaps.get(match.group(), match.group()), text)
