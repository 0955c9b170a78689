"""What is wrong, and how to mend it: one line a check; some are mended here."""

import json
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from corpus import DocumentError, FeudError, holds_items, items, read_bytes, scan
from corpus.apart import extract_apart
from index import (
    MODELS,
    Index,
    IndexBusy,
    IndexDamaged,
    IndexMismatch,
    IndexMissing,
    ModelStore,
    build,
    journal,
    leftovers,
    linked_sqlite,
    open_index,
    repair,
    store_named,
    tidy,
    verify,
)
from rag.llm import Message
from rag.opening import open_embedder, open_llm
from rag.settings import Settings
from ui.access import Access
from ui.archive import Archive
from ui.site import LOOPBACK
from ui.terminal import counted, plain

Check = Callable[[Settings], str]


def examine(settings: Settings, fix: bool = False, as_json: bool = False) -> int:
    """Print what each check found, and mend what can be if `fix`. Return 3 if something is wrong, else 0.

    What could not be mended stays wrong.
    """
    found = []
    _opened.cache_clear()
    checks = {name: check for name, check in CHECKS.items() if not (settings.store and name in AT_HOME)}
    for name, check in (checks | ({"store": _store} if settings.store else {})).items():
        right, words = _found(check, settings)
        lines = [f"{'ok' if right else 'WRONG':6} {name:11} {words}"]
        if not right and fix and name in REPAIRS:
            try:
                REPAIRS[name](settings)
                _opened.cache_clear()
                right, words = _found(check, settings)
                lines += [f"mended {name}", f"{'ok' if right else 'WRONG':6} {name:11} {words}"]
            except (FeudError, OSError) as error:
                lines.append(f"WRONG  {name:11} can't be mended: {error}")
        found.append({"check": name, "ok": right, "found": words})
        for line in lines if not as_json else ():
            print(plain(line), flush=True)
    _opened.cache_clear()
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
    return 0 if all(each["ok"] for each in found) else 3


def _found(check: Check, settings: Settings) -> tuple[bool, str]:
    try:
        return True, check(settings)
    except (FeudError, OSError) as error:
        return False, str(error)


@lru_cache(1)
def _opened(settings: Settings) -> Index:
    """The index, opened once for all checks, until something is mended."""
    return open_index(settings.home, open_embedder(settings))


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
    return f"{counted(len(scan(settings.documents)), 'file')} in {settings.documents}"


def _sqlite(settings: Settings) -> str:
    version = linked_sqlite()
    try:
        return f"{version}, the journal of the index is {journal(settings.home)}, each commit reaches the disk"
    except FeudError:  # told by the check of the index
        return version


def _index(settings: Settings) -> str:
    verify(settings.home)
    library = _opened(settings)
    return f"generation {library.generation}, {_held(library)}"


def _store(settings: Settings) -> str:
    store = store_named(settings.store, settings.home)
    library = store.open(open_embedder(settings))
    found = library.search(library.passages[0].text, 1) if library.passages else []
    return f"{store.name}, generation {library.generation}, {_held(library)}, finds {len(found)}"


def _held(library: Index) -> str:
    return f"{counted(len(library.documents), 'document')}, {counted(len(library.passages), 'passage')}"


def _spans(settings: Settings) -> str:
    """Read each file again: what is cited has to stand in it, character for character."""
    library = _opened(settings)
    held = {d.id: d for d in library.documents}
    same = {name for name, text in _texts(settings.documents, held) if text == held[name].text}
    changed = [name for name in held if name not in same]
    torn = [p for p in library.passages if not 0 <= p.start < p.end <= len(p.document.text)]
    if changed:
        names = ", ".join(changed[:3])
        raise FeudError(
            f"{len(changed)} files are not what was indexed ({names}). Mend with: feud doctor --fix"
        )
    if torn:
        raise FeudError(f"{len(torn)} passages lie outside their documents. Mend with: feud doctor --fix")
    return f"{len(library.passages)} passages stand in their files"


