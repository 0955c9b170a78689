"""Put together from settings what answers: the opened index and the language model."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from corpus import FeudError
from index import (
    Embedder,
    Index,
    IndexMismatch,
    ModelStore,
    Progress,
    Report,
    Store,
    StoreFault,
    build,
    embedder_named,
    indexed_folder,
    store_named,
)
from rag.assistant import Assistant
from rag.engine import Endpoint, Engine
from rag.errors import LLMError
from rag.llm import LLM, OpenAILLM
from rag.settings import Settings

LOG = logging.getLogger("feud.index")

Steps = Iterator[Progress | Report]
Shown = Callable[[Steps], Iterable[Progress | Report]]
"""Shows the steps of long work on their way."""


def open_assistant(
    settings: Settings | None = None, extractive: bool = False, shown: Shown = iter
) -> Assistant:
    """Return an assistant over the newest index. The engine loads meanwhile, the embedder when it is needed.

    Without `settings` those of the environment count. An index of an earlier feud is made anew first, `shown`
    on the way. Raises what `open_index` raises. A language model that is missing or broken shows with the first
    answer.
    """
    settings = settings or Settings.from_env()
    llm = None if extractive else open_llm(settings, begin=True)
    return Assistant(Library(settings, shown=shown).latest, llm)


class Library:
    """The index of the home folder, or of the store that the settings name, opened anew when somebody has
    published a newer generation.

    One of an earlier feud is made anew first, `shown` on the way; one of another folder is told. Raises what
    `open_index` raises, and then what `build` does.
    """

    def __init__(self, settings: Settings, embedder: Embedder | None = None, shown: Shown = iter) -> None:
        self._store = store_named(settings.store, settings.home)
        self._index = _opened(settings, self._store, embedder or open_embedder(settings), shown)
        made_of = None if settings.store else indexed_folder(settings.home)
        if made_of and made_of.resolve() != settings.documents.resolve():
            LOG.warning(
                "The index is of %s; FEUD_DOCUMENTS is %s. Index that with: feud index",
                made_of,
                settings.documents,
            )
        self._lock = threading.Lock()
        self._told = ""

    def latest(self) -> Index:
        """Return the newest generation that can be opened. Who holds an older one may go on using it.

        Why a newer one can't be opened is logged once. Raises StoreFault where the store does not answer, since
        then nobody answers from what is held either.
        """
        with self._lock:
            try:
                newest = self._store.current()
                if newest is not None and newest != self._index.generation:
                    self._index = self._store.open(self._index.embedder)
                self._told = ""
            except StoreFault:
                raise
            except FeudError as error:
                if str(error) != self._told:
                    LOG.warning("generation %d goes on answering: %s", self._index.generation, error)
                self._told = str(error)
            return self._index


def _opened(settings: Settings, store: Store, embedder: Embedder, shown: Shown) -> Index:
    """Open the index; one of an earlier feud is made anew first. Another embedder is the reader's to choose,
    and what others answer from is for them to make who write it.
    """
    try:
        return store.open(embedder)
    except IndexMismatch as error:
        if settings.store or error.what not in ("format", "splitter", "metric", "tokens"):
            raise
    for _ in shown(build(settings.documents, settings.home, embedder)):
        pass
    return store.open(embedder)


def open_embedder(settings: Settings) -> Embedder:
    """Return the embedder that the settings name."""
    return embedder_named(settings.embedder, ModelStore(settings.models), settings.embedder_api_key)


def open_llm(settings: Settings, begin: bool = False) -> LLM:
    """Return the language model: an endpoint of the reader's own, or the embedded engine.

    The engine starts with the first call, or now if it may `begin`, while the caller does something else.
    """
    if settings.llm_base_url:
        endpoint = Endpoint(settings.llm_base_url, settings.llm_api_key)
        return OpenAILLM(settings.llm_model, lambda: endpoint, window=settings.llm_context)
    store = ModelStore(settings.models)

    def model() -> Path:
        return store.find(settings.llm_model)

    engine = Engine(model, settings.llm_context, beginnings=settings.beginnings)
    if begin:
        threading.Thread(target=_begin, args=(engine,), daemon=True).start()
    return OpenAILLM(settings.llm_model, engine.endpoint, window=settings.llm_context)


def _begin(engine: Engine) -> None:
    with suppress(LLMError):  # the first call meets it again and says so
        engine.endpoint()
