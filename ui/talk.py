"""What the page does with a conversation at each event, as HTML and as updates of its fields."""

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from corpus import Document, FeudError, Passage
from index import EVERYTHING, Filter, FilterError, filtered
from rag import Answer, Citation, Question, Turn
from rag.question import LONGEST
from ui.archive import Archive, ArchiveError
from ui.conversation import Conversation, Exchange, Session
from ui.describe import language_name
from ui.export import FORMS, download_html
from ui.folder import Shelf
from ui.panel import shelf_html, source_html, talks_html
from ui.quality import Bench, measured_html, measuring_html
from ui.render import exchange_html, intro_html, line_html, top_html
from ui.texts import nearest, say, speaking
from ui.times import times_html

EVERY = 0.08  # seconds between two snapshots in which only the draft grew: as often as an eye reads
LOG = logging.getLogger("feud.page")


class Answerer(Protocol):
    """What the page talks to: growing snapshots of an answer, the last of them final."""

    def stream(
        self, question: str, history: Sequence[Turn] = (), where: Filter = EVERYTHING
    ) -> Iterator[Answer]: ...

    def translate(self, citation: Citation, language: str) -> str:
        """Return what is cited in another language, "" where no sound translation came. Raises `FeudError`."""


def unheard(seconds: float) -> None:
    """Nobody wants to know how long a question waited."""


