"""What is wrong, and how to mend it: one line a check; some are mended here."""

import shutil
from collections.abc import Callable
from pathlib import Path

from corpus import FeudError, scan
from index import MODELS, ModelStore, build, linked_sqlite, repair, verify
from rag.llm import Message
from rag.opening import Library, open_embedder, open_llm
from rag.settings import Settings
from ui.terminal import plain

Check = Callable[[Settings], str]


def examine(settings: Settings, fix: bool = False) -> int:
    """Print what each check found, and mend what can be if `fix`. Return 3 if something is wrong, else 0."""
    failed = False
    for name, check in CHECKS.items():
        wrong = _told(name, check, settings)
        if wrong and fix and name in REPAIRS:
            try:
                REPAIRS[name](settings)
                print(f"mended {name}", flush=True)
                wrong = _told(name, check, settings)
            except (FeudError, OSError) as error:
                print(plain(f"WRONG  {name:11} can't be mended: {error}"), flush=True)
        failed |= wrong
    return 3 if failed else 0


def _told(name: str, check: Check, settings: Settings) -> bool:
    """Print what a check found; return whether something is wrong."""
    try:
        print(plain(f"ok     {name:11} {check(settings)}"), flush=True)
    except (FeudError, OSError) as error:
        print(plain(f"WRONG  {name:11} {error}"), flush=True)
        return True
    return False


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
        raise FeudError(f"{len(torn)} passages lie outside their documents. Mend with: feud doctor --fix")
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
        raise FeudError(f"The words of {wanted.document.id} do not find it. Mend with: feud doctor --fix")
    return f"finds a passage by its own words, score {found[wanted.text]:+.2f}"


def _engine(settings: Settings) -> str:
    llm = open_llm(settings)
    reply = "".join(piece.text for piece in llm.stream([Message("user", "Say: ok")], 5))
    return f"{llm.name} answers: {' '.join(reply.split())!r}"


def _private(settings: Settings) -> str:
    open_ones = [path for path in _secrets(settings) if path.stat().st_mode & 0o077]
    if open_ones:
        names = ", ".join(map(str, open_ones))
        raise FeudError(f"Others on this computer can read {names}. Mend with: feud doctor --fix")
    kept = "others can be served with the password" if settings.password.exists() else "no password is set"
    return f"what is kept is its owner's; {kept}"


def _secrets(settings: Settings) -> list[Path]:
    return [path for path in (settings.conversations, settings.password) if path.exists()]


def _make_private(settings: Settings) -> None:
    for path in _secrets(settings):
        path.chmod(0o600)


def _mend_index(settings: Settings) -> None:
    """First from the catalogue; if that is damaged itself, from the documents, which needs the embedder."""
    try:
        repair(settings.home)
        verify(settings.home)
    except FeudError:
        for _ in build(settings.documents, settings.home, open_embedder(settings), rebuild=True):
            pass


CHECKS: dict[str, Check] = {
    "sqlite": lambda _: linked_sqlite(),
    "disk": _disk,
    "private": _private,
    "models": _models,
    "documents": _documents,
    "index": _index,
    "search": _search,
    "engine": _engine,
}
REPAIRS: dict[str, Callable[[Settings], None]] = {
    "private": _make_private,
    "index": _mend_index,
    "search": _mend_index,
}
