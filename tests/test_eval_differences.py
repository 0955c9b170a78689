"""Planted differences: what is counted as found, and as false."""

from corpus.numbers import missing, quantities
from eval.differences import Tally, tally
from eval.pools import told_twice


def test_news_is_told_twice_with_one_number_changed_in_every_other_report() -> None:
    pool, retold = told_twice()
    assert len({sentence.document.id for sentence in pool.sentences}) == 2 * len(retold) == 246
    assert all(len(each.first) == len(each.second) for each in retold)
    assert all(each.first[0].language != each.second[0].language for each in retold)
    planted = [each for each in retold if each.changed is not None]
    assert len(planted) == 58
    differing = 0
    for each in planted:
        first, second = each.first[each.changed or 0], each.second[each.changed or 0]
        told = quantities(first.text, first.language)
        differing += bool(missing(quantities(second.text, second.language), told))
    assert differing == len(planted)


def test_a_tally_knows_planted_differences_from_false_ones() -> None:
    _, (changed, unchanged, *_) = told_twice()
    assert changed.changed is not None
    assert unchanged.changed is None
    place = changed.changed
    planted = (changed.first[place], changed.second[place])
    assert tally([changed, unchanged], [planted]) == Tally((True,), (False,))
    other = (changed.first[place], unchanged.second[0])
    assert tally([changed, unchanged], [other]) == Tally((False,), (False,))
    assert tally([unchanged], [(unchanged.first[0], unchanged.second[1])]) == Tally((), (True,))
