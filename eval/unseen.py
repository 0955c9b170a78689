"""The NTREX news as cases: topics, words and documents that the program was not made with.

What the news tells is asked in the document's language and in another. What it does not tell is asked of a
document that is taken away, with a name or a date put for another, and about things that no news is about.
"""

from collections.abc import Iterator

from eval.case import Case, Gold, Kind, Split
from eval.pools import Pool, Query, halves, untold

AWAY = 3
"""Of so many questions whose document can be taken away one is asked."""


def unseen(pool: Pool, split: Split) -> list[Case]:
    """The cases of a split: 75 that the `pool` of news answers, and 65 that it does not."""
    half = ("dev", "test").index(split)
    asked = halves(pool)[half]
    kept = [query for query, away in asked if not away]
    away = [query for query, away in asked if away][::AWAY]
    return [
        *(told(query, split) for query in kept),
        *(_taken(query, split) for query in away),
        *_untold(split, half, {_line(query) for query in kept}),
    ]


def told(query: Query, split: Split) -> Case:
    """A question of a pool as a case, with the one sentence that answers it as its need."""
    [gold] = query.gold
    return Case(
        query.id,
        split,
        "told",
        "one_fact" if query.language == gold.language else "cross_language",
        query.language,
        query.text,
        needs=((Gold(gold.document.id, gold.text),),),
        facts=(query.says,),
    )


def _taken(query: Query, split: Split) -> Case:
    [gold] = query.gold
    return Case(
        f"{query.id}-away",
        split,
        "taken away",
        "taken_away",
        query.language,
        query.text,
        answerable=False,
        without=gold.document.id,
    )


def _untold(split: Split, half: int, lines: set[str]) -> Iterator[Case]:
    """Questions with something swapped about the sentences of this half, and every other one about no news."""
    for place, row in enumerate(untold()):
        if row["line"] in lines or (not row["line"] and place % 2 == half):
            kind: Kind = "unanswerable" if row["line"] else "off_topic"
            name = f"{row['kind']}-{place}-{row['language']}"
            yield Case(name, split, row["kind"], kind, row["language"], row["question"], answerable=False)


def _line(query: Query) -> str:
    return query.id.split("-")[0]
