"""How much of clean news is left out by mistake.

Over all of NTREX-128: `python -m tests.test_corpus_noise_rate FOLDER`, where its files lie.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.segments import segment

SAMPLE = Path(__file__).parent / "data" / "ntrex"
LANGUAGES = {"deu": "de", "eng": "en", "spa": "es", "fra": "fr", "ita": "it", "nld": "nl", "zho-CN": "zh"}


def articles(folder: Path, code: str) -> Iterator[list[str]]:
    """Yield the sentences of each document in one language."""
    [file] = folder.glob(f"*.{code}.txt")
    numbers = (folder / "DOCUMENT_IDS.tsv").read_text(encoding="utf-8").split()
    found: dict[str, list[str]] = defaultdict(list)
    for number, line in zip(numbers, file.read_text(encoding="utf-8").split("\n"), strict=False):
        found[number].append(line.strip())
    yield from found.values()


def lost(article: list[str], joint: str, size: int) -> int:
    """Count the sentences of `article` that are noise when `size` of them make a paragraph."""
    head, body = article[0], article[1:]
    paragraphs = [" ".join(body[n : n + size]) for n in range(0, len(body), size)]
    text = joint.join([head, *paragraphs])
    noise = [text[s.start : s.end] for s in segment(text) if s.kind == "noise"]
    return sum(any(sentence and sentence in part for part in noise) for sentence in article)


def rate(folder: Path, code: str) -> tuple[int, int]:
    """Return how many sentences are lost, and of how many, over three ways to set a page."""
    pages = [
        (article, *page) for article in articles(folder, code) for page in (("\n", 1), ("\n\n", 1), ("\n\n", 3))
    ]
    return sum(lost(*page) for page in pages), sum(len(article) for article, *_ in pages)


@pytest.mark.parametrize("code", LANGUAGES)
def test_clean_news_is_kept(code: str) -> None:
    assert rate(SAMPLE, code) == (0, 66)


if __name__ == "__main__":
    for code, language in LANGUAGES.items():
        print(language, "{} of {} sentences left out".format(*rate(Path(sys.argv[1]), code)))
