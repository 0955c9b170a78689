"""What happened when: the times that sentences name, in order."""

import pytest

from corpus import Document, Published, Segment, Sentence
from rag.timeline import timeline

UNDATED = Published()


def sentences(*texts: str, published: Published = UNDATED) -> list[Sentence]:
    """The texts as sentences of documents of their own."""
    return [
        Sentence(
            Document(
                f"{i}.txt", text, "", published=published, segments=(Segment(0, len(text), "en", "article"),)
            ),
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


@pytest.mark.parametrize(
    ("published", "text", "values"),
    [
        (Published("2025-02-12", "day"), "The bid came on 10 February.", ["2025-02-10"]),
        (Published("2025-02-12", "day"), "The hearing is on 14 March.", ["2025-03-14"]),
        (Published("2025-01-03", "day"), "It was signed on December 30.", ["2024-12-30"]),
        (Published("2025", "year"), "It was signed on 30 December.", ["2025-12-30"]),
        (Published("2025-11-12", "day", True, "2025-12-11"), "Le 3 novembre, non.", ["2025-11-03"]),
        (Published("2025-06", "month", True), "On 3 March it was.", []),  # its document's date is in doubt
        (Published(), "On 3 March it was.", []),
        (Published("2025-02-12", "day"), "Opened 3 May 2021, closed 5 June.", ["2021-05-03", "2021-06-05"]),
        (Published("2025-02-12", "day"), "From 2015 to 2018, each 3 March.", ["2015", "2018"]),
        (Published("2025-02-12", "day"), "On 29 February, on 31 June.", ["2024-02-29"]),
        (Published("9999", "year"), "On 3 March, in 12,345 cases.", ["9998-03-03"]),
    ],
)
def test_a_day_without_a_year_is_of_the_year_that_its_sentence_or_its_document_decides(
    published: Published, text: str, values: list[str]
) -> None:
    events = timeline(sentences(text, published=published))
    assert [event.value for event in events] == values
    assert all(event.assumed for event in events if event.value[:4] not in text)


def test_what_is_counted_is_no_time() -> None:
    assert timeline(sentences("OpenAI laid off 2000 employees.")) == []
