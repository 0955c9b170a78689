"""Documents that were just parsed, on the disk until they are wanted: there may be more than memory holds."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
from numpy.typing import NDArray

from corpus import Document
from index.errors import IndexNotWritten
from index.records import document_from, metadata_json, segments_json


class Parsed(Mapping[str, Document]):
    """Documents by id, in a file in `folder` that has no name and is gone with the process.

    `said` are the sentences of each as `corpus.said` numbers them, int64. Raises IndexNotWritten.
    """

    def __init__(self, folder: Path) -> None:
        self.said: dict[str, NDArray[np.int64]] = {}
        self._folder = folder
        self._places: dict[str, tuple[int, int]] = {}
        try:
            self._file = TemporaryFile(dir=folder)  # noqa: SIM115  it lives as long as this does
        except OSError as error:
            raise IndexNotWritten(folder, str(error.strerror)) from error

    def close(self) -> None:
        """Let the file go."""
        with suppress(OSError):  # of a full disk, which was told already
            self._file.close()

    def keep(self, document: Document, said: NDArray[np.int64]) -> None:
        """Add a document; it can be read once it is here."""
        told = (document.id, document.text, metadata_json(document), segments_json(document.segments))
        data = json.dumps(told).encode()
        try:
            start = self._file.seek(0, os.SEEK_END)
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise IndexNotWritten(self._folder, str(error.strerror)) from error
        self._places[document.id] = start, len(data)
        self.said[document.id] = said

    def __getitem__(self, name: str) -> Document:
        start, size = self._places[name]
        return document_from(*json.loads(os.pread(self._file.fileno(), size, start)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
