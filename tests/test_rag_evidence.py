"""Which days a written sentence may take from its source."""

import pytest

from corpus.document import Published
from corpus.numbers import quantities
from rag.evidence import told_days, told_numbers
from tests.scripted import document, sentence

LEFT = "Musk avait quitté le conseil en 2018, le 9 mars selon lui."
SOURCE = sentence(
    document("depart.txt", (LEFT, "article", "fr"), published=Published("2025-02-12", "day")), LEFT
)


@pytest.mark.parametrize(
    ("written", "holds"),
    [
        ("Musk a quitté le conseil le 12 février 2018.", False),
        ("Musk left the board on February 12, 2018.", False),
        ("Am 12. Februar 2018 verließ Musk den Vorstand.", False),
        ("马斯克于2018年2月12日离开董事会。", False),
        ("On 12 February 2025 it was told that Musk had left in 2018.", True),
        ("On 12 February it was told that Musk had left.", True),
        ("Musk left the board on 9 March 2018.", True),
        ("Musk left the board on 13 February.", False),
        ("Musk left the board in 2018.", True),
    ],
)
def test_a_day_is_the_sources_or_the_one_it_was_published_on_with_its_year(written: str, holds: bool) -> None:
    assert told_days(written, SOURCE) is holds


@pytest.mark.parametrize(
    ("source", "language", "year"),
    [
        ("此后，马斯克创立了人工智能初创公司xAI。", "zh", False),
        ("Musk filed a lawsuit in March.", "en", True),
        ("Am Dienstag reichte Musk Klage ein.", "de", True),
        ("Musk quitta le conseil.", "fr", False),
        ("马斯克在3月提起诉讼。", "zh", True),
        ("Musk left in 2018, in March.", "en", False),
    ],
)
def test_the_year_of_publication_is_told_only_of_what_names_a_time_of_it(
    source: str, language: str, year: bool
) -> None:
    text = document("a.txt", (source, "article", language), published=Published("2024-06-11", "day"))
    numbers = told_numbers("Musk did so in 2024.", sentence(text, source))
    assert (quantities("2024", "en")[0] in numbers) is year
