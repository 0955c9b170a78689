"""The workers of a Ray cluster: many machines parse, cut and embed, one builds the index of it.

Each worker is an actor with a core and an embedder of its own, loaded when it is first asked to embed. What it
is sent is made here, so that nothing of a worker has to be kept: if its node dies, what it had not answered
goes to another, and a new one is asked for. Results come in order, and only so many are ahead of who uses them,
so that the memory for it does not grow with the documents. Not Ray Data, whose actors live for one pass over a
data set: a build makes many, and each would load its models again.
"""

import os
import pickle
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from corpus import FeudError
from index.embedder import Embedder
from index.splitter import splitter
from index.workers import R, T

PATIENCE = 60.0  # seconds that are waited for a first or another worker
_BYTES = 1 << 20  # sent to a worker at a time; more only where one thing is larger
_AT_ONCE, _AHEAD = 2, 4  # batches that a worker has been sent, and that are on their way, a worker
_TRIES = 5  # workers that may be lost over the same batch
_HELLO = 5.0  # seconds in which a cluster takes a connection


class NodesError(FeudError):
    """The cluster can't be had, was lost, or is not what it has to be; what was done is kept."""

    exit_code = 3

    def __init__(self, message: str) -> None:
        super().__init__(f"{message} What was embedded is kept: the same command goes on where it stopped.")


@dataclass(eq=False, slots=True)
class _Batch:
    """Some things, what is to be done with them, and what came of it."""

    work: Callable[[Embedder, Any], Any]
    things: list[bytes]
    done: list[Any] | None = None
    tries: int = 0


@dataclass(frozen=True, slots=True)
class _Fault:
    """An error of ours, as it comes back from a worker."""

    message: str


class _Worker:
    """What runs on a node. Its module, and all that it is sent, has to be installed there."""

    def __init__(self, made: Callable[[], Embedder]) -> None:
        self._made = made
        self._embedder: Embedder | None = None

    def ready(self) -> tuple[str, str, str] | _Fault:
        """The node, the splitter and the embedder that are there."""
        try:
            return socket.gethostname(), splitter(), self._opened().fingerprint
        except FeudError as error:
            return _Fault(f"On {socket.gethostname()}: {error}")

    def do(self, work: Callable[[Embedder, Any], Any], things: list[bytes]) -> list[Any] | _Fault:
        try:
            return [work(self._opened(), pickle.loads(thing)) for thing in things]
        except FeudError as error:
            return _Fault(str(error))

    def _opened(self) -> Embedder:
        self._embedder = self._embedder or self._made()
        return self._embedder


@dataclass(eq=False, slots=True)
class _Hand:
    """A worker as it is known here."""

    actor: Any
    ready: bool = False
    lost: bool = False


