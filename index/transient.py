"""An index of texts that stand in no documents folder, such as a public test set."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from corpus import Document
from index.catalogue import Catalogue
from index.embedder import Embedder, Vector
from index.generations import fingerprints, index_folder, writer_lock
from index.opening import index_of_volumes
from index.progress import Progress
from index.publish import embed, texts
from index.records import Record
from index.rows import Place
from index.search import Index
from index.volumes import Volume, open_volume, write_volume
from index.workers import Alone


class _Listed:
    """Documents of a list, as those of volume 0."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records
        self._places = {record.document.id: (0, number) for number, record in enumerate(records)}

    def record(self, place: Place) -> Record:
        return self._records[place[1]]

    def place(self, name: str) -> Place:
        return self._places[name]

    def places(self) -> Iterable[Place]:
        return self._places.values()

    def described(self) -> Iterable[tuple[Place, Document]]:
        return ((self._places[record.document.id], record.document) for record in self._records)


def index_of(records: Sequence[Record], home: Path, embedder: Embedder) -> Iterator[Progress | Index]:
    """Embed what `home` has no vectors of yet, telling how far it is; the last value is the index.

    Only the vectors are kept, in a catalogue below `home`. Raises IndexBusy, IndexNotWritten, EmbedderFault.
    """
    wanted = texts(records)
    with writer_lock(home), Catalogue(index_folder(home) / "vectors.sqlite", create=True) as kept:
        yield from embed(kept, embedder, Alone(embedder), wanted)
        vectors = kept.vectors(embedder.fingerprint, wanted)
    yield index_from(records, vectors, embedder)


def index_from(records: Sequence[Record], vectors: Mapping[str, Vector], embedder: Embedder) -> Index:
    """Return the index of these documents, with the vectors of their texts by their keys."""
    dimension = len(next(iter(vectors.values()), ()))
    with TemporaryDirectory() as name:
        folder = Path(name)
        languages = write_volume(folder, records, lambda keys: np.array([vectors[k] for k in keys]), dimension)
        volume = Volume(len(records), languages["passages"], languages["sentences"], fingerprints(folder))
        opened = open_volume(folder, 0, volume)  # what is mapped stays when the files are removed
    return index_of_volumes(0, [opened], _Listed(records), dimension, embedder)
