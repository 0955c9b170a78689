"""The one truth: documents, their spans and their vectors in one SQLite file.

FAISS and the lexical index are made from it and can be made again without the embedding model. A document is
kept under its volume and its number there; volumes that no generation names are left over from a build that
died, or are being written. What removes documents and what names the generation without them is one
transaction. A document that isn't what was written is noticed when it is read.
"""

import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

import apsw
import numpy as np

from corpus import Document, said
from index.embedder import Matrix, Vector
from index.errors import IndexDamaged, IndexMismatch, IndexMissing, IndexNotWritten
from index.records import File, Record, digest, document_from
from index.rows import Place
from index.schema import FORMAT, SCHEMA, UPGRADES, linked_sqlite
from index.vectors import fault

_LOG = 64 << 20  # bytes that SQLite's log keeps on the disk when it was longer
_CACHE = 64 << 10  # kilobytes of pages that a connection keeps at most
_PATIENCE = 5.0  # seconds that are waited for another connection's transaction


class Catalogue:
    """An open connection to the SQLite file. Who writes holds the writer's lock, or waits for who does, for
    `patience` seconds.

    Raises IndexMissing where there is nothing yet, IndexDamaged and IndexNotWritten for SQLite's faults.
    """

    def __init__(self, path: Path, *, create: bool = False, patience: float = _PATIENCE) -> None:
        linked_sqlite()
        if not create and not path.exists():
            raise IndexMissing(path.parent)
        self.path, self._patience = path, patience
        with self._faults():
            flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
            self._connection = apsw.Connection(str(path), flags=flags)
            try:
                self._open(create)
            except BaseException:
                self._connection.close()
                raise

    def _open(self, create: bool) -> None:
        self._connection.set_busy_timeout(int(1000 * self._patience))
        for pragma, value in (
            ("journal_mode", "wal"),
            ("synchronous", "full"),
            ("foreign_keys", "on"),
            ("journal_size_limit", _LOG),
            ("cache_size", -_CACHE),
        ):
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
                self._connection.pragma("user_version", FORMAT)
        elif version in UPGRADES:
            raise IndexMismatch("format", str(version), str(FORMAT))
        elif version != FORMAT:
            raise IndexDamaged(self.path, f"it has format {version}, this feud reads format {FORMAT}")

    def __enter__(self) -> "Catalogue":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def hold(self) -> None:
        """From now on read the state that there is now, whatever others write; SQLite's log grows meanwhile."""
        with self._faults():
            self._connection.execute("BEGIN")
            self._connection.execute("SELECT count(*) FROM generations").fetchall()

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

    def manifests(self) -> list[str]:
        """Return the manifests of the generations that are kept."""
        with self._faults():
            return [manifest for (manifest,) in self._connection.execute("SELECT manifest FROM generations")]

    def files(self) -> dict[str, File]:
        """Return every file that the index knows, by id."""
        with self._faults():
            rows = list(self._connection.execute("SELECT * FROM files ORDER BY id"))
        return {row[0]: File(*row) for row in rows}

    def places(self, volumes: Collection[int]) -> dict[str, Place]:
        """Return where the documents of those volumes are, by id."""
        query = f"SELECT id, volume, number FROM documents WHERE {_in(volumes)} ORDER BY id"
        with self._faults():
            return {name: (volume, number) for name, volume, number in self._connection.execute(query)}

    def place(self, name: str, volumes: Collection[int]) -> Place:
        """Return where a document is; raises KeyError."""
        query = f"SELECT volume, number FROM documents WHERE id = ? AND {_in(volumes)}"
        with self._faults():
            row = self._connection.execute(query, (name,)).fetchone()
        if row is None:
            raise KeyError(name)
        return row[0], row[1]

    def described(self, volumes: Collection[int]) -> Iterator[tuple[Place, Document]]:
        """The documents of those volumes, by place, without their texts and segments."""
        query = f"SELECT volume, number, id, metadata FROM documents WHERE {_in(volumes)}"
        with self._faults():
            for volume, number, name, metadata in self._connection.execute(query):
                yield (volume, number), document_from(name, "", metadata, "[]")

    def record(self, place: Place) -> Record:
        """Return a document with its spans. Raises IndexDamaged if it isn't what was written."""
        with self._faults():
            row = self._connection.execute(
                "SELECT id, text, metadata, segments, own, sha256 FROM documents "
                "WHERE volume = ? AND number = ?",
                place,
            ).fetchone()
            if row is None:
                raise IndexDamaged(self.path, f"document {place[1]} of volume {place[0]} is not there")
            *document, written = row
            spans = list(
                self._connection.execute(
                    "SELECT start, end, language, english FROM sentences "
                    "WHERE volume = ? AND document = ? ORDER BY number",
                    place,
                )
            )
            windows = list(
                self._connection.execute(
                    "SELECT sentences, heading FROM passages WHERE volume = ? AND document = ? ORDER BY number",
                    place,
                )
            )
            if digest(document, spans, windows) != written:
                raise IndexDamaged(self.path, f"{document[0]!r}: its rows are not those that were written")
            return Record.of_rows(document, spans, windows)

    def records(self, volume: int) -> Iterator[Record]:
        """The documents of a volume with their spans, by number, one at a time."""
        with self._faults():
            query = "SELECT number FROM documents WHERE volume = ? ORDER BY number"
            numbers = [number for (number,) in self._connection.execute(query, (volume,))]
        return (self.record((volume, number)) for number in numbers)

    def all_records(self) -> Iterator[Record]:
        """The documents of all volumes with their spans, one at a time; `hold` first where others write."""
        with self._faults():
            query = "SELECT DISTINCT volume FROM documents ORDER BY volume"
            volumes = [volume for (volume,) in self._connection.execute(query)]
        return (record for volume in volumes for record in self.records(volume))

    def digest(self, volumes: Collection[int]) -> str:
        """SHA-256 over the files and which documents there are; `record` checks what they hold."""
        seen = sha256()
        with self._faults():
            for query in (
                "SELECT id, sha256, described, state, detail FROM files ORDER BY id",
                f"SELECT volume, number, id, sha256 FROM documents WHERE {_in(volumes)} ORDER BY 1, 2",
            ):
                for row in self._connection.execute(query):
                    seen.update(json.dumps(row).encode())
        return seen.hexdigest()

    def hashes(self, volume: int) -> list[tuple[int, str]]:
        """The number and the hash of each document of a volume."""
        query = "SELECT number, sha256 FROM documents WHERE volume = ? ORDER BY number"
        with self._faults():
            return [(number, made) for number, made in self._connection.execute(query, (volume,))]

    def counts(self, volumes: Collection[int]) -> dict[int, tuple[int, int, int]]:
        """Return how many documents, passages and sentences those volumes have, without those that are gone."""
        found = {volume: [0, 0, 0] for volume in volumes}
        with self._faults():
            for i, table in enumerate(("documents", "passages", "sentences")):
                query = f"SELECT volume, count(*) FROM {table} WHERE {_in(volumes)} GROUP BY volume"
                for volume, count in self._connection.execute(query):
                    found[volume][i] = count
        return {volume: (counts[0], counts[1], counts[2]) for volume, counts in found.items()}

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

    def known_vectors(self, embedder: str, keys: Iterable[str]) -> set[str]:
        """Return those of the keys under which an undamaged vector is kept."""
        return set(self.vectors(embedder, keys))

    def dimension(self, embedder: str) -> int:
        """Return the length of the vectors that are kept for an embedder, 0 if there are none."""
        query = "SELECT length(vector) / 4 FROM vectors WHERE embedder = ? LIMIT 1"
        with self._faults():
            row = self._connection.execute(query, (embedder,)).fetchone()
        return 0 if row is None else int(row[0])

    def matrix(self, embedder: str, keys: Sequence[str]) -> Matrix:
        """The vectors under those keys, (len(keys), d) float32. Raises IndexDamaged if any is missing."""
        found = self.vectors(embedder, keys)
        if missing := len({*keys} - found.keys()):
            raise IndexDamaged(self.path, f"{missing} vectors are missing or damaged")
        return np.array([found[name] for name in keys], np.float32)

    def check_vectors(self) -> None:
        """Raise IndexDamaged if any vector isn't what was written, or no unit vector."""
        with self._faults():
            for name, blob, crc32 in self._connection.execute("SELECT embedded, vector, crc32 FROM vectors"):
                vector = (
                    np.frombuffer(blob, np.float32)[None]
                    if len(blob) % 4 == 0
                    else np.empty((1, 0), np.float32)
                )
                reason = "its bytes have changed" if zlib.crc32(blob) != crc32 else fault(vector, vector.size)
                if reason:
                    raise IndexDamaged(self.path, f"the vector {name[:12]}: {reason}")

    def journal(self) -> str:
        """Return how SQLite keeps a commit that is not whole: "wal", or what the file's system allows."""
        with self._faults():
            return str(self._connection.pragma("journal_mode"))

    def copy_to(self, path: Path) -> None:
        """Write all that is committed now to a new file."""
        with self._faults(), closing(apsw.Connection(str(path))) as target:
            _copy(self._connection, target)

    def copy_from(self, path: Path) -> None:
        """Become what the file holds, in one transaction. Who reads meanwhile keeps the state before."""
        with self._faults(), closing(apsw.Connection(str(path))) as source:
            _copy(source, self._connection)

    def number_from(self, first: int) -> None:
        """Number the generations from `first`, where their numbers are lower."""
        with self.transaction():
            self._connection.execute(
                "UPDATE generations SET number = number + max(0, ? - (SELECT min(number) FROM generations))",
                (first,),
            )

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

    def count_english(self) -> int:
        """Return how many sentences were translated."""
        with self._faults():
            return int(next(self._connection.execute("SELECT count(*) FROM english"))[0])

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

    def add(self, volume: int, first: int, records: Iterable[Record]) -> None:
        """Add documents to a volume, numbered from `first`, inside the caller's transaction."""
        for number, record in enumerate(records, first):
            self._insert((volume, number), record)

    def saying(self, sentences: Collection[int], volumes: Collection[int]) -> set[Place]:
        """Return the documents that say one of those sentences, given by `corpus.said`."""
        query = f"SELECT DISTINCT volume, document FROM said WHERE sentence = ? AND {_in(volumes)}"
        with self._faults():
            return {row for wanted in sentences for row in self._connection.execute(query, (wanted,))}

    def said(self, place: Place) -> set[int]:
        """Return the sentences that a document says, as numbers."""
        query = "SELECT sentence FROM said WHERE volume = ? AND document = ?"
        with self._faults():
            return {sentence for (sentence,) in self._connection.execute(query, place)}

    def publish(self, files: Iterable[File], gone: Iterable[Place], volumes: Collection[int]) -> None:
        """Make the files these, the documents those of `volumes` not `gone`, in the caller's transaction."""
        self._connection.execute("DELETE FROM files")
        self._connection.executemany(
            "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            ((f.id, f.sha256, f.described, f.size, f.mtime_ns, f.ctime_ns, f.state, f.detail) for f in files),
        )
        self._connection.executemany("DELETE FROM documents WHERE volume = ? AND number = ?", list(gone))
        self._connection.execute(f"DELETE FROM documents WHERE NOT {_in(volumes)}")

    def sweep(self, volumes: Collection[int]) -> None:
        """Remove the documents of all other volumes: left over from builds that died."""
        with self.transaction():
            self._connection.execute(f"DELETE FROM documents WHERE NOT {_in(volumes)}")

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

    def forget_all_but(self, embedded: Iterable[str], sources: Iterable[str]) -> int:
        """Forget vectors and English of texts that no document holds, inside the caller's transaction.

        Returns how many sentences are no longer known in English.
        """
        run = self._connection.execute
        for table, column, names in (("vectors", "embedded", embedded), ("english", "source", sources)):
            run("CREATE TEMP TABLE held (name TEXT PRIMARY KEY) WITHOUT ROWID")
            self._connection.executemany("INSERT OR IGNORE INTO held VALUES (?)", ((name,) for name in names))
            run(f"DELETE FROM {table} WHERE {column} NOT IN held")
            forgotten = self._connection.changes()
            run("DROP TABLE held")
        return forgotten

    def _insert(self, place: Place, record: Record) -> None:
        document, sentences, passages = record.rows()
        run, run_many = self._connection.execute, self._connection.executemany
        made = digest(document, sentences, passages)
        run("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*place, *document, made))
        spans = ((*place, i, *sentence) for i, sentence in enumerate(sentences))
        run_many("INSERT INTO sentences VALUES (?, ?, ?, ?, ?, ?, ?)", spans)
        windows = ((*place, i, *passage) for i, passage in enumerate(passages))
        run_many("INSERT INTO passages VALUES (?, ?, ?, ?, ?)", windows)
        own = said(record.alone)
        run_many("INSERT INTO said VALUES (?, ?, ?)", ((*place, sentence) for sentence in own))

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn SQLite's errors into ours. Broken JSON and text that is no UTF-8 are damage, too."""
        try:
            yield
        except (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.BusyError) as error:
            raise IndexNotWritten(self.path, str(error)) from error
        except (apsw.Error, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise IndexDamaged(self.path, str(error)) from error


def _copy(source: apsw.Connection, target: apsw.Connection) -> None:
    with target.backup("main", source, "main") as copying:
        copying.step(-1)


def _in(volumes: Collection[int]) -> str:
    return f"volume IN ({', '.join(map(str, map(int, sorted(volumes))))})"
