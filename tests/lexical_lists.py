"""Lexical lists of a few texts, for tests."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from index.arrays import Writer, mapped
from index.lexical import BLOCK, MANY, Bm25Index, Postings, WordsBuilder


def lists(texts: Sequence[str], languages: Sequence[str], volumes: int = 1, many: int = MANY) -> Bm25Index:
    """An index of the texts, those of a language side by side; in two volumes each language is cut in two."""
    found: dict[str, list[tuple[int, Postings]]] = {}
    start = 0
    for language in dict.fromkeys(languages):
        own = [text for text, spoken in zip(texts, languages, strict=True) if spoken == language]
        for volume in range(volumes):
            part = own[len(own) * volume // volumes : len(own) * (volume + 1) // volumes]
            if part:
                found.setdefault(language, []).append((start, postings(part, language)))
            start += len(part)
    return Bm25Index(found, many=many)


def postings(texts: Sequence[str], language: str, block: int = BLOCK) -> Postings:
    with TemporaryDirectory() as folder, WordsBuilder(block) as words:
        for text in texts:
            words.add(text, language)
        with Writer(Path(folder, "words")) as into:
            words.write(into)
        return Postings(mapped(Path(folder, "words")), language)
