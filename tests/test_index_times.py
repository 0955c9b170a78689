"""The time that a question names lifts what speaks of it, in any language, and hides nothing."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from corpus import Document, Passage, Published, Sentence
from index import Index, build, open_index
from index.arrays import Writer, mapped
from index.filters import span
from index.records import Record
from index.rows import AllRows, Place, RowsBuilder, VolumeRows
from index.times import of_the_time, periods
from tests.fakes import HashEmbedder

FEBRUARY = [(date(2024, 2, 1), date(2024, 2, 29))]


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("Cosa è successo nel febbraio 2024?", FEBRUARY),
        ("2024年2月发生了什么？", FEBRUARY),
        ("Что было 2 февраля 2024 года?", [(date(2024, 2, 2), date(2024, 2, 2))]),
        ("What happened on 12 February 2025?", [(date(2025, 2, 12), date(2025, 2, 12))]),
        ("Was war 2018 und 2019?", [(date(y, 1, 1), date(y, 12, 31)) for y in (2018, 2019)]),
        ("Kostet es 2018 %, 2,018 Euro oder 12018?", []),
        ("What happened in May?", []),
    ],
)
def test_the_time_that_a_question_names(question: str, asked: list[tuple[date, date]]) -> None:
    assert periods(question) == asked


@pytest.mark.parametrize(
    ("text", "published", "share"),
    [
        ("Nel febbraio 2024 Musk ha intentato una causa.", Published(), 1.0),
        ("Am 3. Februar 2024 klagte Musk.", Published(), 1.0),
        ("Musk klagte 2024.", Published(), 0.0),  # some time in 2024 is not in February
        ("Musk klagte.", Published("2024-02-10", "day"), 0.5),
        ("Musk klagte.", Published("2024-03-10", "day"), 0.0),
        ("Musk klagte.", Published("2024-02-10", "day", True), 0.0),  # nothing is known of when
    ],
)
def test_what_is_of_the_time(text: str, published: Published, share: float, tmp_path: Path) -> None:
    assert of_the_time(periods(text), span(published), FEBRUARY) == share
    document = Document("a.txt", f"1999\n{text}", "", published=published)
    sentences = Sentence(document, 0, 4, "en"), Sentence(document, 5, len(document.text), "de")
    other = Document("b.txt", "Februar 2024.", "")
    builder = RowsBuilder()
    for said in ([Sentence(other, 0, 13, "de")], sentences):
        builder.add(Record.of(said[0].document, (), said, [Passage(said[0].document, tuple(said))]))
    with Writer(tmp_path / "rows") as into:
        languages, _ = builder.write(into)
    rows = AllRows([VolumeRows(1, 2, languages, mapped(tmp_path / "rows"))], Places())
    elsewhere = 0.5 if share == 0.5 else 0.0  # the first row is the other document's, the last the year's
    assert rows.of_the_time(np.array([2, 0, 1]), FEBRUARY).tolist() == [elsewhere, 1.0, share]
    assert rows.of_the_time(np.array([2, 0, 1]), []).tolist() == [0.0] * 3


class Places:
    """Two documents of volume 1, of which only the tables are read."""

    def places(self) -> list[Place]:
        return [(1, 0), (1, 1)]

    def place(self, name: str) -> Place:
        raise KeyError(name)

    def record(self, place: Place) -> Record:
        raise AssertionError(place)

    def described(self) -> list[tuple[Place, Document]]:
        return []


@pytest.fixture
def index(tmp_path: Path) -> Index:
    folder = tmp_path / "documents"
    folder.mkdir()
    years = (2016, 2017, 2018, 2019)
    for year in years:
        (folder / f"{year}.txt").write_text(
            f"The harbour in winter\n\nThe ice in the harbour held until March {year}, said the pilots.\n"
        )
    *_, _ = build(folder, tmp_path / "home", HashEmbedder())
    return open_index(tmp_path / "home", HashEmbedder())


def test_the_time_ranks_and_hides_nothing(index: Index) -> None:
    plain = index.search("Quanto durò il ghiaccio nel porto?", k=4)
    timed = index.search("Quanto durò il ghiaccio nel porto fino a marzo 2018?", k=4)
    assert timed[0].passage.document.id == "2018.txt"
    assert timed[0].grounds.time == 1.0
    assert [hit.grounds.time for hit in timed[1:]] == [0.0] * 3
    assert len(timed) == len(plain) == 4
    assert {hit.grounds.time for hit in plain} == {0.0}


def test_a_passage_is_as_near_as_its_nearest_sentence(index: Index) -> None:
    [best, *_] = index.search("the pilots of March 2017", k=1)
    assert isinstance(best.passage, Passage)
    assert best.grounds.time == 1.0
