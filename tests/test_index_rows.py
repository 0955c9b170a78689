"""What is held of the documents that were read last, and where a span of one is found again."""

from random import Random

import pytest

from corpus import Document, Passage, Sentence
from index.remembered import Remembered
from index.rows import place_of


def test_what_is_remembered_is_bound_by_number_and_by_weight() -> None:
    made: list[str] = []

    def make(key: str) -> str:
        made.append(key)
        return key * 2

    kept = Remembered[str, str](3, 20, len)
    for key in ("a", "b", "c", "a", "d", "a", "b"):  # b was the one asked for longest ago when d came
        assert kept.get(key, make) == key * 2
    assert "".join(made) == "abcdb"
    assert [kept.get("long text", make), len(kept)] == ["long textlong text", 2]  # 18 and 2 are not too much
    assert [kept.get("very long text", make), len(kept)] == ["very long text" * 2, 1]  # alone, however long
    made.clear()
    kept.get("very long text", make)
    kept.get("b", make)
    assert (made, len(kept)) == (["b"], 1)


def test_a_span_is_found_by_its_place_and_its_words() -> None:
    chosen = Random(1)
    text = "".join(chosen.choices("abc .", k=2_000))
    document = Document("a.txt", text, "")
    marks = sorted(chosen.sample(range(2_000), 200))
    sentences = [Sentence(document, a, b, "en") for a, b in zip(marks[::2], marks[1::2], strict=True)]
    passages = [Passage(document, tuple(sentences[i : i + 3])) for i in range(0, 98, 2)]
    assert [place_of(each, sentences) for each in sentences] == list(range(100))
    assert [place_of(each, passages) for each in passages] == list(range(49))
    other = Document("a.txt", text.upper(), "")
    first = sentences[0]
    for absent in (
        Sentence(document, first.start, first.end + 1, "en"),
        Sentence(document, first.start + 1, first.end, "en"),
        Sentence(document, 1_999, 2_000, "en"),
        next(Sentence(other, s.start, s.end, "en") for s in sentences if s.text != s.text.upper()),
    ):
        with pytest.raises(KeyError):
            place_of(absent, sentences)
    with pytest.raises(KeyError):
        place_of(first, [])
