"""The documents, from the command line: add, remove, list, index."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn, track
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from corpus import explain
from corpus.shipped import seed
from index import Embedder, Progress, Report, build, refresh, store_named, translate
from rag.answer import Citation
from rag.contract import described, happened, points
from rag.disagree import differences
from rag.opening import Library, open_embedder, open_llm
from rag.settings import Settings
from rag.timeline import disputed, timeline
from rag.translate import LLMTranslator
from ui.folder import LibraryError, aside, copy, take
from ui.terminal import anew, cited_words, counted, date, plain

WORDS = {
    "read": "reading files",
    "embed": "embedding",
    "write": "writing the index",
    "translate": "to English",
    "send": "to the store",
}


def index(settings: Settings, rebuild: bool = False, english: bool = False) -> None:
    """Make the index equal to the folder, with a progress bar, and print what became of each file.

    Then make the store equal to the index, where it is one that others answer from.
    """
    _seed(settings)
    embedder, store = open_embedder(settings), store_named(settings.store, settings.home)
    *_, report = shown(build(settings.documents, settings.home, embedder, rebuild=rebuild))
    assert isinstance(report, Report)
    _print_report(report, english)
    if all(outcome.outcome == "removed" for outcome in report.outcomes):
        print(plain(f"There are no files in {settings.documents}. Put some there, or add them with: feud add"))
    if english and report.waiting:
        started = time.monotonic()
        for _ in shown(translate(settings.home, LLMTranslator(open_llm(settings)))):
            pass
        seconds = time.monotonic() - started
        for _ in shown(refresh(settings.home, embedder)):
            pass
        print(f"{report.waiting} sentences were put into English in {seconds:.0f} s.")
    if settings.store:
        for _ in shown(store.publish(rebuild)):
            pass
        print(plain(f"The store {store.name} answers with generation {store.current()}."))


def ingest(settings: Settings, source: Path, on: str = "", count: int = 0) -> None:
    """Make the index equal to `source`, as `index` does to the folder; by workers `on` a Ray cluster if named.

    Then publish it. Prints how many documents became what, and each that could not be read with the reason.
    """
    if not source.exists():
        raise LibraryError(f"There is no file or folder {source}.")
    embedder, store = open_embedder(settings), store_named(settings.store, settings.home)
    with ExitStack() as ends:
        nodes = None
        if on:
            from index.nodes import Nodes

            nodes = ends.enter_context(Nodes(on, embedder, partial(_there, settings.embedder), count))
        *_, report = shown(build(source.absolute(), settings.home, embedder, workers=nodes))
    assert isinstance(report, Report)
    for outcome in report.outcomes:
        if outcome.outcome == "quarantined":
            print(plain(f"quarantined {outcome.id} ({outcome.detail})"))
    counts = Counter(outcome.outcome for outcome in report.outcomes)
    told = ", ".join(f"{number} {word}" for word, number in counts.items()) or "nothing"
    print(plain(f"{told}: {source}"))
    if nodes and nodes.lost:
        print(f"{nodes.lost} workers were lost on the way; what they had not done others did.")
    _print_generation(report)
    if settings.store:
        for _ in shown(store.publish()):
            pass
        print(plain(f"The store {store.name} answers with generation {store.current()}."))
    elif source.absolute() != settings.documents:
        print(
            plain(
                f"feud index and feud add would make it equal to {settings.documents} again. To keep it, set: "
                f"FEUD_DOCUMENTS={source.absolute()}"
            )
        )


def shown(steps: Iterator[Progress] | Iterator[Progress | Report]) -> Iterator[Progress | Report]:
    """The steps of long work, shown as progress bars on the way."""
    columns = (TextColumn("{task.description:18}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    tasks: dict[str, TaskID] = {}
    errors = Console(file=sys.stderr)
    with Bars(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bars:
        for step in steps:
            if isinstance(step, Progress):
                if step.stage not in tasks:
                    tasks[step.stage] = bars.add_task(WORDS[step.stage])
                bars.update(tasks[step.stage], completed=step.done, total=step.total)
            yield step


def add(settings: Settings, paths: list[Path]) -> None:
    """Copy files into the documents folder, then index. Nothing is copied if one of them can't be."""
    _seed(settings)
    copy(settings, paths)
    index(settings)


def remove(settings: Settings, names: list[str]) -> None:
    """Move documents out of the folder, where they can be added again, then index."""
    for name, kept in take(settings, *names):
        print(plain(f"removed {name}; bring it back with: feud add {kept}"))
    index(settings)


