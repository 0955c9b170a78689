"""The tables of the catalogue, and which SQLite may be trusted with them."""

import apsw

from index.errors import UnsafeSqlite

FORMAT = 3
"""Of the tables below; a file with another number is never read, one with an earlier number is upgraded."""

SCHEMA = """
CREATE TABLE files (
    id TEXT PRIMARY KEY, sha256 TEXT NOT NULL, described TEXT NOT NULL, size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, state TEXT NOT NULL, detail TEXT NOT NULL) STRICT;
CREATE TABLE documents (
    volume INTEGER NOT NULL, number INTEGER NOT NULL, id TEXT NOT NULL, text TEXT NOT NULL,
    metadata TEXT NOT NULL, segments TEXT NOT NULL, own TEXT NOT NULL, sha256 TEXT NOT NULL,
    PRIMARY KEY (volume, number)) STRICT;
CREATE INDEX named ON documents (id, volume);
CREATE TABLE sentences (
    volume INTEGER NOT NULL, document INTEGER NOT NULL, number INTEGER NOT NULL,
    start INTEGER NOT NULL, end INTEGER NOT NULL, language TEXT NOT NULL, english TEXT NOT NULL,
    PRIMARY KEY (volume, document, number),
    FOREIGN KEY (volume, document) REFERENCES documents ON DELETE CASCADE) STRICT, WITHOUT ROWID;
CREATE TABLE passages (
    volume INTEGER NOT NULL, document INTEGER NOT NULL, number INTEGER NOT NULL,
    sentences TEXT NOT NULL, heading TEXT NOT NULL,
    PRIMARY KEY (volume, document, number),
    FOREIGN KEY (volume, document) REFERENCES documents ON DELETE CASCADE) STRICT, WITHOUT ROWID;
CREATE TABLE said (
    volume INTEGER NOT NULL, document INTEGER NOT NULL, sentence INTEGER NOT NULL,
    PRIMARY KEY (volume, document, sentence),
    FOREIGN KEY (volume, document) REFERENCES documents ON DELETE CASCADE) STRICT, WITHOUT ROWID;
CREATE INDEX saying ON said (sentence);
CREATE TABLE IF NOT EXISTS english (
    source TEXT PRIMARY KEY, model TEXT NOT NULL, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE vectors (
    embedder TEXT NOT NULL, embedded TEXT NOT NULL, vector BLOB NOT NULL, crc32 INTEGER NOT NULL,
    PRIMARY KEY (embedder, embedded)) STRICT;
CREATE TABLE generations (
    number INTEGER PRIMARY KEY, created TEXT NOT NULL, manifest TEXT NOT NULL, sha256 TEXT NOT NULL) STRICT;
"""


_ANEW = f"""
ALTER TABLE vectors RENAME TO before;
DROP TABLE sentences; DROP TABLE passages; DROP TABLE documents; DROP TABLE files; DROP TABLE generations;
{SCHEMA}
INSERT INTO vectors SELECT * FROM before;
DROP TABLE before;
"""
# With its rows inside the tree of its key, as they were, a vector took 4.7 kB of the file instead of 1.9.
UPGRADES = {1: _ANEW, 2: _ANEW}
"""From earlier formats to this one: vectors and English stay, the build that follows makes the rest anew."""


def keeps_commits(version: str) -> bool:
    """Tell whether this SQLite has the fix for commits lost in WAL mode (https://www.sqlite.org/wal.html).

    >>> [keeps_commits(v) for v in ("3.54.1", "3.51.2", "3.50.7", "3.44.6", "3.40.1")]
    [True, False, True, True, False]
    """
    numbers = tuple(int(part) for part in version.split("."))
    return numbers >= (3, 51, 3) or (3, 50, 7) <= numbers < (3, 51) or (3, 44, 6) <= numbers < (3, 45)


def linked_sqlite() -> str:
    """Return the version of the SQLite that is linked; raises UnsafeSqlite for one that can lose commits."""
    version = apsw.sqlite_lib_version()
    if not keeps_commits(version):
        raise UnsafeSqlite(version)
    return version
