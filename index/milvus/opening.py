"""Open what the store's alias points at."""

import json

import numpy as np

from index.embedder import Embedder
from index.errors import IndexMismatch, IndexMissing, StoreFault
from index.milvus.layout import FORMAT, Manifest, unpacked, whole
from index.milvus.rows import StoredRows
from index.milvus.server import ALIAS, Server
from index.milvus.spans import Spans, StoredVectors
from index.milvus.words import StoredWords
from index.neutral import Neutral
from index.opening import agree
from index.publish import recipe_of
from index.rows import KINDS
from index.search import Index
from index.volumes import VIEWS

THREADS = 8  # of a reader that wait for the server


def current_generation(server: Server) -> int | None:
    """Return the number of the generation that the store answers with, None before the first."""
    try:
        found = server.query(ALIAS, "id == 0", ("generation",))
    except StoreFault as error:
        if error.missing:
            return None
        raise
    return int(found[0]["generation"]) if found else None


def newest_manifest(server: Server, name: str = ALIAS) -> Manifest | None:
    """Return the manifest under a name, None where there is none. Raises StoreFault, IndexMismatch."""
    try:
        found = server.query(name, "id >= 0", ("data",))
    except StoreFault as error:
        if error.missing:
            return None
        raise
    try:
        text = whole(each["data"] for each in sorted(found, key=lambda each: int(each["id"])))
        if (made := json.loads(text)["format"]) != FORMAT:
            raise IndexMismatch("store's format", str(made), str(FORMAT))
        return Manifest.read(text)
    except (ValueError, KeyError, TypeError) as error:
        raise StoreFault(server.name, f"{name} is no manifest: {error}") from error


def open_generation(server: Server, embedder: Embedder) -> Index:
    """Open the newest generation in the store. Raises IndexMissing, IndexMismatch, StoreFault."""
    manifest = newest_manifest(server)
    if manifest is None:
        raise IndexMissing(server.name)
    agree(manifest.recipe, recipe_of(embedder))
    spans = Spans(server, manifest.parts)
    stores = {view: StoredVectors(spans, view, manifest.dimension) for view in VIEWS}
    words = {kind: StoredWords(spans, kind, manifest.words[kind]) for kind in KINDS}
    sums = np.array([unpacked(total, "<f8") for total, _ in manifest.sums])
    neutral = Neutral(sums, [count for _, count in manifest.sums])
    return Index(manifest.generation, StoredRows(spans, manifest), stores, words, neutral, embedder, THREADS)
