"""Make the index equal to the documents folder, and say what became of each file."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from corpus import leave_out_copies, passages, sentences
from index.catalogue import Catalogue
from index.embedder import Embedder, Matrix, Vector
from index.english import in_english, known_english, sources
from index.errors import EmbedderFault, IndexDamaged, IndexMismatch, IndexMissing
from index.files import Found, Outcome, look, outcomes
from index.generations import Manifest, Recipe, catalogue_path, fingerprints, read, sweep, write, writer_lock
from index.lexical import Bm25Index
from index.progress import Progress
from index.records import File, Inputs, Record, key
from index.splitter import splitter
from index.vectors import FaissStore, fault

BATCH = 64  # texts embedded between two commits: what a killed build may lose, some five seconds
KEPT = 2  # generations on disk: a reader that has just read the row before still finds its files

VECTORS = {view: f"{view}.faiss" for view in Inputs._fields}
PASSAGE_WORDS, SENTENCE_WORDS = "passages.npz", "sentences.npz"


@dataclass(frozen=True, slots=True)
class Report:
    """What a build did. `outcomes` has one entry a file; `embedded` counts texts, not taken from before.

    `waiting` sentences could be put into English and were not.
    """

    outcomes: tuple[Outcome, ...]
    generation: int
    published: bool
    documents: int
    passages: int
    sentences: int
    waiting: int
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


def refresh(home: Path, embedder: Embedder) -> Iterator[Progress]:
    """Publish the newest generation again with what was put into English since, without reading any file.

    Raises IndexMissing, IndexBusy, IndexDamaged, IndexNotWritten, EmbedderFault.
    """
    with writer_lock(home), Catalogue(catalogue_path(home)) as catalogue:
        current = newest(catalogue)
        if current is None:
            raise IndexMissing(home)
        before = _trusted(catalogue, current[1])
        records = in_english(before, known_english(catalogue, before))
        if records == before:
            return
        recipe, wanted = current[1].recipe, texts(records)
        if recipe.fingerprint != embedder.fingerprint:
            raise IndexMismatch("embedder", recipe.embedder, embedder.name)
        vectors = yield from embed(catalogue, embedder, wanted, catalogue.vectors(recipe.fingerprint, wanted))
        _publish(home, catalogue, list(catalogue.files().values()), records, vectors, recipe)


def repair(home: Path) -> None:
    """Make the derived files of the newest generation again, from the catalogue alone, as a new generation.

    Raises IndexBusy while somebody writes, IndexDamaged where the catalogue itself is damaged.
    """
    with writer_lock(home), Catalogue(catalogue_path(home)) as catalogue:
        current = newest(catalogue)
        if current is None or _intact(home, *current):
            return
        _, manifest = current
        records = _trusted(catalogue, manifest)
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
    return {key(text): text for record in records for view in record.inputs() for text in view}


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

    records = _records(found, kept)
    english = known_english(catalogue, records)
    waiting = len({source for record in records for source in sources(record)} - {"", *english})
    records = in_english(records, english)

    if (
        current is not None
        and current[1].recipe == recipe
        and _same(before, files)
        and records == list(kept.values())
        and _intact(home, *current)
    ):
        number, m = current
        catalogue.stamp(file for file in files if file != before[file.id])
        yield Report(told, number, False, m.documents, m.passages, m.sentences, waiting, 0)
        return

    wanted = texts(records)
    known = {} if rebuild else catalogue.vectors(recipe.fingerprint, wanted)
    vectors = yield from embed(catalogue, embedder, wanted, known)
    yield Progress("write", 0, 1)
    number, m = _publish(home, catalogue, files, records, vectors, recipe)
    yield Progress("write", 1, 1)
    new = len(wanted) - len(known)
    yield Report(told, number, True, m.documents, m.passages, m.sentences, waiting, new)


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
    inputs = [record.inputs() for record in records]
    views = {view: [text for each in inputs for text in getattr(each, view)] for view in Inputs._fields}
    made = {VECTORS[view]: _store(texts, vectors) for view, texts in views.items()}
    passages = [passage.language for record in records for passage in record.passages]
    sentences = [sentence.language for record in records for sentence in record.sentences]
    made[PASSAGE_WORDS] = Bm25Index(views["passages"], passages).to_bytes()
    made[SENTENCE_WORDS] = Bm25Index(views["sentences"], sentences).to_bytes()
    return made


def _trusted(catalogue: Catalogue, manifest: Manifest) -> list[Record]:
    """The documents of the catalogue, if its rows are those that were written."""
    if catalogue.digest() != manifest.rows:
        raise IndexDamaged(catalogue.path, "its rows are not those that were written")
    return catalogue.records()


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
        catalogue.forget_all_but(vectors, (source for record in records for source in sources(record)))
        catalogue.name_generation(number, datetime.now(UTC).isoformat(), manifest.text(), KEPT)
    sweep(home, catalogue.generations())
    return number, manifest


def _store(texts: Sequence[str], vectors: Mapping[str, Vector]) -> bytes:
    rows = [vectors[key(text)] for text in texts]
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
