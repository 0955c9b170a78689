"""`feud eval`: ask the known questions, measure the answers, keep the run and show the report."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

Which = Literal["dev", "test", "all"]
Pools = Literal["feud", "xquad", "news", "all"]
app = typer.Typer(invoke_without_command=True, help="Ask known questions and measure the answers.")


@app.callback()
def run(
    context: typer.Context,
    split: Annotated[Which, typer.Option(help="Which cases.")] = "dev",
    pool: Annotated[
        Literal["feud", "news", "changed"],
        typer.Option(help="The shipped documents, NTREX news, or such with other numbers."),
    ] = "feud",
    sample: Annotated[int, typer.Option(min=0, help="Only so many cases, spread over the kinds.")] = 0,
    extractive: Annotated[bool, typer.Option("--extractive", help="The baseline without a model.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Keep the run here; an interrupted one goes on.")] = None,
    against: Annotated[Path | None, typer.Option(help="Compare with the run in this folder.")] = None,
) -> None:
    """Exit code 0: measured. It says how good the answers are, not whether that is enough."""
    if context.invoked_subcommand:
        return
    from rich.console import Console
    from rich.progress import track

    from eval.case import Split, load, spread
    from eval.changed import changed
    from eval.pools import news
    from eval.report import render, render_comparison, write_report
    from eval.retrieval_report import pool_index
    from eval.runner import evaluate, run_folder
    from eval.summary import compare, read_run, summarise
    from eval.unseen import unseen
    from rag.assistant import Assistant
    from rag.opening import open_assistant, open_llm
    from rag.settings import Settings

    earlier = read_run(against) if against else None
    settings, errors = Settings.from_env(), Console(file=sys.stderr)
    splits = get_args(Split) if split == "all" else [split]
    if pool == "feud":
        cases = [case for case in load() if case.split in splits]
        assistant = open_assistant(settings, extractive)
    else:
        texts = news()
        if pool == "changed":
            texts, cases = changed(texts, splits)
        else:
            cases = [case for each in splits for case in unseen(texts, each)]
        index = pool_index(settings, texts, errors)
        assistant = Assistant(lambda: index, None if extractive else open_llm(settings))
    cases = spread(cases, sample) if sample else cases
    named = split if pool == "feud" else f"{pool}-{split}"
    folder = folder or run_folder(settings.home, named, datetime.now())
    asked = evaluate(assistant, cases, assistant.latest().documents, folder)
    rows = list(track(asked, f"{len(cases)} cases", total=len(cases), console=errors))
    summary = summarise(rows, folder.name)
    comparison = compare(earlier, summary) if earlier else None
    console = Console(highlight=False)
    console.print(render(summary))
    if comparison:
        console.print(render_comparison(comparison))
    print(f"Report: {write_report(summary, folder, comparison)}")


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
def answers(
    split: Annotated[Which, typer.Option(help="Which cases.")] = "dev",
    sample: Annotated[int, typer.Option(min=0, help="Only so many cases, spread over the kinds.")] = 0,
    folder: Annotated[Path | None, typer.Option(help="Keep the runs here; interrupted ones go on.")] = None,
) -> None:
    """Ask plainer programs the same cases, and show what each part of the road gives."""
    from eval.answers import measure
    from eval.case import load, spread
    from eval.runner import run_folder
    from rag.opening import Library, open_llm
    from rag.settings import Settings

    settings = Settings.from_env()
    cases = [case for case in load() if split in ("all", case.split)]
    folder = folder or run_folder(settings.home, f"answers-{split}", datetime.now())
    measure(Library(settings).latest, open_llm(settings), spread(cases, sample) if sample else cases, folder)


@app.command()
def attacks(
    sample: Annotated[int, typer.Option(min=0, help="Only so many of the 675 trials.")] = 0,
) -> None:
    """Plant orders to the model into news, and count the answers that follow them; beside a plain prompt."""
    from eval.attacks import measure
    from rag.settings import Settings

    measure(Settings.from_env(), sample)


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
def speed(
    split: Annotated[Which, typer.Option(help="Which cases.")] = "dev",
    sample: Annotated[int, typer.Option(min=0, help="Only so many cases, spread over the kinds.")] = 24,
    users: Annotated[int, typer.Option(min=1, help="How many ask at once.")] = 4,
) -> None:
    """Measure how long readers wait, warm and cold, and how much memory it takes."""
    from eval.case import load, spread
    from eval.speed import measure
    from rag.settings import Settings

    cases = [case for case in load() if split in ("all", case.split)]
    measure(Settings.from_env(), spread(cases, sample) if sample else cases, users)
