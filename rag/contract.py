"""The one JSON shape that every way in returns. Changing it needs a new `SCHEMA` number."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import count
from typing import Any

from corpus import Document, Published, Sentence
from index import Hit
from rag.answer import Answer, Citation, Version
from rag.timeline import Event

SCHEMA = 2


def to_json(answer: Answer, name: str = "") -> dict[str, Any]:
    """Return `answer` as plain JSON values. `start` and `end` count characters of the decoded file.

    `name` is the caller's own id for the question.
    """
    return {
        "schema": SCHEMA,
        "id": name,
        "question": answer.question.text,
        "language": answer.question.language,
        "status": answer.status,
        "text": answer.text,
        "statements": [
            {
                "text": s.text,
                "citations": list(s.citations),
                "support": s.support,
                "likely": s.likely and round(s.likely, 2),
            }
            for s in answer.statements
        ],
        "citations": [cited(citation) for citation in answer.citations],
        "disagreements": [
            {"about": d.about, "versions": [_version(version) for version in d.versions]}
            for d in answer.disagreements
        ],
        "passages": passages(answer.hits),
        "timing": asdict(answer.timing),
        "model": {"llm": answer.llm, "embedder": answer.embedder},
        "generation": answer.generation,
    }


def passages(hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """The `passages` list of the contract, which `feud search --json` returns alone."""
    return [
        {
            "document": hit.passage.document.id,
            "start": hit.passage.start,
            "end": hit.passage.end,
            "language": hit.passage.language,
            "score": round(hit.score, 4),
        }
        for hit in hits
    ]


def grounds(hit: Hit) -> dict[str, Any]:
    """Why a passage was found; `sentences` are their scores. `feud search --explain --json` adds it."""
    found, second = hit.grounds, hit.grounds.second_of
    return {
        "passage": round(found.passage, 4),
        "sentence": round(found.sentence, 4),
        "context": round(found.context, 4),
        "english": round(found.english, 4),
        "in_english": found.in_english,
        "lexical": round(found.lexical, 4),
        "words": list(found.words),
        "time": found.time,
        "sentences": [round(score, 4) for score in hit.sentences],
        "second_of": second and {"document": second.document.id, "start": second.start, "end": second.end},
    }


def cited(citation: Citation) -> dict[str, Any]:
    """One of the `citations` of the contract; `feud disagreements --json` has lists of them."""
    document = citation.document
    return {
        "number": citation.number,
        "document": document.id,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
        "language": citation.language,
        "title": document.title,
        "publisher": document.publisher,
        "published": published(document.published),
        "url": document.url,
        "translation": None,
    }


def described(document: Document) -> dict[str, Any]:
    """What is known of a document; `characters` is its length, `left_out` how many of them are no article."""
    return {
        "id": document.id,
        "title": document.title,
        "languages": list(document.languages),
        "publisher": document.publisher,
        "published": published(document.published),
        "url": document.url,
        "author": document.author,
        "characters": len(document.text),
        "left_out": sum(s.end - s.start for s in document.segments if s.kind == "noise"),
    }


def points(differences: Iterable[Sequence[Sentence]]) -> list[list[dict[str, Any]]]:
    """Points on which documents differ: the versions of each as citations, numbered from 1."""
    return [
        [cited(Citation(number, (sentence,))) for number, sentence in enumerate(versions, 1)]
        for versions in differences
    ]


def happened(events: Iterable[Event]) -> list[dict[str, Any]]:
    """What happened when: a citation with its `time`, what it rests on, and what tells it `otherwise`."""
    numbers = count(1)
    told = [(e, [cited(Citation(next(numbers), (s,))) for s in (e.sentence, *e.otherwise)]) for e in events]
    times = [{"time": e.value, "until": e.until, "assumed_year": e.assumed} for e, _ in told]
    return [time | own | {"otherwise": others} for time, (_, (own, *others)) in zip(times, told, strict=True)]


def published(date: Published) -> dict[str, Any]:
    return {"value": date.value, "precision": date.precision, "uncertain": date.uncertain}


def _version(version: Version) -> dict[str, Any]:
    return {"text": version.text, "citations": list(version.citations)}
