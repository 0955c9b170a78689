"""An index of texts that stand in no documents folder, such as a public test set."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from index.build import derived, embed, texts
from index.catalogue import Catalogue
from index.embedder import Embedder
from index.generations import index_folder, writer_lock
from index.progress import Progress
from index.records import Record
from index.search import Index, opened


def index_of(records: Sequence[Record], home: Path, embedder: Embedder) -> Iterator[Progress | Index]:
    """Embed what `home` has no vectors of yet, telling how far it is; the last value is the index, in memory.

    Only the vectors are kept, in a catalogue below `home`. Raises IndexBusy, IndexNotWritten, EmbedderFault.
    """
    wanted = texts(records)
    with writer_lock(home), Catalogue(index_folder(home) / "vectors.sqlite", create=True) as kept:
        known = kept.vectors(embedder.fingerprint, wanted)
        vectors = yield from embed(kept, embedder, wanted, known)
    yield opened(0, records, derived(records, vectors), embedder)
