"""Conversations kept on this computer, each with all that its answers cite, whatever becomes of the files."""

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from corpus import Document, FeudError, Passage, Sentence
from index import Filter, Hit
from index.records import document_from, metadata_json, segments_json
from rag import Answer, Citation, Disagreement, Question, Statement, Timing, Version
from ui.conversation import Conversation, Exchange

_FORMAT = 1
_TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS conversation (
  id TEXT PRIMARY KEY, title TEXT NOT NULL, changed REAL NOT NULL, gone INTEGER NOT NULL DEFAULT 0,
  version INTEGER NOT NULL, asked INTEGER NOT NULL, exchanges TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS document (hash TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
PRAGMA user_version = {_FORMAT};
COMMIT;
"""


class ArchiveError(FeudError):
    """Kept conversations can't be read or written."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A conversation of the list: when it was last changed (seconds since 1970), and what was said in it."""

    id: str
    title: str
    changed: float
    said: tuple[str, ...]


class Archive:
    """A file of conversations; it is made when the first one is kept. Any number of threads may use it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, name: str, version: int, conversation: Conversation) -> tuple[str, int]:
        """Keep what is finished of a conversation; return its name and version for the next time.

        It gets a name of its own where it has none yet, or where another window has changed the one it had
        since that `version`. Raises `ArchiveError`.
        """
        finished = [e for e in conversation.exchanges if e.over and e.answer]
        if not finished:
            return name, version
        documents = _Hashed()
        held = [_exchange_json(e, documents) for e in finished]
        with self._open(make=True) as database, database:
            database.executemany(
                "INSERT OR IGNORE INTO document VALUES (?, ?)",
                documents.bodies.items(),
            )
            for (body,) in database.execute(
                "SELECT exchanges FROM conversation WHERE id = ? AND NOT gone", (name,)
            ):
                # The page lets go of the oldest exchanges of a long conversation; they stay here.
                held = [e for e in json.loads(body) if e["number"] < finished[0].number] + held
            exchanges = json.dumps(held)
            changed = database.execute(
                "UPDATE conversation SET version = version + 1, changed = ?, asked = ?, "
                "exchanges = ? WHERE id = ? AND version = ? AND NOT gone",
                (time.time(), conversation.asked, exchanges, name, version),
            )
            if changed.rowcount:
                return name, version + 1
            name = secrets.token_urlsafe(12)
            database.execute(
                "INSERT INTO conversation VALUES (?, ?, ?, 0, 1, ?, ?)",
                (name, _line(finished[0].question), time.time(), conversation.asked, exchanges),
            )
            return name, 1

    def listed(self) -> list[Kept]:
        """All conversations, the newest first. Raises `ArchiveError`."""
        with self._open() as database:
            rows = database.execute(
                "SELECT id, title, changed, exchanges FROM conversation WHERE NOT gone ORDER BY changed DESC"
            )
            return [Kept(name, title, changed, _said(body)) for name, title, changed, body in rows]

    def load(self, name: str) -> tuple[Conversation, int] | None:
        """A conversation and its version, None where there is none of that name. Raises `ArchiveError`."""
        with self._open() as database:
            row = database.execute(
                "SELECT version, asked, exchanges FROM conversation WHERE id = ? AND NOT gone", (name,)
            ).fetchone()
            if row is None:
                return None
            version, asked, body = row

            def document(key: str) -> Document:
                [(found,)] = database.execute("SELECT body FROM document WHERE hash = ?", (key,))
                return _document_from(found)

            documents = _Remembering(document)
            exchanges = tuple(_exchange_from(each, documents) for each in json.loads(body))
            return Conversation(exchanges, asked), version

    def rename(self, name: str, title: str) -> None:
        """Give a conversation another title; an empty one changes nothing. Raises `ArchiveError`."""
        if title := _line(title):
            with self._open() as database, database:
                database.execute("UPDATE conversation SET title = ? WHERE id = ?", (title, name))

    def delete(self, name: str) -> None:
        """Take a conversation away. It can be restored until the next one is deleted, or `purge` erases it."""
        self.purge()
        with self._open() as database, database:
            database.execute("UPDATE conversation SET gone = 1 WHERE id = ?", (name,))

    def restore(self, name: str) -> None:
        """Bring back the conversation that was deleted last."""
        with self._open() as database, database:
            database.execute("UPDATE conversation SET gone = 0 WHERE id = ?", (name,))

    def purge(self) -> None:
        """Erase what was deleted, and the documents that only it cites."""
        with self._open() as database, database:
            if database.execute("DELETE FROM conversation WHERE gone").rowcount:
                left = database.execute("SELECT exchanges FROM conversation")
                used = json.dumps([key for (body,) in left for key in _keys(body)])
                database.execute(
                    "DELETE FROM document WHERE hash NOT IN (SELECT value FROM json_each(?))", (used,)
                )

    def check(self) -> int:
        """Return how many conversations are kept, each read. Raises `ArchiveError` if one can't be."""
        with self._open() as database:
            [(found,)] = database.execute("PRAGMA integrity_check(1)")
            if found != "ok":
                raise ArchiveError(f"{self._path} is damaged: {found}. Move it away, or restore a backup.")
            names = [name for (name,) in database.execute("SELECT id FROM conversation WHERE NOT gone")]
        for name in names:
            try:
                self.load(name)
            except (ValueError, KeyError, TypeError, IndexError) as error:
                raise ArchiveError(
                    f"The conversation {name} in {self._path} can't be read. Delete it."
                ) from error
        return len(names)

    @contextmanager
    def _open(self, make: bool = False) -> Iterator[sqlite3.Connection]:
        try:
            if make:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.touch(0o600)
            where = self._path if make or self._path.exists() else ":memory:"
            with closing(sqlite3.connect(where, timeout=20)) as database:
                database.execute("PRAGMA secure_delete = ON")
                [(found,)] = database.execute("PRAGMA user_version")
                if found == 0:
                    database.executescript(_TABLES)
                elif found != _FORMAT:
                    raise ArchiveError(f"{self._path} is of another version of feud. Move it away.")
                yield database
        except (sqlite3.Error, OSError) as error:
            raise ArchiveError(f"Conversations can't be kept in {self._path}: {error}.") from error


def _line(text: str) -> str:
    """A title: one line of what UTF-8 carries."""
    return " ".join(text.split())[:200].encode("utf-8", "replace").decode()


class _Remembering(dict[str, Document]):
    """The documents of a conversation, each read once."""

    def __init__(self, read: Callable[[str], Document]) -> None:
        self._read = read

    def __missing__(self, key: str) -> Document:
        return self.setdefault(key, self._read(key))


def _document_json(document: Document) -> str:
    about = metadata_json(document), segments_json(document.segments)
    return json.dumps([document.id, document.text, *about])  # ASCII: half a surrogate pair is no UTF-8


def _document_from(body: str) -> Document:
    return document_from(*json.loads(body))


class _Hashed:
    """Documents under the hash of what is kept of them; each is read once."""

    def __init__(self) -> None:
        self.bodies: dict[str, str] = {}
        self._names: dict[int, tuple[Document, str]] = {}

    def name(self, document: Document) -> str:
        if id(document) not in self._names:
            body = _document_json(document)
            name = sha256(body.encode()).hexdigest()
            self.bodies[name] = body
            self._names[id(document)] = document, name  # with the document, so that its id stays its own
        return self._names[id(document)][1]


def _exchange_json(exchange: Exchange, documents: _Hashed) -> dict[str, Any]:
    """An exchange as JSON values; its documents stand in it by their hash, and are added to `documents`."""

    def span(sentences: Sequence[Sentence]) -> list[Any]:
        return [documents.name(sentences[0].document), [[s.start, s.end, s.language] for s in sentences]]

    answer, where = exchange.answer, exchange.where
    assert answer is not None
    return {
        "number": exchange.number,
        "question": exchange.question,
        "over": exchange.over,
        "told": {str(number): told for number, told in exchange.told.items()},
        "where": {
            "languages": sorted(where.languages),
            "publishers": sorted(where.publishers),
            "documents": sorted(where.documents),
            "since": where.since and str(where.since),
            "until": where.until and str(where.until),
        },
        "answer": {
            "question": asdict(answer.question),
            "status": answer.status,
            "statements": [asdict(statement) for statement in answer.statements],
            "disagreements": [asdict(disagreement) for disagreement in answer.disagreements],
            "citations": [[c.number, span(c.sentences)] for c in answer.citations],
            "hits": [[span(h.passage.sentences), h.passage.heading, h.score] for h in answer.hits],
            "notice": answer.notice,
            "fault": answer.fault,
            "timing": asdict(answer.timing),
            "llm": answer.llm,
            "embedder": answer.embedder,
            "generation": answer.generation,
        },
    }


def _exchange_from(fields: dict[str, Any], documents: Mapping[str, Document]) -> Exchange:
    def span(body: Sequence[Any]) -> tuple[Sentence, ...]:
        key, places = body
        return tuple(Sentence(documents[key], *place) for place in places)

    told, where = fields["answer"], fields["where"]
    answer = Answer(
        **{name: told[name] for name in ("status", "notice", "fault", "llm", "embedder", "generation")},
        question=Question(**{**told["question"], "wordings": tuple(told["question"]["wordings"])}),
        statements=tuple(Statement(**{**s, "citations": tuple(s["citations"])}) for s in told["statements"]),
        disagreements=tuple(
            Disagreement(d["about"], tuple(Version(v["text"], tuple(v["citations"])) for v in d["versions"]))
            for d in told["disagreements"]
        ),
        citations=tuple(Citation(number, span(body)) for number, body in told["citations"]),
        hits=tuple(
            Hit(Passage(sentences[0].document, sentences, heading), score)
            for body, heading, score in told["hits"]
            for sentences in [span(body)]
        ),
        timing=Timing(**told["timing"]),
    )
    since, until = (day and date.fromisoformat(day) for day in (where["since"], where["until"]))
    languages, publishers, names = (frozenset(where[key]) for key in ("languages", "publishers", "documents"))
    return Exchange(
        fields["number"],
        fields["question"],
        answer,
        fields["over"],
        Filter(languages, publishers, names, since, until),
        {int(number): words for number, words in fields["told"].items()},
    )


def _said(body: str) -> tuple[str, ...]:
    """The questions and answers of a conversation, to be searched."""
    exchanges = json.loads(body)
    return tuple(
        words
        for e in exchanges
        for words in (e["question"], *(statement["text"] for statement in e["answer"]["statements"]))
    )


def _keys(body: str) -> Iterator[str]:
    """The documents that a conversation needs."""
    for exchange in json.loads(body):
        answer = exchange["answer"]
        yield from (span[0] for _, span in answer["citations"])
        yield from (span[0] for span, _, _ in answer["hits"])
