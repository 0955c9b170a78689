"""Make the index equal to the documents folder, and say what became of each file."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from corpus import Passage, Sentence, leave_out_copies, passages, sentences
from index.catalogue import Catalogue
from index.embedder import Embedder, Matrix, Vector
from index.errors import EmbedderFault, IndexDamaged
from index.files import Found, Outcome, look, outcomes
from index.generations import Manifest, Recipe, catalogue_path, fingerprints, read, sweep, write, writer_lock
from index.lexical import Bm25Index
from index.records import File, Record, passage_input, sentence_input
from index.splitter import splitter
from index.vectors import FaissStore, fault

Span = TypeVar("Span", Passage, Sentence)

BATCH = 64  # texts embedded between two commits: what a killed build may lose, some five seconds
KEPT = 2  # generations on disk: a reader that has just read the row before still finds its files

PASSAGES, SENTENCES = "passages.faiss", "sentences.faiss"
PASSAGE_WORDS, SENTENCE_WORDS = "passages.npz", "sentences.npz"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is: files "read", texts "embed"ded, the files of the generation "write"."""

    stage: Literal["read", "embed", "write"]
    done: int
    total: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a build did. `outcomes` has one entry a file; `embedded` counts texts, not taken from before."""

    outcomes: tuple[Outcome, ...]
    generation: int
    published: bool
    documents: int
    passages: int
    sentences: int
    embedded: int


def recipe_of(embedder: Embedder) -> Recipe:
    """What an index made now with that embedder would be made with. Doesn't load the model."""
    return Recipe(embedder.name, embedder.fingerprint, splitter())


def build(
    folder: Path, home: Path, embedder: Embedder, *, rebuild: bool = False
) -> Iterator[Progress | Report]:
    """Index `folder` into `home`, telling how far it is; the last value is the report.

    When it is given, all is durable. Without changes no generation is published and the embedder isn't
    used. `rebuild` trusts nothing: every file is read and every text embedded again.
    Raises IndexBusy, IndexDamaged, IndexNotWritten, EmbedderFault, and DocumentError for a missing folder.
    """
    with writer_lock(home):
        if rebuild:
            _set_aside_if_damaged(catalogue_path(home))
        with Catalogue(catalogue_path(home), create=True) as catalogue:
            yield from _build(folder, home, catalogue, embedder, rebuild)


def repair(home: Path) -> None:
    """Make the derived files of the newest generation again, from the catalogue alone, as a new generation.

    Raises IndexBusy while somebody writes, IndexDamaged where the catalogue itself is damaged.
    """
    with writer_lock(home), Catalogue(catalogue_path(home)) as catalogue:
        current = newest(catalogue)
        if current is None or _intact(home, *current):
            return
        _, manifest = current
        if catalogue.digest() != manifest.rows:
            raise IndexDamaged(catalogue.path, "its rows are not those that were written")
        records = catalogue.records()
        wanted = texts(records)
        vectors = catalogue.vectors(manifest.recipe.fingerprint, wanted)
        if len(vectors) < len(wanted):
            raise IndexDamaged(catalogue.path, f"{len(wanted) - len(vectors)} vectors are missing")
        _publish(home, catalogue, list(catalogue.files().values()), records, vectors, manifest.recipe)


def newest(catalogue: Catalogue) -> tuple[int, Manifest] | None:
    """Return the newest generation's number and manifest."""
    found = catalogue.generation()
    return None if found is None else (found[0], Manifest.read(found[1]))


def texts(records: Sequence[Record]) -> dict[str, str]:
    """Return every text that is embedded for these documents, by its key."""
    found: dict[str, str] = {}
    for record in records:
        found.update(zip(record.passage_keys, map(passage_input, record.passages), strict=True))
        found.update(zip(record.sentence_keys, map(sentence_input, record.sentences), strict=True))
    return found


def _build(
    folder: Path, home: Path, catalogue: Catalogue, embedder: Embedder, rebuild: bool
) -> Iterator[Progress | Report]:
    recipe = recipe_of(embedder)
    sweep(home, catalogue.generations())
    before = catalogue.files()
    current = None if rebuild else newest(catalogue)
    if current is not None and catalogue.digest() != current[1].rows:
        current = None  # damaged rows: trust none of them, read every file again
    same_splitter = current is not None and current[1].recipe.splitter == recipe.splitter
    kept = {record.document.id: record for record in catalogue.records()} if same_splitter else {}

    found: list[Found] = []
    for each in look(folder, {} if current is None else before, kept, same_splitter):
        found.append(each)
        yield Progress("read", len(found), each.total, each.file.id)
    files = [each.file for each in found]
    told = outcomes(before, files)

    if current is not None and current[1].recipe == recipe and _same(before, files) and _intact(home, *current):
        number, manifest = current
        catalogue.stamp(file for file in files if file != before[file.id])
        yield Report(told, number, False, manifest.documents, manifest.passages, manifest.sentences, 0)
        return

    records = _records(found, kept)
    wanted = texts(records)
    known = {} if rebuild else catalogue.vectors(recipe.fingerprint, wanted)
    vectors = yield from embed(catalogue, embedder, wanted, known)
    yield Progress("write", 0, 1)
    number, manifest = _publish(home, catalogue, files, records, vectors, recipe)
    yield Progress("write", 1, 1)
    yield Report(
        told, number, True, manifest.documents, manifest.passages, manifest.sentences, len(wanted) - len(known)
    )


