"""Where a generation is answered from: this machine's disk, or a store that many machines ask."""

from collections.abc import Generator
from pathlib import Path
from typing import Protocol

from index.embedder import Embedder
from index.opening import current_generation, open_index
from index.progress import Progress
from index.search import Index


class Store(Protocol):
    """Keeps generations. Each method raises StoreFault where a store of many machines fails."""

    @property
    def name(self) -> str:
        """What a reader of a message knows it by."""

    def current(self) -> int | None:
        """Return the number of the newest generation, None before the first: a cheap look for a new one."""

    def open(self, embedder: Embedder) -> Index:
        """Open the newest generation. Raises IndexMissing, IndexMismatch, IndexDamaged."""

    def publish(self, anew: bool = False) -> Generator[Progress, None, int | None]:
        """Take over what was built in the home since, all of it if `anew`; returns what is `current` then."""


class Disk:
    """The home's own generations."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.name = str(home)

    def current(self) -> int | None:
        return current_generation(self._home)

    def open(self, embedder: Embedder) -> Index:
        return open_index(self._home, embedder)

    def publish(self, anew: bool = False) -> Generator[Progress, None, int | None]:
        yield from ()
        return self.current()


class Cluster:
    """A Milvus server. Nothing of its client is imported before there is one."""

    def __init__(self, address: str, home: Path) -> None:
        from index import milvus

        self._milvus, self._home = milvus, home
        self._server = milvus.Server(address)
        self.name = self._server.name

    def current(self) -> int | None:
        return self._milvus.current_generation(self._server)

    def open(self, embedder: Embedder) -> Index:
        return self._milvus.open_generation(self._server, embedder)

    def publish(self, anew: bool = False) -> Generator[Progress, None, int | None]:
        return (yield from self._milvus.publish(self._server, self._home, anew))


def store_named(address: str, home: Path) -> Store:
    """Return the store at `address`, that of `home` where it is "". Raises FeudError, StoreFault."""
    return Cluster(address, home) if address else Disk(home)