class Nodes:
    """Workers on the cluster at `address`, `count` or as many as it has cores, each with what it has `made`.

    `ready` counts those that are there, `lost` those that ended, `again` the batches that others did then. To
    be used as a context. Raises FeudError where Ray is not installed, NodesError where the cluster can't be
    reached, or a node has another feud or another embedder.
    """

    def __init__(
        self,
        address: str,
        embedder: Embedder,
        made: Callable[[], Embedder],
        count: int = 0,
        patience: float = PATIENCE,
    ) -> None:
        self.ready = self.lost = self.again = 0
        self._address, self._made, self._patience = address, made, patience
        self._expected = (splitter(), embedder.fingerprint)
        self._ray = _ray()
        _reached(address)
        try:
            self._ray.init(address, log_to_driver=False, logging_level="ERROR")
            self._count = count or max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        except Exception as error:  # what Ray raises depends on where it fails
            raise NodesError(f"The Ray cluster at {address} can't be used: {_line(error)}") from error
        self._failed = 0  # workers that were lost before they were ready, since one was
        self._running: dict[Any, tuple[_Hand, _Batch | None]] = {}  # by what will tell how it went
        self._idle: deque[_Hand] = deque()  # each worker as often as it may be sent something
        self._todo: deque[_Batch] = deque()

    def __enter__(self) -> "Nodes":
        with self._connected():
            for _ in range(self._count):
                self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ray.shutdown()

    def each(self, work: Callable[[Embedder, T], R], things: Iterable[T], together: int = 16) -> Iterator[R]:
        """As `Workers.each`."""
        made = _batches(work, things, together)
        ahead: deque[_Batch] = deque()
        try:
            while True:
                new = list(islice(made, self._count * _AHEAD - len(ahead)))
                ahead += new
                self._todo += new
                if not ahead:
                    return
                with self._connected():
                    while ahead[0].done is None:
                        self._send()
                        self._wait()
                    self._send()
                yield from ahead.popleft().done or ()
        finally:
            for batch in ahead:  # nobody wants them any more
                if batch in self._todo:
                    self._todo.remove(batch)

    def _start(self) -> None:
        """Ask for a worker; it comes when a node has a core for it."""
        options = {"num_cpus": 1, "max_restarts": 0, "scheduling_strategy": "SPREAD"}
        actor = self._ray.remote(_Worker).options(**options).remote(self._made)
        self._running[actor.ready.remote()] = _Hand(actor), None

    def _send(self) -> None:
        while self._todo and self._idle:
            hand, batch = self._idle.popleft(), self._todo.popleft()
            self._running[hand.actor.do.remote(batch.work, batch.things)] = hand, batch

    def _wait(self) -> None:
        """Wait until a worker is ready, has done something or is lost."""
        found, _ = self._ray.wait([*self._running], timeout=self._patience)
        if not found and not any(batch for _, batch in self._running.values()):
            raise NodesError(
                f"No node of the Ray cluster at {self._address} has had a core free for "
                f"{self._patience:.0f} s. See: ray status."
            )
        for answer in found:
            self._take(answer)

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Turn the loss of the cluster into our error."""
        try:
            yield
        except (ConnectionError, self._ray.exceptions.RaySystemError) as error:
            raise NodesError(f"The Ray cluster at {self._address} was lost: {_line(error)}") from error

    def _take(self, answer: Any) -> None:
        hand, batch = self._running.pop(answer)
        lost = self._ray.exceptions
        try:
            told = self._ray.get(answer)
        except (lost.RayActorError, lost.WorkerCrashedError, lost.ObjectLostError) as error:
            self._replace(hand, batch, error)
            return
        if isinstance(told, _Fault):
            raise NodesError(told.message)
        if batch:
            batch.done, batch.things = told, []
            self._idle += [] if hand.lost else [hand]
        elif told[1:] != self._expected:
            what = "feud" if told[1] != self._expected[0] else "embedding model"
            raise NodesError(f"{told[0]} has another {what} than this machine. Install the same there.")
        else:
            self._failed, hand.ready = 0, True
            self.ready += 1
            self._idle += [hand] * _AT_ONCE

    def _replace(self, hand: _Hand, batch: _Batch | None, error: Exception) -> None:
        """Give what a lost worker was to do to the others, and ask for another worker, once."""
        if batch:
            batch.tries += 1
            self.again += 1
            if batch.tries > _TRIES:
                raise NodesError(f"{_TRIES} workers ended over the same documents: {_line(error)}") from error
            self._todo.appendleft(batch)
        if not hand.lost:
            hand.lost = True
            self.lost += hand.ready
            self.ready -= hand.ready
            self._failed += not hand.ready
            if self._failed > max(_TRIES, 2 * self._count):
                raise NodesError(f"No worker can be started on {self._address}: {_line(error)}") from error
            self._idle = deque(each for each in self._idle if each is not hand)
            self._ray.kill(hand.actor)
            self._start()


def _batches(work: Callable[[Embedder, T], R], things: Iterable[T], together: int) -> Iterator[_Batch]:
    """The things as they are sent, so many or so many bytes at a time."""
    some: list[bytes] = []
    for thing in things:
        some.append(pickle.dumps(thing))
        if len(some) == together or sum(map(len, some)) >= _BYTES:
            yield _Batch(work, some)
            some = []
    if some:
        yield _Batch(work, some)


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    try:
        return import_module("ray")
    except ModuleNotFoundError as error:
        raise FeudError("The package ray is missing. Install it with: pip install 'feud[ray]'") from error


def _reached(address: str) -> None:
    """Raise NodesError where nobody listens: Ray itself would try for minutes, and say so at length."""
    place = urlsplit(address)
    try:
        where = (place.hostname, place.port or 10001)
    except ValueError:
        where = (None, 0)
    if place.scheme != "ray" or not where[0]:
        raise FeudError(f"{address} is no address of a Ray cluster. Write ray://host:10001")
    try:
        socket.create_connection((where[0], where[1]), _HELLO).close()
    except OSError as error:
        raise NodesError(
            f"There is no Ray cluster at {address}: {error.strerror or error}. Start one with: ray start --head"
        ) from error


def _line(error: Exception) -> str:
    return (" ".join(str(error).split())[:200] or type(error).__name__).rstrip(".") + "."
