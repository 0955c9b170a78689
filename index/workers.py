"""Who does the heavy work of a build: to parse, to cut and to embed."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from index.embedder import Embedder

T = TypeVar("T")
R = TypeVar("R")


class Workers(Protocol):
    """This process alone (`Alone`), or many machines (`index.nodes`)."""

    def each(self, work: Callable[[Embedder, T], R], things: Iterable[T], together: int = 16) -> Iterator[R]:
        """Yield `work(embedder, thing)` for each thing, in order; `things` may be read some ahead.

        `work` is a function of a module: it and what it is about may be sent elsewhere, `together` at a time,
        where there is an embedder that is the same. What is used of it has to be seen through to its end, or
        closed. Raises what `work` raises, and a FeudError where nobody is left to do it.
        """


class Alone:
    """Does all of it here, each thing when it is asked for."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def each(self, work: Callable[[Embedder, T], R], things: Iterable[T], together: int = 16) -> Iterator[R]:
        return (work(self._embedder, thing) for thing in things)
