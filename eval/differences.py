"""`feud eval disagreements`: numbers that were changed in news told twice, and how many of them are found."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import track
from rich.table import Table

from corpus import Sentence
from eval.pools import Retold, told_twice
from eval.retrieval_report import pool_index
from eval.summary import interval
from rag.disagree import differences
from rag.settings import Settings


@dataclass(frozen=True, slots=True)
class Tally:
    """For reports with a changed number whether it was found, for the others whether they seem to differ."""

    found: tuple[bool, ...]
    false: tuple[bool, ...]


def measure(settings: Settings) -> None:
    """Plant, look for differences between all sentences of the pool, and print what was found."""
    errors = Console(file=sys.stderr)
    pool, retold = told_twice()
    index = pool_index(settings, pool, errors)
    groups = differences(track(index.sentences, "Comparing", console=errors), index)
    table = Table("reports", "planted and found", "unchanged and yet differing")
    halves = {"development": retold[0::4] + retold[1::4], "test": retold[2::4] + retold[3::4]}
    for name, half in halves.items():
        counted = tally(half, groups)
        table.add_row(f"{name}, {len(half)}", _share(counted.found), _share(counted.false))
    Console(highlight=False).print(table)
    print(f"{len(groups)} points on which sentences differ, planted or not, in {len(pool.sentences)}.")


def tally(retold: Sequence[Retold], groups: Sequence[Sequence[Sentence]]) -> Tally:
    """Count which planted differences are among `groups`, and which unchanged reports a group says differ."""
    found, false = [], []
    for each in retold:
        if each.changed is not None:
            pair = {each.first[each.changed], each.second[each.changed]}
            found.append(any(pair <= set(group) for group in groups))
        else:
            first, second = set(each.first), set(each.second)
            false.append(any(first & set(group) and second & set(group) for group in groups))
    return Tally(tuple(found), tuple(false))


def _share(values: Sequence[bool]) -> str:
    low, high = interval([float(value) for value in values], (0, 1))
    return f"{sum(values)} of {len(values)} ({low:.2f}–{high:.2f})"
