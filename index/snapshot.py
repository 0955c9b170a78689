"""The documents of an opened index: one state of the catalogue, kept while others write."""

from collections.abc import Collection
from threading import Lock

from corpus import Document
from index.catalogue import Catalogue
from index.records import Record
from index.rows import Place


class Snapshot:
    """The documents of some volumes, as they were when it was made, whatever is written meanwhile.

    It holds a reading transaction of its own connection, so SQLite's log can't be cut before it is closed.
    """

    def __init__(self, catalogue: Catalogue, volumes: Collection[int]) -> None:
        self._catalogue, self._volumes, self._lock = catalogue, volumes, Lock()

    def record(self, place: Place) -> Record:
        with self._lock:
            return self._catalogue.record(place)

    def place(self, name: str) -> Place:
        with self._lock:
            return self._catalogue.place(name, self._volumes)

    def places(self) -> list[Place]:
        with self._lock:
            return list(self._catalogue.places(self._volumes).values())

    def described(self) -> list[tuple[Place, Document]]:
        with self._lock:
            return list(self._catalogue.described(self._volumes))
