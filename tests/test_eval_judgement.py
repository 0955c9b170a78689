"""Which news questions are judged, and with which of them the document is left out."""

from eval.pools import halves, news


def test_each_half_asks_every_question_once_as_it_is_and_once_without_its_document() -> None:
    first, second = halves(news())
    assert len(first) == len(second) == 150
    for half in (first, second):
        for (own, away), (other, left) in zip(half[::2], half[1::2], strict=True):
            assert (away, left) == (False, True)
            assert own.gold == other.gold
            assert own.language != other.language
    assert not {query.gold for query, _ in first} & {query.gold for query, _ in second}
