"""Filters: what is let through, that uncertain dates are, and what is said of a date that is none."""

from dataclasses import replace
from datetime import date

import pytest

from corpus import Document, Published
from index import EVERYTHING, FilterError, filtered

DAY = Published("2025-02-12", "day")
MAY_BE_LATER = Published("2025-02-03", "day", uncertain=True, until="2025-03-02")


def document(published: Published) -> Document:
    return Document("a.txt", "Le pont.", "", publisher="Le Fleuve", published=published)


@pytest.mark.parametrize(
    ("published", "since", "until", "admitted"),
    [
        (DAY, "", "", True),
        (DAY, "2025-02-12", "2025-02-12", True),
        (DAY, "2025-02-13", "", False),
        (DAY, "2025", "2025", True),
        (DAY, "", "2025-01", False),
        (Published("2025-02", "month"), "2025-02-20", "", True),
        (Published("2024", "year"), "2025", "", False),
        (MAY_BE_LATER, "2025-03", "", True),
        (MAY_BE_LATER, "2025-04", "", False),
        (Published("2020-01-01", "day", uncertain=True), "2025", "2025", True),
        (Published(), "2025", "2025", True),
    ],
)
def test_a_document_is_admitted_where_its_date_may_fit(
    published: Published, since: str, until: str, admitted: bool
) -> None:
    assert filtered(since=since, until=until).admits_document(document(published)) is admitted


def test_languages_publishers_and_documents_are_each_held_to() -> None:
    one = document(DAY)
    assert EVERYTHING.admits_document(one)
    assert filtered(["FR", "de"], ["le fleuve"], ["a.txt"]).admits_document(one)
    assert filtered(["FR", "de"]) == replace(EVERYTHING, languages=frozenset({"fr", "de"}))
    assert not filtered(publishers=["Stadtblatt"]).admits_document(one)
    assert not filtered(documents=["b.txt"]).admits_document(one)
    assert filtered(publishers=["Le Fleuve"]) == replace(EVERYTHING, publishers=frozenset({"le fleuve"}))


def test_the_ends_of_a_year_and_a_month() -> None:
    assert filtered(since="2024-12", until="2024-12").until == date(2024, 12, 31)
    assert filtered(until="2024-02").until == date(2024, 2, 29)
    assert filtered(until="2024").until == date(2024, 12, 31)


@pytest.mark.parametrize(
    "written", ["soon", "2025-13", "2025-02-30", "12.02.2025", "0", "2025-02-12-01", "9" * 12]
)
def test_what_is_no_date_is_said_with_the_way_to_write_one(written: str) -> None:
    with pytest.raises(FilterError, match=r"2025-02-12"):
        filtered(since=written)
