"""`feud eval`: ask the known questions, measure the answers, keep the run and show the report."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from corpus import Document
    from eval.case import Case

Which = Literal["dev", "test", "all"]
Pools = Literal["feud", "xquad", "news", "all"]
app = typer.Typer(invoke_without_command=True, help="Ask known questions and measure the answers.")


@app.callback()
def run(
    context: typer.Context,
    cases: Annotated[
        Path | None, typer.Option(help="Your own cases: a file or a folder of them; see feud eval template.")
    ] = None,
    split: Annotated[Which | None, typer.Option(help="Which cases; of your own all, else dev.")] = None,
    pool: Annotated[
        Literal["feud", "news", "changed"],
        typer.Option(help="The shipped documents, NTREX news, or such with other numbers."),
    ] = "feud",
    sample: Annotated[int, typer.Option(min=0, help="Only so many cases, spread over the kinds.")] = 0,
    extractive: Annotated[bool, typer.Option("--extractive", help="The baseline without a model.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Keep the run here; an interrupted one goes on.")] = None,
    compare: Annotated[
        str, typer.Option("--compare", "--against", help="Compare with this run: its folder, or its name.")
    ] = "",
    fail_below: Annotated[
        list[str] | None, typer.Option(metavar="MEASURE=VALUE", help="End with 4 if its mean is lower.")
    ] = None,
    fail_above: Annotated[
        list[str] | None, typer.Option(metavar="MEASURE=VALUE", help="End with 4 if its mean is higher.")
    ] = None,
    fail_worse: Annotated[
        bool, typer.Option("--fail-worse", help="End with 4 if a share is worse than the run compared with.")
    ] = False,
) -> None:
    """Exit code 0: measured; 4: measured, and not as good as the --fail options ask for."""
    if context.invoked_subcommand:
        return
    from rich.console import Console
    from rich.progress import track

    from eval.bounds import BoundError, NotEnoughError, bound, missed, worse
    from eval.case import Split, spread
    from eval.casefile import FOLDER, load
    from eval.changed import changed
    from eval.pools import news
    from eval.report import render, render_comparison, write_report
    from eval.retrieval_report import pool_index
    from eval.runner import evaluate, kept_run, run_folder
    from eval.summary import compare as compared
    from eval.summary import read_run, summarise
    from eval.unseen import unseen
    from rag.assistant import Assistant
    from rag.opening import open_assistant, open_llm
    from rag.settings import Settings

    settings, errors = Settings.from_env(), Console(file=sys.stderr)
    bounds = [bound(text, "below") for text in fail_below or ()]
    bounds += [bound(text, "above") for text in fail_above or ()]
    if fail_worse and not compare:
        raise BoundError("--fail-worse compares with another run. Name it: --compare RUN")
    earlier = read_run(kept_run(settings.home, compare)) if compare else None
    split = split or ("all" if cases else "dev")
    splits = get_args(Split) if split == "all" else [split]
    if pool == "feud":
        asked = [case for case in load(cases or FOLDER) if case.split in splits]
        assistant = open_assistant(settings, extractive)
        if cases:
            _hold(cases, asked, assistant.latest().documents)
    else:
        texts = news()
        if pool == "changed":
            texts, asked = changed(texts, splits)
        else:
            asked = [case for each in splits for case in unseen(texts, each)]
        index = pool_index(settings, texts, errors)
        assistant = Assistant(lambda: index, None if extractive else open_llm(settings))
    asked = spread(asked, sample) if sample else asked
    named = cases.stem if cases else split if pool == "feud" else f"{pool}-{split}"
    folder = folder or run_folder(settings.home, named, datetime.now())
    rows = evaluate(assistant, asked, assistant.latest().documents, folder)
    bar = track(rows, f"{len(asked)} cases", total=len(asked), console=errors, disable=not errors.is_terminal)
    summary = summarise(bar, folder.name)
    comparison = compared(earlier, summary) if earlier else None
    console = Console(highlight=False)
    console.print(render(summary))
    if comparison:
        console.print(render_comparison(comparison))
    print(f"Report: {write_report(summary, folder, comparison)}")
    short = [*missed(bounds, summary), *(worse(comparison) if comparison and fail_worse else ())]
    if short:
        raise NotEnoughError(f"{'; '.join(short)}.")


@app.command()
def check(
    cases: Annotated[Path, typer.Argument(help="A file of cases, or a folder of them.")],
) -> None:
    """Hold a file of cases against the documents of the index, without asking anything."""
    from eval.casefile import load
    from rag.opening import Library
    from rag.settings import Settings

    read = load(cases)
    _hold(cases, read, Library(Settings.from_env()).latest().documents)
    print(f"{len(read)} cases, nothing wrong with them.")


@app.command()
def template(
    what: Annotated[
        Literal["cases", "workflow"], typer.Argument(help="Cases, or a GitHub Actions workflow for them.")
    ] = "cases",
) -> None:
    """Print a commented file to begin with: feud eval template > cases.toml"""
    name = {"cases": "cases.toml", "workflow": "workflow.yml"}[what]
    sys.stdout.write((Path(__file__).parent / "examples" / name).read_text(encoding="utf-8"))


@app.command()
def news(
    sample: Annotated[int, typer.Option(min=0, help="Only so many documents.")] = 0,
) -> None:
    """Put other documents into an empty folder, to try feud on: news in six languages. Index them then."""
    from eval.demo import lay_out
    from eval.pools import news
    from rag.settings import Settings

    settings = Settings.from_env()
    done = lay_out(settings, news(), sample)
    print(f"{done.documents} of {done.of} news documents are in {settings.documents} (NTREX, CC BY-SA 4.0).")
    print("Index them: feud index. Then ask, for instance:")
    for query in done.questions:
        print(f"  {query.text}")


@app.command()
def retrieval(
    pool: Annotated[Pools, typer.Option(help="Which texts: the cases' own, XQuAD-R, NTREX news.")] = "all",
    split: Annotated[Which, typer.Option(help="Which of the cases.")] = "all",
    sample: Annotated[int, typer.Option(min=0, help="Only so many questions a pool.")] = 0,
    extractive: Annotated[bool, typer.Option("--extractive", help="Follow-ups without a model.")] = False,
) -> None:
    """Measure the search alone, as shipped and with parts of the ranking taken away."""
    from eval.retrieval_report import measure
    from rag.settings import Settings

    measure(Settings.from_env(), pool, None if split == "all" else split, sample, extractive)


@app.command()
def judge(
    split: Annotated[
        Literal["dev", "test"], typer.Option(help="Which cases, and which half of NTREX.")
    ] = "dev",
    sample: Annotated[int, typer.Option(min=0, help="Only so many questions of each.")] = 0,
) -> None:
    """Measure whether the probabilities that sentences answer come true."""
    from eval.judgement import measure
    from rag.settings import Settings

    measure(Settings.from_env(), split, sample)


@app.command()
def written(
    sample: Annotated[int, typer.Option(min=0, help="Only so many of the 63 sentences.")] = 0,
) -> None:
    """Put true and false sentences of the model, told apart by hand, before the checks."""
    from eval.written import measure
    from rag.settings import Settings

    measure(Settings.from_env(), sample)


@app.command()
def answers(
    split: Annotated[Which, typer.Option(help="Which cases.")] = "dev",
    sample: Annotated[int, typer.Option(min=0, help="Only so many cases, spread over the kinds.")] = 0,
    folder: Annotated[Path | None, typer.Option(help="Keep the runs here; interrupted ones go on.")] = None,
) -> None:
    """Ask plainer programs the same cases, and show what each part of the road gives."""
    from eval.answers import measure
    from eval.case import spread
    from eval.casefile import load
    from eval.runner import run_folder
    from rag.opening import Library, open_llm
    from rag.settings import Settings

    settings = Settings.from_env()
    cases = [case for case in load() if split in ("all", case.split)]
    folder = folder or run_folder(settings.home, f"answers-{split}", datetime.now())
    measure(Library(settings).latest, open_llm(settings), spread(cases, sample) if sample else cases, folder)


@app.command()
def attacks(
    sample: Annotated[int, typer.Option(min=0, help="Only so many of the 675 trials, or 135.")] = 0,
    adaptive: Annotated[bool, typer.Option("--adaptive", help="Texts that know how answers are made.")] = False,
    plain: Annotated[int, typer.Option(min=0, help="How many of them a plain prompt gets, too.")] = 60,
) -> None:
    """Plant orders to the model into news, and count the answers that follow them; beside a plain prompt."""
    from eval.attacks import measure
    from rag.settings import Settings

    measure(Settings.from_env(), sample, plain, adaptive)


@app.command()
def disagreements() -> None:
    """Measure how many numbers, changed in news told again in another language, show as disagreements."""
    from eval.differences import measure
    from rag.settings import Settings

    measure(Settings.from_env())


@app.command()
def size(
    rows: Annotated[str, typer.Option(help="How many passages, several with commas.")] = "10000,100000,1000000",
) -> None:
    """Build indexes of made-up documents, larger and larger, and measure time, memory and recall."""
    from eval.size import measure
    from rag.settings import Settings

    measure(Settings.from_env(), [int(count) for count in rows.split(",")])


@app.command()
def store(
    address: Annotated[str, typer.Argument(help="An empty one, as in milvus://localhost:19530/database.")],
    rows: Annotated[str, typer.Option(help="How many passages, several with commas.")] = "3000,10000,30000",
    sample: Annotated[int, typer.Option(min=0, help="Only so many questions of each kind.")] = 300,
) -> None:
    """Search the same documents on the disk and in a store: what is found, how soon, at which size."""
    from eval.store import measure
    from rag.settings import Settings

    measure(Settings.from_env(), address, [int(count) for count in rows.split(",")], sample)


@app.command()
def speed(
    split: Annotated[Which, typer.Option(help="Which cases.")] = "dev",
    sample: Annotated[int, typer.Option(min=0, help="Only so many cases, spread over the kinds.")] = 24,
    users: Annotated[int, typer.Option(min=1, help="How many ask at once.")] = 4,
) -> None:
    """Measure how long readers wait, warm and cold, and how much memory it takes."""
    from eval.case import spread
    from eval.casefile import load
    from eval.speed import measure
    from rag.settings import Settings

    cases = [case for case in load() if split in ("all", case.split)]
    measure(Settings.from_env(), spread(cases, sample) if sample else cases, users)


def _hold(place: Path, cases: "Sequence[Case]", documents: "Iterable[Document]") -> None:
    """Hold cases against the documents, and name each mistake in a line. Raises `CaseError`."""
    from eval.casefile import CaseError, mistakes
    from eval.tables import visible

    found = mistakes(place, cases, {document.id: document.text for document in documents})
    if found:
        *others, last = map(visible, found)
        for line in others:
            print(line, file=sys.stderr)
        count = f" (and the {len(others)} above)" if others else ""
        raise CaseError(f"{last}{count}")