class Talk:
    """What the page does with a conversation at each event; what it holds is the same for all."""

    def __init__(
        self,
        answerer: Answerer,
        shelf: Shelf,
        examples: Sequence[tuple[str, str]] = (),
        changing: bool = False,
        archive: Archive | None = None,
        bench: Bench | None = None,
        waited: Callable[[float], None] = unheard,
    ) -> None:
        self.waited = waited
        self.answerer, self.shelf, self.examples = answerer, shelf, examples
        self.changing, self.archive, self.bench = changing, archive, bench

    def begin(
        self,
        question: str,
        session: Session,
        languages: Sequence[str] = (),
        publishers: Sequence[str] = (),
        since: str = "",
        until: str = "",
    ) -> tuple[Any, ...]:
        """Take a question in, or say in one line what is wrong with it and leave it in its box."""
        import gradio as gr

        with speaking(session.language):
            problem = question_problem(question) or (say("busy") if session.conversation.running else "")
            try:
                where = filtered(languages, publishers, (), since, until)
            except FilterError as error:
                problem = problem or say("unread_date", written=error.written)
            if problem:
                return gr.skip(), gr.skip(), line_html(problem), gr.skip()
            session.change(lambda held: held.ask(question.strip(), where))
            session.sent = time.monotonic()
            return self._earlier(session), self._last(session), "", ""

    def run(self, session: Session) -> Iterator[Any]:
        """Answer the question that waits; each snapshot is shown until its reader stops it.

        A `FeudError` is told in its own words; any other error is logged and told without them.
        """
        import gradio as gr

        exchange = session.claim()
        if exchange is None:  # the question was refused, or stopped while it waited
            yield gr.skip()
            return
        self.waited(time.monotonic() - session.sent)
        number, question, answer = exchange.number, exchange.question, None
        turns = session.conversation.turns
        try:
            with closing(thin(self.answerer.stream(question, turns, exchange.where))) as snapshots:
                for answer in snapshots:
                    conversation = session.change(partial(Conversation.show, number=number, answer=answer))
                    shown = conversation.exchange(number)
                    if shown is None or shown.answer is not answer or shown.over in ("stopped", "broken"):
                        break
                    yield self._said(session)
        except FeudError as error:
            failed = answer or Answer(Question(question, "und", question), "failed")
            failed = replace(failed, status="failed", draft="", notice=str(error))
            session.change(partial(Conversation.show, number=number, answer=failed))
        except Exception:
            LOG.exception("the answer to question %d of a session failed", number)
        # Gradio sends the last value once more at the end, so it has to be what stands there by then.
        session.change(lambda held: held.end("broken") if held.asked == number else held)
        self._keep(session)
        yield self._said(session)

    def lose(self, session: Session) -> str:
        """Say that no answer will come: the queue was full."""
        session.lose()
        return self._said(session)

    def stop(self, session: Session) -> str:
        """Mark the exchange as stopped by its reader."""
        session.change(lambda held: held.end("stopped"))
        return self._said(session)

    def fresh(self, session: Session) -> tuple[Any, ...]:
        """Start anew."""
        session.take_up(Conversation())
        return "", self._said(session), "", "", ""

    def translate(self, session: Session, turn: object, number: object) -> tuple[Any, ...]:
        """Put what an answer cites into the language of its question, or say why that failed."""
        import gradio as gr

        exchange = session.conversation.exchange(turn)
        cited = exchange.citation(number) if exchange else None
        if exchange is None or exchange.answer is None or cited is None:
            return gr.skip(), gr.skip(), gr.skip()
        try:
            told = self.answerer.translate(cited, exchange.answer.question.language)
        except FeudError as error:
            return gr.skip(), gr.skip(), line_html(str(error))
        session.change(lambda held: held.tell(exchange, cited.number, told))
        self._keep(session)
        with speaking(session.language):
            return self._earlier(session), self._now(session), ""

    def times(self, session: Session, document: object = "", language: object = "", first: object = 0) -> str:
        """What happened when: of one document or language or of all, a page from entry `first`."""
        with speaking(session.language):
            place = first if isinstance(first, int) else 0
            return times_html(self.shelf, str(document or ""), str(language or ""), place)

    def quality(self, session: Session, name: str = "") -> str:
        """The runs that measured the answers; the one of that name whole, or else the newest."""
        if self.bench is None:
            return ""
        with speaking(session.language):
            runs = self.bench.runs()
            return measured_html(runs, self.bench.run(name or (runs[0]["name"] if runs else "")))

    def measure(self, session: Session) -> Iterator[tuple[Any, Any]]:
        """Make a short run and show how far it is, at last what it measured; its reader may stop it."""
        import gradio as gr

        if self.bench is None:
            return
        problem = ""
        session.measuring = run = object()
        session.measured = 0
        yield self.measuring(session), gr.skip()
        try:
            with closing(self.bench.measure()) as steps:
                for done in steps:
                    if session.measuring is not run:
                        break
                    session.measured = done
                    yield self.measuring(session), gr.skip()
        except FeudError as error:
            problem = str(error)
        except Exception:
            LOG.exception("a run failed")
            with speaking(session.language):
                problem = say("unmeasurable")
        if session.measuring is run:
            session.measuring = None
            yield self.measuring(session, problem=problem), self.quality(session)
        else:  # stopped, and perhaps the next one is on; what was said last may have come after the stop
            yield gr.skip() if session.measuring else self.measuring(session), gr.skip()

    def halt(self, session: Session) -> str:
        """Stop the short run after the question that is being answered."""
        session.measuring = None
        return self.measuring(session)

    def measuring(self, session: Session, problem: str = "") -> str:
        """The head over the runs, where a short one begins or is going on."""
        done = session.measured if session.measuring else None
        with speaking(session.language):
            return measuring_html(self.bench.questions, done, problem) if self.bench else ""

    def save(self, session: Session, turn: object, form: object) -> str | None:
        """A file with a finished answer, or with all of them where no `turn` is named; None for nothing."""
        told = [e for e in session.conversation.exchanges if e.over == "done" and turn in (None, e.number)]
        answers = [exchange.answer for exchange in told if exchange.answer]
        if not answers or form not in FORMS:
            return None
        with speaking(session.language):
            name = "feud" if turn is None else f"feud-{turn}"
            return download_html(answers, FORMS[str(form)], name) + _anew()

    def speak(self, session: Session, wanted: str) -> tuple[Any, ...]:
        """Say everything in the language of the interface that suits the one that is `wanted`."""
        import gradio as gr

        session.language = nearest(wanted)
        with speaking(session.language):
            return (
                *self._shown(),
                self.measuring(session),
                "",  # the runs are read when they are looked at
                self._earlier(session),
                self._now(session),
                "",
                gr.update(label=say("question"), placeholder=say("placeholder")),
                gr.update(value=say("send")),
                gr.update(value=say("stop")),
                gr.update(label=say("filter")),
                *self._filters(),
            )

    def shelved(self, session: Session, *chosen: Any) -> tuple[Any, ...]:
        """Show the documents as they are now; what was `chosen` in the filters stays as far as it is there."""
        with speaking(session.language):
            return *self._shown(), *self._filters(chosen)

    def _shown(self) -> tuple[str, str, str]:
        """The bar, the documents, and the timeline, which is made when it is asked for."""
        documents = self.shelf.documents()
        top = top_html(len(documents), self.archive is not None, self.bench is not None)
        return top, shelf_html(documents, self.shelf.aside() if self.changing else None), ""

    def _filters(self, chosen: Sequence[Any] = ()) -> list[Any]:
        import gradio as gr

        words = filter_words(self.shelf.documents())
        for field, value in zip(words, chosen, strict=False):
            if "choices" in field:
                known = {choice if isinstance(choice, str) else choice[1] for choice in field["choices"]}
                field["value"] = [each for each in value or () if each in known]
        return [gr.update(**field) for field in words]

    def open(self, session: Session, wanted: object) -> str | None:
        """The source panel for what a browser asks to see, None where there is no such thing."""
        with speaking(session.language):
            html = self._source(session.conversation, wanted)
        return html and html + _anew()

    def _source(self, conversation: Conversation, wanted: object) -> str | None:
        if not isinstance(wanted, dict):
            return None
        if isinstance(name := wanted.get("document"), str):
            document = self.shelf.document(name)
            return source_html(document, *_span(wanted, len(document.text))) if document else None
        exchange = conversation.exchange(wanted.get("turn"))
        if exchange is None or exchange.answer is None:
            return None
        citations, hits = exchange.answer.citations, exchange.answer.hits
        cited = exchange.citation(wanted.get("citation"))
        spans: list[Citation | Passage] = [cited] if cited else []
        place = wanted.get("passage")
        if isinstance(place, int) and 0 <= place < len(hits):
            spans.append(hits[place].passage)
        if not spans:
            return None
        span = spans[0]
        others = [(c.start, c.end) for c in citations if c.document.id == span.document.id and c is not span]
        return source_html(span.document, span.start, span.end, others)

    def reopen(self, session: Session, wanted: object) -> tuple[Any, ...]:
        """Go on with a conversation that was kept, or say why that can't be."""
        import gradio as gr

        with speaking(session.language):
            problem, found = say("busy") if session.conversation.running else "", None
            try:
                found = self.archive.load(str(wanted)) if self.archive and not problem else None
            except ArchiveError as error:
                problem = str(error)
            if found is None:
                return gr.skip(), gr.skip(), line_html(problem or say("gone")), gr.skip(), gr.skip()
            session.take_up(found[0], (str(wanted), found[1]))
            return self._earlier(session), self._last(session), "", "", ""

    def talks(
        self, session: Session, do: object = "", name: object = "", title: object = ""
    ) -> tuple[Any, ...]:
        """The conversations that are kept, after one was renamed, deleted or restored, and the open one."""
        import gradio as gr

        archive, deleted, left = self.archive, None, False
        if archive is None:
            return gr.skip(), gr.skip(), gr.skip()
        with speaking(session.language):
            try:
                if do == "rename":
                    archive.rename(str(name), str(title))
                elif do == "delete":
                    deleted = next((kept for kept in archive.listed() if kept.id == name), None)
                    archive.delete(str(name))
                    left = session.let_go(str(name))
                elif do == "restore":
                    archive.restore(str(name))
                listed = talks_html(archive.listed(), deleted)
            except ArchiveError as error:
                listed = talks_html((), problem=str(error))
            return listed, *((self._earlier(session), self._last(session)) if left else (gr.skip(), gr.skip()))

    def _keep(self, session: Session) -> None:
        """Keep the conversation where that is done; that it failed is logged and shown with the list."""
        try:
            if self.archive:
                session.keep(self.archive.keep)
        except ArchiveError as error:
            LOG.warning("%s", error)

    def _earlier(self, session: Session) -> str:
        """All exchanges but the last."""
        return "".join(self._exchange(session, past) for past in session.conversation.exchanges[:-1])

    def _now(self, session: Session) -> Any:
        """The last exchange, for an event that is not its own: one that is running shows itself."""
        import gradio as gr

        return gr.skip() if session.conversation.running else self._last(session)

    def _last(self, session: Session) -> str:
        exchanges = session.conversation.exchanges
        return self._exchange(session, exchanges[-1]) if exchanges else intro_html(self.examples)

    def _exchange(self, session: Session, exchange: Exchange) -> str:
        searched = 0 if exchange.over else len(self.shelf.documents())  # said only while the search runs
        return exchange_html(exchange, searched, session.kept[0])

    def _said(self, session: Session) -> str:
        """The last exchange in the language of the session."""
        with speaking(session.language):
            return self._last(session)


