"""What sources only claim, and what they tell as a fact."""

from pathlib import Path

import pytest

from corpus import Sentence
from index import Index, build, open_index
from rag.claims import as_told
from tests.fakes import HashEmbedder

NOTE = " (the source reports a claim)."
FACT = "Jan Ott sold the mill in 1911."
CLAIMED = "Jan Ott sold the mill in 1911, according to the mayor."
SPLIT = "Jan Ott sold the mill in 1911 and claims that its wheel was stolen by Marta Quist."
FIRST = "Angeblich wurde die Mühle 1911 verkauft."


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder, home = tmp_path_factory.mktemp("documents"), tmp_path_factory.mktemp("home")
    text = f"{FACT} It rained.\n\n{CLAIMED} It snowed.\n\n{SPLIT} It was hot.\n"
    Path(folder, "mill.txt").write_text(text, "utf-8")
    Path(folder, "muehle.txt").write_text(f"{FIRST} Es regnete den ganzen Tag lang in Varnes.\n", "utf-8")
    assert list(build(folder, home, HashEmbedder()))
    return open_index(home, HashEmbedder())


def sentence(index: Index, text: str) -> Sentence:
    return next(sentence for sentence in index.sentences if sentence.text == text)


@pytest.mark.parametrize(
    ("written", "source", "noted"),
    [
        ("The mill was sold in 1911.", FACT, False),
        ("The mill was sold in 1911.", CLAIMED, True),
        ("According to the mayor the mill was sold in 1911.", CLAIMED, False),
        ("Jan Ott sold the mill in 1911.", SPLIT, False),
        ("Its wheel was stolen by Marta Quist.", SPLIT, True),
        ("The mill was sold in 1911.", FIRST, True),
    ],
)
def test_a_claim_is_noted_where_only_the_source_says_that_it_is_one(
    index: Index, written: str, source: str, noted: bool
) -> None:
    told = as_told(written, "en", sentence(index, source), index)
    assert told == (written[:-1] + NOTE if noted else written)


def test_the_note_is_in_the_language_of_the_question(index: Index) -> None:
    told = as_told("磨坊于1911年售出。", "zh", sentence(index, CLAIMED), index)
    assert told == "磨坊于1911年售出 (来源转述的是一种说法)。"