def _texts(source: Path, wanted: Collection[str]) -> Iterator[tuple[str, str]]:
    """What stands in the files and their items, by the ids that are wanted; what can't be read is left out."""
    folder = source.parent if source.is_file() else source
    for entry in scan(source):
        for item in items(folder, entry.id) if holds_items(entry.id) else (None,):
            name, suffix = (item.id, item.suffix) if item else (entry.id, Path(entry.id).suffix.lower())
            if name in wanted:
                with suppress(DocumentError):
                    data = item.data if item else read_bytes(folder, name)
                    yield name, extract_apart(suffix, data).text


def _leftovers(settings: Settings) -> str:
    try:
        found = leftovers(settings.home)
    except IndexBusy:
        return "not looked for: the index is being written"
    if found:
        raise FeudError(f"{len(found)} folders are of builds that ended early. Mend with: feud doctor --fix")
    return "nothing lies about"


def _search(settings: Settings) -> str:
    library = _opened(settings)
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
    read = [path for path in _secrets(settings) if path.stat().st_mode & 0o077]
    written = [path for path in _own(settings) if path.stat().st_mode & 0o002]
    for paths, what in ((read, "read"), (written, "change")):
        if paths:
            names = ", ".join(map(str, paths[:3]))
            raise FeudError(f"Others on this computer can {what} {names}. Mend with: feud doctor --fix")
    return "what is kept is its owner's"


def _secrets(settings: Settings) -> list[Path]:
    return [path for path in (settings.conversations, settings.password) if path.exists()]


def _own(settings: Settings) -> list[Path]:
    """What nobody else may change: a model or an index would be swapped, a document slipped in."""
    folders = (settings.home, settings.documents, settings.models, settings.home / "index", settings.beginnings)
    return [path for path in folders if path.exists()]


def _make_private(settings: Settings) -> None:
    for path in _secrets(settings):
        path.chmod(0o600)
    for path in _own(settings):
        path.chmod(path.stat().st_mode & ~0o002)


def _security(settings: Settings) -> str:
    ends = {"FEUD_LLM_BASE_URL": settings.llm_base_url, "FEUD_EMBEDDER": settings.embedder}
    keys = {"FEUD_LLM_BASE_URL": settings.llm_api_key, "FEUD_EMBEDDER": settings.embedder_api_key}
    told = []
    for name, address in ends.items():
        place = urlsplit(address)
        if place.scheme in ("http", "https") and place.hostname not in LOOPBACK:
            if keys[name] and place.scheme == "http":
                raise FeudError(f"{name} sends its key over the network readable. Name an https:// address.")
            told.append(f"{place.hostname} is sent what is asked ({name})")
    if settings.password.exists():
        Access(settings.password)
        told.append("others can be served with the password")
    return ", ".join(told) or "nobody is sent anything, no password is set"


def _conversations(settings: Settings) -> str:
    return f"{Archive(settings.conversations).check()} are kept"


def _mend_index(settings: Settings) -> None:
    """First from the catalogue; if that is damaged itself, from the documents, which needs the embedder.

    Of an index with another embedder, or of an earlier feud, what is still of use is kept.
    """
    damaged = False
    try:
        repair(settings.home)
        verify(settings.home)
    except IndexDamaged:
        damaged = True
    except (IndexMismatch, IndexMissing):
        pass
    _build(settings, damaged)


def _mend_spans(settings: Settings) -> None:
    """Read what has changed; where that is not enough, a library reads its files in another way now."""
    _build(settings, rebuild=False)
    try:
        _spans(settings)
    except FeudError:
        _build(settings, rebuild=True)


def _build(settings: Settings, rebuild: bool) -> None:
    for _ in build(settings.documents, settings.home, open_embedder(settings), rebuild=rebuild):
        pass


CHECKS: dict[str, Check] = {
    "sqlite": _sqlite,
    "disk": _disk,
    "private": _private,
    "security": _security,
    "models": _models,
    "documents": _documents,
    "index": _index,
    "spans": _spans,
    "leftovers": _leftovers,
    "search": _search,
    "talks": _conversations,
    "engine": _engine,
}
AT_HOME = {"sqlite", "documents", "index", "spans", "leftovers", "search"}
"""Checks of what is not here where a store is answered from."""
REPAIRS: dict[str, Callable[[Settings], None]] = {
    "private": _make_private,
    "index": _mend_index,
    "spans": _mend_spans,
    "leftovers": lambda settings: tidy(settings.home),
    "search": _mend_index,
}
