"""Another corpus to try feud on: the NTREX news as files, each in one of six languages, with questions."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from corpus import Document, FeudError, scan
from eval.pools import LANGUAGES, Pool, Query
from rag.settings import Settings


class DemoError(FeudError):
    """The news can't be put where the documents are."""


@dataclass(frozen=True, slots=True)
class Demo:
    """How many documents are in the folder now, of how many, and a question for each language."""

    documents: int
    of: int
    questions: tuple[Query, ...]


def lay_out(settings: Settings, pool: Pool, sample: int = 0) -> Demo:
    """Write the documents of a pool, or the first `sample` of them, as files, and questions for the page.

    Started again, it goes on. Raises `DemoError` where other documents are in the folder already.
    """
    every = list(dict.fromkeys(sentence.document for sentence in pool.sentences))
    chosen = every[:sample] if sample else every
    folder = settings.documents
    folder.mkdir(parents=True, exist_ok=True)
    others = {entry.id for entry in scan(folder)} - {f"{document.id}.txt" for document in every}
    if others:
        raise DemoError(
            f"There are other documents in {folder}, such as {min(others)}. "
            "Give the news a home of its own: FEUD_HOME=~/news feud eval news"
        )
    for document in chosen:
        _keep(folder / f"{document.id}.txt", _file(document))
    questions = tuple(_questions(pool.queries, set(chosen)))
    settings.home.mkdir(parents=True, exist_ok=True)
    _keep(settings.home / "examples.toml", _examples(questions))
    return Demo(len(scan(folder)), len(every), questions)


def _file(document: Document) -> str:
    """The text, and before it who published it, as the id tells."""
    return f"---\npublisher: {document.id.rpartition('.')[0]}\n---\n{document.text}\n"


def _questions(queries: Iterable[Query], documents: set[Document]) -> Iterator[Query]:
    """The first question in each language that a document in another language answers."""
    for language in LANGUAGES:
        for query in queries:
            [gold] = query.gold
            if query.language == language != gold.language and gold.document in documents:
                yield query
                break


def _examples(questions: Iterable[Query]) -> str:
    quoted = ((query.language, json.dumps(query.text, ensure_ascii=False)) for query in questions)  # as in TOML
    return "\n".join(f'[[example]]\nlanguage = "{language}"\nquestion = {text}\n' for language, text in quoted)


def _keep(path: Path, text: str) -> None:
    """Write a file whole or not at all; one that has the text already stays as it is."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
