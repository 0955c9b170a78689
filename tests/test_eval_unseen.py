"""The news as cases: what is asked of each half, and that its facts and gold hold."""

from collections import Counter

from eval.case import Split, check
from eval.pools import halves, news
from eval.unseen import unseen

NEWS = news()
TEXTS = {sentence.document.id: sentence.document.text for sentence in NEWS.sentences}
SPLITS: tuple[Split, ...] = ("dev", "test")


def test_each_split_has_its_own_questions_and_as_many_of_each_kind() -> None:
    dev, test = (unseen(NEWS, split) for split in SPLITS)
    counts = [Counter(case.kind for case in half) for half in (dev, test)]
    assert counts[0] == counts[1]
    assert counts[0] == {
        "one_fact": 38,
        "cross_language": 37,
        "taken_away": 25,
        "unanswerable": 20,
        "off_topic": 20,
    }
    assert len({case.id for case in dev + test}) == len(dev + test)
    assert not {case.question for case in dev} & {case.question for case in test}


def test_gold_holds_the_facts_and_no_question_gives_them_away() -> None:
    cases = [case for split in SPLITS for case in unseen(NEWS, split)]
    problems = [each for each in check(cases, TEXTS) if each.key != "split"]  # kinds are their topics
    assert problems == []


def test_what_would_answer_is_what_is_taken_away() -> None:
    for split in SPLITS:
        away = [case for case in unseen(NEWS, split) if case.kind == "taken_away"]
        assert all(case.without in TEXTS and not case.needs for case in away)
        assert not any(case.without for case in unseen(NEWS, split) if case.kind != "taken_away")


def test_each_half_asks_every_question_once_as_it_is_and_once_without_its_document() -> None:
    first, second = halves(NEWS)
    assert len(first) == len(second) == 150
    for half in (first, second):
        for (own, away), (other, left) in zip(half[::2], half[1::2], strict=True):
            assert (away, left) == (False, True)
            assert own.gold == other.gold
            assert own.language != other.language
    assert not {query.gold for query, _ in first} & {query.gold for query, _ in second}
