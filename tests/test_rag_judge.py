"""How many sentences the model reads until it knows which answer."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from corpus import Sentence
from index import Index, build, open_index
from rag.answer import Question
from rag.assistant import ANSWERS
from rag.evidence import SENTENCES, Evidence
from rag.judge import FEW, USUAL, judged
from rag.llm import Piece, Prompt
from tests.fakes import HashEmbedder

UNSURE, SURE, NO = 0.6, 0.95, 0.01
QUESTION = Question("Who climbed the tower?", "en", "Who climbed the tower?")


class Reader:
    """Says Yes with each of `replies` in order, and with `NO` after them; an order is no question of its."""

    name = "reader"

    def __init__(self, *replies: float) -> None:
        self.replies, self.read = list(replies), 0

    def stream(self, prompt: Prompt, max_tokens: int) -> Iterator[Piece]:
        raise NotImplementedError

    def yes(self, prompt: Prompt) -> float | None:
        if "froze over" in prompt[-1].content:
            return NO
        self.read += 1
        return self.replies.pop(0) if self.replies else NO


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder: Path = tmp_path_factory.mktemp("documents")
    names = ("Anna", "Bram", "Carla", "Dirk", "Emma", "Frans", "Greet", "Henk", "Ida", "Jan")
    told = (f"On the {n}th morning {name} climbed the old tower of Hellis." for n, name in enumerate(names, 4))
    (folder / "tower.txt").write_text(" ".join(told), "utf-8")
    home = tmp_path_factory.mktemp("home")
    assert list(build(folder, home, HashEmbedder()))
    return open_index(home, HashEmbedder())


def gathered(index: Index) -> Evidence:
    found = tuple(index.sentences[:SENTENCES])
    return Evidence(found, (None,) * SENTENCES, ("",) * SENTENCES, np.zeros(SENTENCES, np.float32))


@pytest.mark.parametrize(
    ("replies", "read"),
    [
        ((SURE,), FEW),
        ((UNSURE,), SENTENCES),
        ((NO,) * FEW + (SURE,), FEW + 1),
        ((), SENTENCES),
    ],
)
def test_it_reads_on_until_a_sentence_answers(index: Index, replies: Sequence[float], read: int) -> None:
    evidence = gathered(index)
    reader = Reader(*replies)
    likely = list(judged(QUESTION, evidence, USUAL, index, reader))
    assert (reader.read, len(likely)) == (read, read)
    assert max(likely) >= ANSWERS if replies else max(likely) < ANSWERS


def test_what_is_told_already_is_not_read(index: Index) -> None:
    evidence = gathered(index)
    reader, told = Reader(SURE), set[Sentence]()
    for place, likely in enumerate(judged(QUESTION, evidence, USUAL, index, reader, told.__contains__)):
        assert (likely == 0) == (evidence.sentences[place] in told)
        if place == 0:  # what is written from the first rests on the third, too
            told.update(evidence.sentences[:3:2])
    assert reader.read == FEW - 1
