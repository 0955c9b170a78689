"""What happened when: the times that sentences name, in order."""

import pytest

from corpus import Document, Segment, Sentence
from rag.timeline import timeline


def sentences(*texts: str) -> list[Sentence]:
    """The texts as sentences of documents of their own."""
    return [
        Sentence(
            Document(f"{i}.txt", text, "", segments=(Segment(0, len(text), "en", "article"),)),
            0,
            len(text),
            "en",
        )
        for i, text in enumerate(texts)
    ]


def test_a_year_comes_before_its_months_and_days_and_each_time_that_is_named_counts() -> None:
    told = sentences(
        "The quay opened on 3 May 2021.",
        "It was paid for in 2021, and begun in February 2020.",
        "In 1998 there were none.",
        "There are 1.998 of them.",
    )
    found = [(event.value, event.sentence) for event in timeline(told)]
    assert found == [
        ("1998", told[2]),
        ("2020-02", told[1]),
        ("2021", told[1]),
        ("2021-05-03", told[0]),
    ]


@pytest.mark.parametrize("month", [f"2023-{month:02}" for month in range(1, 13)] + ["2024-02"])
def test_a_month_is_a_month_however_long_it_is(month: str) -> None:
    [event] = timeline(sentences(f"It ended in {month}, they say."))
    assert event.value == month


def test_what_stands_there_twice_is_told_once_and_what_differs_by_its_source() -> None:
    told = sentences("It opened in 2019.", "It  opened in 2019.", "It opened in 2020.", "In 2019 it opened.")
    assert [event.sentence for event in timeline(told)] == [told[0], told[3], told[2]]


def test_a_day_that_can_be_read_either_way_has_both_readings() -> None:
    [event] = timeline(sentences("It opened on 03/04/2021."))
    assert (event.value, event.until) == ("2021-03-04", "2021-04-03")
