"""What is wrong, and how to mend it: one line a check."""

import shutil
from collections.abc import Callable

from corpus import FeudError, scan
from index import MODELS, ModelStore, linked_sqlite, verify
from rag.llm import Message
from rag.opening import Library, open_llm
from rag.settings import Settings
from ui.terminal import plain

Check = Callable[[Settings], str]


def examine(settings: Settings) -> int:
    """Print each check with what was found; return 3 if one of them failed, else 0."""
    failed = False
    for name, check in CHECKS.items():
        try:
            print(plain(f"ok     {name:10} {check(settings)}"), flush=True)
        except (FeudError, OSError) as error:
            failed = True
            print(plain(f"WRONG  {name:10} {error}"), flush=True)
    return 3 if failed else 0


def _disk(settings: Settings) -> str:
    place = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    return f"{settings.home}, {shutil.disk_usage(place).free / 1e9:.0f} GB free"


def _models(settings: Settings) -> str:
    store = ModelStore(settings.models)
    known = settings.embedder in {model.name for model in MODELS}  # another is its own library's or endpoint's
    named = ([settings.embedder] if known else []) + ([] if settings.llm_base_url else [settings.llm_model])
    return ", ".join(f"{name} {_size(store, name)}" for name in named) or "none of the store is asked for"


def _size(store: ModelStore, name: str) -> str:
    return f"({store.find(name).stat().st_size / 1e6:.0f} MB)"


def _documents(settings: Settings) -> str:
    return f"{len(scan(settings.documents))} files in {settings.documents}"


def _index(settings: Settings) -> str:
    verify(settings.home)
    library = Library(settings).latest()
    torn = [p for p in library.passages if not 0 <= p.start < p.end <= len(p.document.text)]
    if torn:
        raise FeudError(f"{len(torn)} passages lie outside their documents. Mend with: feud index --rebuild")
    return (
        f"generation {library.generation}, {len(library.documents)} documents, {len(library.passages)} passages"
    )


def _search(settings: Settings) -> str:
    library = Library(settings).latest()
    if not library.passages:
        return "nothing to find"
    wanted = library.passages[0]
    found = {hit.passage.text: hit.score for hit in library.search(wanted.text, 8)}
    if wanted.text not in found:
        raise FeudError(f"The words of {wanted.document.id} do not find it. Mend with: feud index --rebuild")
    return f"finds a passage by its own words, score {found[wanted.text]:+.2f}"


def _engine(settings: Settings) -> str:
    llm = open_llm(settings)
    reply = "".join(piece.text for piece in llm.stream([Message("user", "Say: ok")], 5))
    return f"{llm.name} answers: {' '.join(reply.split())!r}"


CHECKS: dict[str, Check] = {
    "sqlite": lambda _: linked_sqlite(),
    "disk": _disk,
    "models": _models,
    "documents": _documents,
    "index": _index,
    "search": _search,
    "engine": _engine,
}
