"""The chat page: a thin Gradio shell around `talk`, which makes what it shows."""

from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ui.archive import Archive
from ui.conversation import Session
from ui.examples import SHIPPED
from ui.folder import Shelf
from ui.panel import shelf_html
from ui.quality import Bench
from ui.render import intro_html, top_html
from ui.talk import Answerer, Talk, filter_words, unheard
from ui.texts import say

if TYPE_CHECKING:
    import gradio as gr

SAVED = "watch('value', () => element.querySelector('a')?.click());"
SHOWN = "watch('value', () => element.dispatchEvent(new Event('feud:source', { bubbles: true })));"


def build_page(
    answerer: Answerer,
    shelf: Shelf,
    *,
    changing: bool = False,
    archive: Archive | None = None,
    bench: Bench | None = None,
    examples: Sequence[tuple[str, str]] = SHIPPED,
    at_once: int = 1,
    waiting: int = 16,
    waited: Callable[[float], None] = unheard,
) -> "gr.Blocks":
    """Return the chat page over `answerer`.

    `shelf` has the documents that are searched; `changing` lets readers add and remove some. In the
    `archive` conversations are kept, the `bench` measures the answers. `examples` are (language, question)
    to try. `at_once` answers are made at the same time, `waiting` more questions may queue; `waited` is told
    how many seconds each did.
    """
    import gradio as gr

    talk = Talk(answerer, shelf, examples, changing, archive, bench, waited)
    documents = shelf.documents()
    plain: dict[str, Any] = {"apply_default_css": False, "js_on_load": None}

    class Page(gr.Blocks):
        def validate_inputs(self, block_fn: Any, inputs: list[Any]) -> None:
            """Refuse what an older page sends without its words, which Gradio would print."""
            try:
                super().validate_inputs(block_fn, inputs)
            except ValueError:
                raise gr.Error(
                    "This page is of another version; load it again.", print_exception=False
                ) from None

    page: gr.Blocks
    with Page(title=say("name"), analytics_enabled=False, fill_width=True) as page:
        session = gr.State(Session())
        top = gr.HTML(top_html(len(documents), archive is not None, bench is not None), elem_id="top", **plain)
        with gr.Row(elem_id="feud"):
            with gr.Column(elem_id="talk"):
                with gr.Column(elem_id="transcript"):
                    past = gr.HTML("", elem_id="past", **plain)
                    now = gr.HTML(
                        intro_html(examples), elem_id="now", **{**plain, "js_on_load": _asset("page.js")}
                    )
                with gr.Row(elem_id="composer"):
                    box = gr.Textbox(
                        label=say("question"),
                        placeholder=say("placeholder"),
                        elem_id="question",
                        max_lines=6,
                        container=False,
                        show_label=False,
                    )
                    send = gr.Button(say("send"), elem_id="send", variant="primary")
                    stop = gr.Button(say("stop"), elem_id="stop", variant="secondary")
                line = gr.HTML("", elem_id="line", **plain)
                with gr.Accordion(say("filter"), open=False, elem_id="filter") as narrow:
                    filters = [
                        gr.Dropdown(multiselect=True, **words) if "choices" in words else gr.Textbox(**words)
                        for words in filter_words(documents)
                    ]
            with gr.Column(elem_id="side"):
                volumes = gr.HTML(
                    shelf_html(documents, shelf.aside() if changing else None), elem_id="shelf", **plain
                )
                source = gr.HTML("", elem_id="source", **{**plain, "js_on_load": SHOWN})
                times = gr.HTML("", elem_id="times", **plain)
                talks = gr.HTML("", elem_id="talks", **plain)
                with gr.Column(elem_id="quality"):
                    measuring = gr.HTML(talk.measuring(session.value), elem_id="measuring", **plain)
                    runs = gr.HTML("", elem_id="runs", **plain)
                saved = gr.HTML("", elem_id="saved", **{**plain, "js_on_load": SAVED})

        def example(
            own: Session, languages: Any, publishers: Any, since: Any, until: Any, event: gr.EventData
        ) -> tuple[Any, ...]:
            place = event._data.get("example")
            known = isinstance(place, int) and 0 <= place < len(examples)
            return talk.begin(examples[place][1] if known else "", own, languages, publishers, since, until)

        def interface(own: Session, event: gr.EventData) -> Any:
            return talk.speak(own, str(event._data.get("language")))

        def cite(own: Session, event: gr.EventData) -> Any:
            html = talk.open(own, event._data)
            return gr.skip() if html is None else html

        def save(own: Session, event: gr.EventData) -> Any:
            html = talk.save(own, event._data.get("turn"), event._data.get("form"))
            return gr.skip() if html is None else html

        def translate(own: Session, event: gr.EventData) -> tuple[Any, ...]:
            return talk.translate(own, event._data.get("turn"), event._data.get("citation"))

        def reopen(own: Session, event: gr.EventData) -> tuple[Any, ...]:
            return talk.reopen(own, event._data.get("talk"))

        def kept(own: Session, event: gr.EventData) -> tuple[Any, ...]:
            return talk.talks(own, *map(event._data.get, ("do", "name", "title")))

        def dated(own: Session, event: gr.EventData) -> str:
            return talk.times(own, *map(event._data.get, ("document", "language", "first")))

        def measured(own: Session, event: gr.EventData) -> str:
            return talk.quality(own, str(event._data.get("run", "")))

        # Everything but what a model writes skips the queue: a source opens while another answer is written.
        quick: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        written: dict[str, Any] = {
            "show_progress": "hidden",
            "api_visibility": "private",
            "concurrency_limit": at_once,
            "concurrency_id": "answers",
            "trigger_mode": "multiple",  # "once" would drop a question asked while a stopped run still ends
        }
        begun = [past, now, line, box]
        for started in (
            send.click(talk.begin, [box, session, *filters], begun, **quick),
            now.example(example, [session, *filters], begun, **quick),
        ):
            run = started.success(talk.run, session, now, **written)
            run.failure(talk.lose, session, now, **quick)
        stop.click(talk.stop, session, now, **quick)
        now.listen(lambda: None, show_progress="hidden", api_visibility="private")
        now.fresh(talk.fresh, session, [*begun, source], **quick)
        now.cite(cite, session, source, **quick)
        now.reopen(reopen, session, [*begun, source], **quick)
        now.talks(kept, session, [talks, past, now], **quick)
        now.times(dated, session, times, **quick)
        now.quality(measured, session, runs, **quick)
        now.measure(talk.measure, session, [measuring, runs], **{**written, "concurrency_id": "runs"})
        now.halt(talk.halt, session, measuring, **quick)
        now.save(save, session, saved, **quick)
        now.translate(translate, session, [past, now, line], **written)
        held = [top, volumes, times]
        now.interface(
            interface, session, [*held, measuring, runs, *begun, send, stop, narrow, *filters], **quick
        )
        now.shelved(talk.shelved, [session, *filters], [*held, *filters], **quick)
    page.queue(max_size=waiting, api_open=False)
    return page


def _asset(name: str) -> str:
    return files("ui").joinpath(name).read_text(encoding="utf-8")