def listed(settings: Settings, as_json: bool) -> None:
    """Print the documents of the index and the files that could not become one."""
    library = Library(settings, shown=anew).latest()
    others = aside(settings)
    if as_json:
        documents = [described(document) for document in library.documents]
        told = [{"id": o.id, "outcome": o.outcome, "detail": o.detail} for o in others]
        print(json.dumps({"documents": documents, "others": told}, ensure_ascii=False, indent=2))
        return
    table = Table(
        "document", "title", "languages", "publisher", "published", "passages", box=None, header_style="bold"
    )
    held = Counter(passage.document.id for passage in library.passages)
    for d in library.documents:
        cells = (d.id, d.title, " ".join(d.languages), d.publisher, date(d.published), str(held[d.id]))
        table.add_row(*(Text(plain(cell)) for cell in cells))
    Console(highlight=False).print(table)
    for o in others:
        print(plain(f"{o.id}: {o.outcome}, {o.detail}"))


def explained(settings: Settings, name: str) -> None:
    """Print one document with what was kept and what was left out, and why."""
    document = next((d for d in Library(settings, shown=anew).latest().documents if d.id == name), None)
    if document is None:
        raise LibraryError(f"There is no document {name!r} in the index. See: feud list")
    console = Console(highlight=False)
    for segment, text in explain(document):
        if not text.strip():
            continue
        label = (
            f"{segment.kind} {segment.language}" if segment.kind != "noise" else f"left out: {segment.reason}"
        )
        style = {"article": "green", "heading": "cyan", "noise": "red"}[segment.kind]
        console.print(Text(f"── {segment.start}–{segment.end} {label}", style=style))
        for line in text.strip("\r\n").splitlines():
            console.print(Text(plain(line), style="dim" if segment.kind == "noise" else ""), soft_wrap=True)


def disagreements(settings: Settings, as_json: bool) -> None:
    """Print what the documents tell differently: every version with its source, in the order of time."""
    found = Library(settings, shown=anew).latest()
    errors = Console(file=sys.stderr)
    sentences = track(
        found.sentences, "Comparing", console=errors, transient=True, disable=not errors.is_terminal
    )
    differing = differences(sentences, found)
    if as_json:
        print(json.dumps(points(differing), ensure_ascii=False, indent=2))
        return
    for versions in differing:
        for number, sentence in enumerate(versions, 1):
            for line in cited_words(Citation(number, (sentence,))):
                print(plain(line))
        print()
    print(f"{len(differing)} points on which the documents differ, as far as numbers and dates show.")


def dated(settings: Settings, as_json: bool) -> None:
    """Print what the documents date, in the order of time, each with its source and what tells it otherwise."""
    found = Library(settings, shown=anew).latest()
    events = disputed(timeline(found.sentences), found)
    if as_json:
        print(json.dumps(happened(events), ensure_ascii=False, indent=2))
        return
    numbers = count(1)
    for event in events:
        other = f" or {event.until}" if event.until else ""
        print(f"{event.value} (year not printed, inferred)" if event.assumed else f"{event.value}{other}")
        for place, sentence in enumerate((event.sentence, *event.otherwise)):
            if place == 1:
                print("    told otherwise:")
            for line in cited_words(Citation(next(numbers), (sentence,))):
                print(plain(line))


def _seed(settings: Settings) -> None:
    """Put the shipped documents into a new home; a folder of the reader's own is never filled."""
    if settings.documents == settings.home / "documents" and seed(settings.documents):
        print(f"The shipped documents are now in {settings.documents}.")


def _print_report(report: Report, english: bool) -> None:
    for outcome in report.outcomes:
        detail = f" ({outcome.detail})" if outcome.detail else ""
        print(plain(f"{outcome.outcome:12}{outcome.id}{detail}"))
    _print_generation(report)
    if report.waiting and not english:
        print(
            f"{report.waiting} sentences are not in English yet, which would help to find them. feud serve "
            "puts them into English while nobody asks; feud index --english does it now."
        )


def _print_generation(report: Report) -> None:
    state = "is new" if report.published else "is unchanged"
    held = {"document": report.documents, "passage": report.passages, "sentence": report.sentences}
    counts = ", ".join(counted(number, noun) for noun, number in held.items())
    print(f"Generation {report.generation} {state}: {counts}, {counted(report.embedded, 'text')} embedded.")


def _there(embedder: str) -> Embedder:
    """The embedder of that name on a node, from its own model store, with its own key."""
    return open_embedder(replace(Settings.from_env(), embedder=embedder))
