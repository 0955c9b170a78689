"""News with other numbers: what is changed, and what is asked of it."""

from eval.changed import changed
from eval.normalise import states
from eval.pools import news

NEWS = news()


def test_the_answers_follow_the_changed_numbers_and_the_old_ones_are_gone() -> None:
    other, cases = changed(NEWS, ["dev", "test"])
    assert len(cases) > 40
    english = {sentence.text: told for sentence, told in other.english.items()}
    for case in cases:
        [[gold]] = case.needs
        texts = "\n".join((gold.quote, english.get(gold.quote, "")))
        assert states(texts, case.facts[0]), case.id
        assert not states(texts, case.forbidden), case.id
    documents = {sentence.document.id: sentence.document.text for sentence in other.sentences}
    assert all(gold.quote in documents[gold.document] for case in cases for need in case.needs for gold in need)


def test_nothing_else_is_changed() -> None:
    other, cases = changed(NEWS, ["dev"])
    pairs = list(zip(NEWS.sentences, other.sentences, strict=True))
    assert 0 < sum(old.text != new.text for old, new in pairs) <= 2 * len(cases)
    assert all((old.start, old.language) == (new.start, new.language) for old, new in pairs)
    assert [len(p.sentences) for p in NEWS.passages] == [len(p.sentences) for p in other.passages]
    assert len(NEWS.queries) == len(other.queries)
