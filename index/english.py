"""Sentences in English, made once by a language model, so that questions in any language find them better.

The embedder is at its best in English, and two languages meet there more closely than each other. What is made
of a sentence is kept by its hash, so it is made once, and only for finding: it is never quoted. A translation
of the sentence before, where the model is shown that, too, is a common fault of small ones; each is therefore
translated alone. `feud eval retrieval` shows what it gives.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Protocol

from corpus.language import identify
from corpus.numbers import missing, quantities
from index.catalogue import Catalogue
from index.generations import catalogue_path
from index.progress import Progress
from index.records import Record, key

LONGEST = 4  # times as many letters as the original; Chinese becomes three times as long


class Translator(Protocol):
    """Translates into English."""

    name: str

    def english(self, sentence: str) -> str:
        """Return the sentence in English. Raises FeudError."""


def in_english(records: Iterable[Record], known: Mapping[str, str]) -> list[Record]:
    """The records with the English that is known of their sentences, by the hash of each."""
    return [
        replace(record, english=tuple(known.get(source, "") for source in sources(record)))
        for record in records
    ]


def sources(record: Record) -> list[str]:
    """The name under which the English of each sentence is kept, "" where it needs none."""
    return [key(s.text) if s.language not in ("en", "und") else "" for s in record.sentences]


def known_english(catalogue: Catalogue, records: Sequence[Record]) -> dict[str, str]:
    """What was made before, here or by the makers of this program for its own documents, "" where in vain."""
    names = {source for record in records for source in sources(record)} - {""}
    return {name: text for name, text in shipped().items() if name in names} | catalogue.english(names)


def translate(home: Path, translator: Translator) -> Iterator[Progress]:
    """Translate what the index in `home` has not in English yet, one sentence after another.

    Each is kept at once, so that little is lost when this is stopped. `refresh` and the next build take them
    up. Raises IndexMissing, IndexNotWritten and what the translator raises.
    """
    with Catalogue(catalogue_path(home)) as catalogue:
        records = list(catalogue.all_records())
        known = known_english(catalogue, records)
        todo = {
            source: sentence
            for record in records
            for source, sentence in zip(sources(record), record.sentences, strict=True)
            if source and source not in known
        }
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
        records = list(catalogue.all_records())
        known = known_english(catalogue, records)
    texts = {sentence.text: key(sentence.text) for record in records for sentence in record.sentences}
    for text, source in texts.items():
        if source in known:
            print(json.dumps({"text": text, "english": known[source]}, ensure_ascii=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
