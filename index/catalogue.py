"""The one truth: documents, their spans and their vectors in one SQLite file.

FAISS and the lexical index are made from it and can be made again without the embedding model. A
generation's rows and the row that names its files are committed in one transaction.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import apsw
import numpy as np

from corpus import Passage, Sentence
from index.embedder import Vector
from index.errors import IndexDamaged, IndexMismatch, IndexMissing, IndexNotWritten
from index.records import File, Record, document_from, metadata_json, segments_from, segments_json
from index.schema import FORMAT, SCHEMA, UPGRADES, linked_sqlite


class Catalogue:
    """An open connection to the SQLite file. Who writes holds the writer's lock.

    Raises IndexMissing where there is nothing yet, IndexDamaged and IndexNotWritten for SQLite's faults.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        linked_sqlite()
        if not create and not path.exists():
            raise IndexMissing(path.parent)
        self.path = path
        with self._faults():
            flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
            self._connection = apsw.Connection(str(path), flags=flags)
            try:
                self._open(create)
            except BaseException:
                self._connection.close()
                raise

    def _open(self, create: bool) -> None:
        self._connection.set_busy_timeout(5_000)
        for pragma, value in (("journal_mode", "wal"), ("synchronous", "full"), ("foreign_keys", "on")):
            self._connection.pragma(pragma, value)
        version = self._connection.pragma("user_version")
        if version == 0 and not create:  # a first build was killed before it made the tables
            raise IndexMissing(self.path.parent)
        if version == 0:
            with self._connection:
                self._connection.execute(SCHEMA)
                self._connection.pragma("user_version", FORMAT)
        elif version in UPGRADES and create:
            with self._connection:
                self._connection.execute(UPGRADES[version])
                self._connection.pragma("user_version", version + 1)
        elif version in UPGRADES:
            raise IndexMismatch("format", str(version), str(FORMAT))
        elif version != FORMAT:
            raise IndexDamaged(self.path, f"it has format {version}, this feud reads format {FORMAT}")

    def __enter__(self) -> "Catalogue":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: what is read inside is one state, what is written is durable when it ends."""
        with self._faults(), self._connection:
            yield

    def generation(self) -> tuple[int, str] | None:
        """Return the newest generation's number and manifest, None before the first."""
        with self._faults():
            row = self._connection.execute(
                "SELECT number, manifest, sha256 FROM generations ORDER BY number DESC LIMIT 1"
            ).fetchone()
        if row is not None and sha256(row[1].encode()).hexdigest() != row[2]:
            raise IndexDamaged(self.path, f"the manifest of generation {row[0]} does not match its hash")
        return None if row is None else (row[0], row[1])

    def generations(self) -> list[int]:
        """Return the numbers of the generations that are kept."""
        with self._faults():
            return [number for (number,) in self._connection.execute("SELECT number FROM generations")]

    def files(self) -> dict[str, File]:
        """Return every file that the index knows, by id."""
        with self._faults():
            rows = list(self._connection.execute("SELECT * FROM files ORDER BY id"))
        return {row[0]: File(*row) for row in rows}

    def records(self) -> list[Record]:
        """Return the documents with their spans, by id."""
        with self._faults():
            query = "SELECT id, text, metadata, segments, own FROM documents ORDER BY id"
            return [self._record(*row) for row in list(self._connection.execute(query))]

    def digest(self) -> str:
        """SHA-256 over all rows that decide what is found and shown, stamps of files apart.

        SQLite notices a damaged page only where its structure breaks; this notices any changed character.
        """
        seen = sha256()
        with self._faults():
            for query in (
                "SELECT id, sha256, described, state, detail FROM files ORDER BY id",
                "SELECT * FROM documents ORDER BY id",
                "SELECT * FROM sentences ORDER BY document, number",
                "SELECT * FROM passages ORDER BY document, number",
            ):
                for row in self._connection.execute(query):
                    seen.update(json.dumps(row).encode())
        return seen.hexdigest()

    def check(self) -> None:
        """Raise IndexDamaged if SQLite finds its own structure broken."""
        with self._faults():
            found = self._connection.execute("PRAGMA integrity_check(1)").fetchall()
        if found != [("ok",)]:
            raise IndexDamaged(self.path, str(found[0][0]))

    def vectors(self, embedder: str, keys: Iterable[str]) -> dict[str, Vector]:
        """Return what is kept under `keys` for that embedder's fingerprint: (d,) float32; damaged ones not."""
        query = "SELECT vector, crc32 FROM vectors WHERE embedder = ? AND embedded = ?"
        found = {}
        with self._faults():
            for wanted in keys:
                row = self._connection.execute(query, (embedder, wanted)).fetchone()
                if row is not None and zlib.crc32(row[0]) == row[1]:
                    found[wanted] = np.frombuffer(row[0], dtype=np.float32)
        return found

    def keep_vectors(self, embedder: str, vectors: Mapping[str, Vector]) -> None:
        """Commit a batch of vectors, so that a killed build loses at most one batch."""
        blobs = {name: vector.astype(np.float32).tobytes() for name, vector in vectors.items()}
        rows = ((embedder, name, blob, zlib.crc32(blob)) for name, blob in blobs.items())
        with self.transaction():
            self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", rows)

    def english(self, sources: Iterable[str]) -> dict[str, str]:
        """Return the English of those sources, by their keys, that were translated; "" where in vain."""
        query = "SELECT text FROM english WHERE source = ?"
        with self._faults():
            found = {name: self._connection.execute(query, (name,)).fetchone() for name in sources}
        return {name: row[0] for name, row in found.items() if row is not None}

    def keep_english(self, model: str, texts: Mapping[str, str]) -> None:
        """Commit what `model` made of the sources with those keys."""
        rows = ((name, model, text) for name, text in texts.items())
        with self.transaction():
            self._connection.executemany("INSERT OR REPLACE INTO english VALUES (?, ?, ?)", rows)

    def stamp(self, files: Iterable[File]) -> None:
        """Remember newer stamps of files whose bytes are the same."""
        rows = ((file.size, file.mtime_ns, file.ctime_ns, file.id) for file in files)
        with self.transaction():
            self._connection.executemany(
                "UPDATE files SET size = ?, mtime_ns = ?, ctime_ns = ? WHERE id = ?", rows
            )

    def publish(self, files: Iterable[File], records: Iterable[Record]) -> None:
        """Make the files and documents exactly these, inside the caller's transaction."""
        self._connection.execute("DELETE FROM documents")
        self._connection.execute("DELETE FROM files")
        self._connection.executemany(
            "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            ((f.id, f.sha256, f.described, f.size, f.mtime_ns, f.ctime_ns, f.state, f.detail) for f in files),
        )
        for record in records:
            self._insert(record)

    def name_generation(self, number: int, created: str, manifest: str, kept: int) -> None:
        """Name a generation inside the caller's transaction, and keep the newest `kept` of them."""
        run = self._connection.execute
        row = (number, created, manifest, sha256(manifest.encode()).hexdigest())
        run("INSERT INTO generations VALUES (?, ?, ?, ?)", row)
        run(
            "DELETE FROM generations WHERE number NOT IN "
            "(SELECT number FROM generations ORDER BY number DESC LIMIT ?)",
            (kept,),
        )

    def forget_all_but(self, embedded: Iterable[str], sources: Iterable[str]) -> None:
        """Forget vectors and English of texts that no document holds, inside the caller's transaction."""
        run = self._connection.execute
        for table, column, names in (("vectors", "embedded", embedded), ("english", "source", sources)):
            run("CREATE TEMP TABLE held (name TEXT PRIMARY KEY) WITHOUT ROWID")
            self._connection.executemany("INSERT OR IGNORE INTO held VALUES (?)", ((name,) for name in names))
            run(f"DELETE FROM {table} WHERE {column} NOT IN held")
            run("DROP TABLE held")

    def _insert(self, record: Record) -> None:
        name = record.document.id
        rows = (
            metadata_json(record.document),
            segments_json(record.document.segments),
            segments_json(record.own),
        )
        self._connection.execute(
            "INSERT INTO documents VALUES (?, ?, ?, ?, ?)", (name, record.document.text, *rows)
        )
        self._connection.executemany(
            "INSERT INTO sentences VALUES (?, ?, ?, ?, ?, ?)",
            (
                (name, i, sentence.start, sentence.end, sentence.language, english)
                for i, (sentence, english) in enumerate(zip(record.sentences, record.english, strict=True))
            ),
        )
        numbers = {sentence: i for i, sentence in enumerate(record.sentences)}
        self._connection.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?)",
            (
                (name, i, json.dumps([numbers[s] for s in passage.sentences]), passage.heading)
                for i, passage in enumerate(record.passages)
            ),
        )

    def _record(self, name: str, text: str, metadata: str, segments: str, own: str) -> Record:
        document = document_from(name, text, metadata, segments)
        spans = list(
            self._connection.execute(
                "SELECT start, end, language, english FROM sentences WHERE document = ? ORDER BY number",
                (name,),
            )
        )
        sentences = tuple(Sentence(document, start, end, language) for start, end, language, _ in spans)
        windows = list(
            self._connection.execute(
                "SELECT sentences, heading FROM passages WHERE document = ? ORDER BY number", (name,)
            )
        )
        passages = tuple(
            Passage(document, tuple(sentences[i] for i in json.loads(numbers)), heading)
            for numbers, heading in windows
        )
        return Record(
            document,
            segments_from(own),
            sentences,
            passages,
            tuple(str(span[-1]) for span in spans),
        )

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn SQLite's errors into ours. Broken JSON and text that is no UTF-8 are damage, too."""
        try:
            yield
        except (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.BusyError) as error:
            raise IndexNotWritten(self.path, str(error)) from error
        except (apsw.Error, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise IndexDamaged(self.path, str(error)) from error
