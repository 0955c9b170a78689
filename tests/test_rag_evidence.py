"""Which days a written sentence may take from its source."""

import pytest

from corpus import Passage, Sentence
from corpus.document import Published
from corpus.numbers import quantities
from index import Hit
from rag.evidence import gather, told_days, told_numbers
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


EN, DE = "The lamp burned oil until 1811.", "Die Lampe brannte bis 1811 mit Öl."
AGAIN, OTHER = "Bis 1811 brannte Öl.", "Die Lampe brannte bis 1821 mit Öl."
LAMP = document("lamp.txt", (f"{EN}\n", "article", "en"), (f"{DE} {AGAIN} {OTHER}\n", "article", "de"))
OIL, OEL, NOCHMAL, ANDERS = (sentence(LAMP, words) for words in (EN, DE, AGAIN, OTHER))


class Telling:
    """An index in which all that is in another language seems to tell the same."""

    def counterparts(self, given: Sentence, least: float) -> list[Sentence]:
        return [each for each in (OIL, OEL, NOCHMAL, ANDERS) if each.language != given.language]

    def english(self, given: Sentence) -> str:
        return ""


@pytest.mark.parametrize(
    ("reader", "chosen", "scores"),
    [
        ("en", [OIL, ANDERS], [0.9, 0.4]),
        ("de", [OEL, NOCHMAL, ANDERS], [0.9, 0.7, 0.4]),
        ("fr", [OIL, ANDERS], [0.9, 0.4]),
    ],
)
def test_of_what_a_document_says_in_two_languages_the_reader_gets_one(
    reader: str, chosen: list[Sentence], scores: list[float]
) -> None:
    hits = [
        Hit(Passage(LAMP, (OIL,)), 0.8, (0.8,)),
        Hit(Passage(LAMP, (OEL, NOCHMAL, ANDERS)), 0.9, (0.9, 0.7, 0.4)),
    ]
    evidence = gather(hits, Telling(), reader)  # type: ignore[arg-type]
    assert list(evidence.sentences) == chosen
    assert evidence.scores.tolist() == pytest.approx(scores)