def embed(
    catalogue: Catalogue, embedder: Embedder, wanted: Mapping[str, str], known: Mapping[str, Vector]
) -> Generator[Progress, None, dict[str, Vector]]:
    """Embed those texts, given by their keys, that have no `known` vector, and return the vectors of all.

    New vectors are kept in the catalogue. Raises EmbedderFault.
    """
    vectors = dict(known)
    keys = sorted((key for key in wanted if key not in known), key=lambda key: len(wanted[key]))
    for start in range(0, len(keys), BATCH):
        yield Progress("embed", start, len(keys))
        batch = keys[start : start + BATCH]
        new = dict(zip(batch, _embedded(embedder, [wanted[key] for key in batch]), strict=True))
        catalogue.keep_vectors(embedder.fingerprint, new)
        vectors |= new
    yield Progress("embed", len(keys), len(keys))
    return vectors


def derived(records: Sequence[Record], vectors: Mapping[str, Vector]) -> dict[str, bytes]:
    """Return the files of a generation, by their names."""
    passages = [passage for record in records for passage in record.passages]
    sentences = [sentence for record in records for sentence in record.sentences]
    return {
        PASSAGES: _store([key for record in records for key in record.passage_keys], vectors),
        SENTENCES: _store([key for record in records for key in record.sentence_keys], vectors),
        PASSAGE_WORDS: _words(passages, passage_input),
        SENTENCE_WORDS: _words(sentences, sentence_input),
    }


def _records(found: Sequence[Found], kept: Mapping[str, Record]) -> list[Record]:
    """Leave out what a document repeats of another; cut only those into spans that differ from before."""
    own = [each.document for each in found if each.document is not None]
    records = []
    for alone, document in zip(own, leave_out_copies(own), strict=True):
        before = kept.get(document.id)
        if before is not None and before.document == document:
            records.append(replace(before, own=alone.segments))
        else:
            records.append(Record.of(document, alone.segments, sentences(document), passages(document)))
    return records


def _embedded(embedder: Embedder, batch: list[str]) -> Matrix:
    matrix = embedder.embed_passages(batch)
    reason = fault(matrix, embedder.dimension)
    if reason or len(matrix) != len(batch):
        raise EmbedderFault(embedder.name, reason or f"{len(matrix)} vectors for {len(batch)} texts")
    return matrix


def _publish(
    home: Path,
    catalogue: Catalogue,
    files: Sequence[File],
    records: Sequence[Record],
    vectors: Mapping[str, Vector],
    recipe: Recipe,
) -> tuple[int, Manifest]:
    """Write the derived files, then commit the rows and the generation's name in one transaction."""
    files_made = derived(records, vectors)
    with catalogue.transaction():
        before = newest(catalogue)
        number = 1 if before is None else before[0] + 1
        catalogue.publish(files, records)
        manifest = Manifest(
            recipe,
            len(next(iter(vectors.values()), ())),
            len(records),
            sum(len(record.passages) for record in records),
            sum(len(record.sentences) for record in records),
            catalogue.digest(),
            fingerprints(files_made),
        )
        write(home, number, files_made, manifest)
        catalogue.name_generation(number, datetime.now(UTC).isoformat(), manifest.text(), KEPT)
    sweep(home, catalogue.generations())
    return number, manifest


def _words(spans: Sequence[Span], written: Callable[[Span], str]) -> bytes:
    return Bm25Index([written(span) for span in spans], [span.language for span in spans]).to_bytes()


def _store(keys: Sequence[str], vectors: Mapping[str, Vector]) -> bytes:
    rows = [vectors[key] for key in keys]
    dimension = len(next(iter(vectors.values()), ()))
    return FaissStore(np.asarray(rows, np.float32).reshape(len(rows), dimension)).to_bytes()


def _same(before: Mapping[str, File], files: Sequence[File]) -> bool:
    """Whether nothing but stamps differs."""
    old = {name: file.content for name, file in before.items()}
    return old == {file.id: file.content for file in files}


def _intact(home: Path, number: int, manifest: Manifest) -> bool:
    try:
        read(home, number, manifest)
    except IndexDamaged:
        return False
    return True


def _set_aside_if_damaged(path: Path) -> None:
    """Move a catalogue out of the way that can't be trusted, for a rebuild to start from nothing."""
    if not path.exists():
        return
    try:
        with Catalogue(path, create=True) as catalogue:
            catalogue.check()
            newest(catalogue)
            catalogue.digest()
    except IndexDamaged:
        path.replace(path.with_suffix(".damaged"))
        for suffix in ("-wal", "-shm"):  # they belong to the damaged file, and would spoil the new one
            path.with_name(path.name + suffix).unlink(missing_ok=True)
