"""Sentences in English, made once by a language model, so that questions in any language find them better.

The embedder is at its best in English, and two languages meet there more closely than each other. What is made
of a sentence is kept by its hash, so it is made once, and only for finding: it is never quoted. A translation
of the sentence before, where the model is shown that, too, is a common fault of small ones; each is therefore
translated alone. `feud eval retrieval` shows what it gives.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Protocol

from corpus import Sentence
from corpus.language import identify
from corpus.numbers import missing, quantities
from index.catalogue import Catalogue
from index.generations import catalogue_path
from index.progress import Progress
from index.records import Record, key

LONGEST = 4  # times as many letters as the original; Chinese becomes three times as long
PATIENCE = 600.0  # seconds that a sentence waits to be kept: one transaction removes all of a large collection


class Translator(Protocol):
    """Translates into English."""

    name: str

    def english(self, sentence: str) -> str:
        """Return the sentence in English. Raises FeudError."""


def in_english(catalogue: Catalogue, record: Record) -> tuple[Record, set[str]]:
    """The record with what is known of its sentences in English, and the names of those that wait for it."""
    names = sources(record)
    known = known_english(catalogue, names)
    return replace(record, english=tuple(known.get(name, "") for name in names)), {*names} - {"", *known}


def sources(record: Record) -> list[str]:
    """The name under which the English of each sentence is kept, "" where it needs none."""
    return [key(s.text) if s.language not in ("en", "und") else "" for s in record.sentences]


def known_english(catalogue: Catalogue, names: Iterable[str]) -> dict[str, str]:
    """What was made before, here or by the makers of this program for its own documents, "" where in vain."""
    made, wanted = shipped(), {*names} - {""}
    return {name: made[name] for name in wanted & made.keys()} | catalogue.english(wanted)


def count_known(catalogue: Catalogue) -> int:
    """How many sentences are known in English. Translating adds some; a build, which does nothing else with
    them than to forget some, says so: while the number is the same, so is what is known.
    """
    return len(shipped()) + catalogue.count_english()


def translate(home: Path, translator: Translator) -> Iterator[Progress]:
    """Translate what the index in `home` has not in English yet, one sentence after another.

    Each is kept at once, so that little is lost when this is stopped. `refresh` and the next build take them
    up. Others may build meanwhile. Raises IndexMissing, IndexNotWritten and what the translator raises.
    """
    todo: dict[str, Sentence] = {}
    with Catalogue(catalogue_path(home)) as catalogue:
        catalogue.hold()
        for record in catalogue.all_records():
            _, waiting = in_english(catalogue, record)
            todo |= {s: t for s, t in zip(sources(record), record.sentences, strict=True) if s in waiting}
    with Catalogue(catalogue_path(home), patience=PATIENCE) as catalogue:
        for done, (source, sentence) in enumerate(todo.items()):
            yield Progress("translate", done, len(todo))
            made = translator.english(sentence.text)
            fit = usable(made, sentence.text, sentence.language)
            catalogue.keep_english(translator.name, {source: made if fit else ""})
        yield Progress("translate", len(todo), len(todo))


def usable(english: str, text: str, language: str) -> bool:
    """Whether that may be `text` in English: it is English, not much longer, and makes up no number.

    >>> usable("It cost 4.2 million.", "Das kostete 4,2 Millionen.", "de")
    True
    >>> usable("It cost 42 million.", "Das kostete 4,2 Millionen.", "de"), usable("Es kostete", "Das", "de")
    (False, False)
    """
    made_up = missing(quantities(english, "en"), quantities(text, language))
    return identify(english) == "en" and len(english) <= LONGEST * len(text) and not made_up


@cache
def shipped() -> dict[str, str]:
    """The English of the shipped documents' sentences; `feud index --english` made it."""
    lines = (files("index") / "english.jsonl").read_text("utf-8").splitlines()
    return {key(entry["text"]): entry["english"] for entry in map(json.loads, lines)}


def main(home: Path) -> None:
    """Print the English of the documents indexed in `home` in the form of `english.jsonl`."""
    with Catalogue(catalogue_path(home)) as catalogue:
        catalogue.hold()
        texts = {s.text: key(s.text) for record in catalogue.all_records() for s in record.sentences}
        known = known_english(catalogue, texts.values())
    for text, source in texts.items():
        if source in known:
            print(json.dumps({"text": text, "english": known[source]}, ensure_ascii=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