def _span(wanted: Mapping[str, object], size: int) -> tuple[int, int]:
    """The part of a document that a browser asks to see marked, an empty one where it asks for none."""
    start, end = (p if isinstance(p, int) else 0 for p in (wanted.get("start"), wanted.get("end")))
    start = min(max(start, 0), size)
    return start, min(max(end, start), size)


def _anew() -> str:
    """What makes a page's value another one, so that the browser acts on it although the rest is the same."""
    return f'<i hidden data-at="{time.monotonic_ns()}"></i>'


def question_problem(question: str) -> str:
    """What keeps a question from being asked, in one line; "" if nothing does."""
    size = len(question.strip())
    if size == 0:
        return say("empty")
    return say("long", count=size, limit=LONGEST) if size > LONGEST else ""


def thin(
    snapshots: Iterable[Answer], every: float = EVERY, clock: Callable[[], float] = time.monotonic
) -> Generator[Answer]:
    """Leave out snapshots that only make the draft longer if the last one is less than `every` seconds old.

    The last of all is never left out.
    """
    answer = shown = None
    at = 0.0
    for answer in snapshots:
        grown = shown is None or (answer.status, answer.statements, answer.hits) != (
            shown.status,
            shown.statements,
            shown.hits,
        )
        if grown or clock() - at >= every:
            shown, at = answer, clock()
            yield answer
    if answer is not None and answer is not shown:
        yield answer


def filter_words(documents: Sequence[Document]) -> list[dict[str, Any]]:
    """What the fields say that narrow the search: by language, by publisher, from a day and to one."""
    codes = sorted({language for document in documents for language in document.languages})
    # What can't be printed, such as half a surrogate pair, can't be sent to a browser as a value either.
    publishers = sorted({d.publisher for d in documents if d.publisher and d.publisher.isprintable()})
    return [
        {"label": say("languages"), "choices": [(language_name(code), code) for code in codes]},
        {"label": say("publishers"), "choices": publishers},
        {"label": say("since"), "placeholder": "2024-03", "max_lines": 1},
        {"label": say("until"), "placeholder": "2025", "max_lines": 1},
    ]
