"""Seats at the model: so many answers are made at once, and who waits for one is served by turns."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from corpus import FeudError
from index import EVERYTHING, Filter
from rag import Answer, Citation, Turn

if TYPE_CHECKING:
    from ui.talk import Answerer

READERS = ""
"""Who asks on the page; its own queue says how many of them may wait."""


class BusyError(FeudError):
    """More questions wait than may."""


class Seats:
    """Seats for `at_once` answers. Each who waits has a line of their own, and the lines take turns.

    Programs may have `waiting` questions in line together, a single one of them half as many.
    """

    def __init__(self, at_once: int = 1, waiting: int = 16) -> None:
        self._free, self._waiting = at_once, waiting
        self._lines: dict[str, deque[Future[None]]] = {}
        self._taken: set[Future[None]] = set()
        self._lock = Lock()

    def ask(self, who: str) -> "Future[None]":
        """Return a seat, which is had once it is done; it must be left. Raises `BusyError`."""
        seat: Future[None] = Future()
        with self._lock:
            in_line = sum(len(line) for name, line in self._lines.items() if name != READERS)
            own = len(self._lines.get(who, ()))
            full = in_line >= self._waiting or own >= max(1, self._waiting // 2)
            if full and not self._free and who != READERS:
                raise BusyError(f"{in_line} questions are waiting, {own} of them yours. Ask again later.")
            self._lines.setdefault(who, deque()).append(seat)
            self._give()
        return seat

    def leave(self, seat: "Future[None]") -> None:
        """Give a seat back, or stop waiting for it; once more changes nothing."""
        with self._lock:
            if seat in self._taken:
                self._taken.remove(seat)
                self._free += 1
                self._give()
                return
            seat.cancel()
            for who, line in list(self._lines.items()):
                if seat in line:
                    line.remove(seat)
                    if not line:
                        del self._lines[who]

    @property
    def in_line(self) -> int:
        """How many wait for a seat."""
        with self._lock:
            return sum(map(len, self._lines.values()))

    @property
    def answering(self) -> int:
        """How many have one."""
        return len(self._taken)

    @contextmanager
    def taken(self, who: str) -> Iterator[None]:
        """Wait for a seat and leave it at the end. Raises `BusyError`."""
        seat = self.ask(who)
        try:
            seat.result()
            yield
        finally:
            self.leave(seat)

    def _give(self) -> None:
        while self._free and self._lines:
            who = next(iter(self._lines))
            line = self._lines.pop(who)
            seat = line.popleft()
            if line:
                self._lines[who] = line  # behind all others
            if seat.set_running_or_notify_cancel():
                self._free -= 1
                self._taken.add(seat)
                seat.set_result(None)


class Seated:
    """An answerer for the page that takes a seat for whatever the model does."""

    def __init__(self, answerer: "Answerer", seats: Seats) -> None:
        self._answerer, self._seats = answerer, seats

    def stream(
        self, question: str, history: Sequence[Turn] = (), where: Filter = EVERYTHING
    ) -> Iterator[Answer]:
        with self._seats.taken(READERS):
            yield from self._answerer.stream(question, history, where)

    def translate(self, citation: Citation, language: str) -> str:
        with self._seats.taken(READERS):
            return self._answerer.translate(citation, language)
