"""Which days a written sentence may take from its source."""

import pytest

from corpus.document import Published
from rag.evidence import told_days
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
