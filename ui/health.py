"""Whether the program lives and can answer, for who runs it: asked without the password, told without names.

GET /health     200 while the process lives
GET /ready      200 where a question can be answered, else 503 and a line that says what does not work
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread

from corpus import FeudError
from index import EndpointEmbedder
from rag import Assistant
from rag.llm import OpenAILLM

OPEN = ("/health", "/ready")
"""Routes that need no password."""
EVERY = 5.0  # seconds that what was found counts: who asks more often costs nothing
PATIENCE = 4.0  # seconds that somebody who asks waits
LINES = {
    "index": "the index can't be read, or its store does not answer",
    "embedder": "the embedding model does not answer",
    "model": "the language model does not answer",
}
LOG = logging.getLogger("feud.health")


class Probe:
    """A part that answering needs. `check` raises what is wrong with it, in a thread, one at a time."""

    def __init__(
        self, name: str, check: Callable[[], object], every: float = EVERY, patience: float = PATIENCE
    ) -> None:
        self.name, self._check, self._every, self._patience = name, check, every, patience
        self._look: Future[bool] = Future()
        self._look.set_result(True)
        self._until, self._good = 0.0, True

    async def good(self) -> bool:
        """Whether it works, at most `every` seconds ago; one that can't say so within `patience` does not."""
        if self._look.done() and time.monotonic() >= self._until:
            self._look = Future()
            Thread(target=self._run, args=(self._look,), daemon=True).start()
        looked, _ = await asyncio.wait([asyncio.wrap_future(self._look)], timeout=self._patience)
        return bool(looked) and self._look.result()

    def _run(self, look: "Future[bool]") -> None:
        good = False
        try:
            self._check()
            good = True
        except FeudError as error:
            if self._good:
                LOG.warning("not ready: %s", error)
        except Exception:
            LOG.exception("the check of the %s broke", self.name)
        if good and not self._good:
            LOG.warning("ready again: %s", self.name)
        self._good, self._until = good, time.monotonic() + self._every
        look.set_result(good)


class Readiness:
    """Whether each part works that answering needs, by its name, a key of `LINES`."""

    def __init__(self, checks: Mapping[str, Callable[[], object]], **limits: float) -> None:
        self._probes = [Probe(name, check, **limits) for name, check in checks.items()]

    async def lacking(self, without: str = "") -> str:
        """Return what does not work in one line, "" where all does; the part `without` is not asked."""
        asked = [probe for probe in self._probes if probe.name != without]
        good = await asyncio.gather(*(probe.good() for probe in asked))
        return next((LINES[probe.name] for probe, works in zip(asked, good, strict=True) if not works), "")


def readiness(assistant: Assistant) -> Readiness:
    """What an assistant needs: its index or store, and the models that may fail apart from this process."""

    own = assistant.latest().embedder

    def index() -> None:
        with suppress(KeyError):
            assistant.latest().document("")  # what is held may be older, and has to be readable

    checks: dict[str, Callable[[], object]] = {"index": index}
    if isinstance(own, EndpointEmbedder):
        checks["embedder"] = lambda: own.embed_passages(["?"])  # a question's vector would be remembered
    if isinstance(assistant.llm, OpenAILLM):
        checks["model"] = assistant.llm.check
    return Readiness(checks)
