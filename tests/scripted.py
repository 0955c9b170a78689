"""An assistant without a model: it replays one answer as growing snapshots over a few small documents."""

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from corpus import Document, FeudError, Passage, Published, Segment, Sentence
from corpus.document import Kind
from index import EVERYTHING, Filter, Hit, Outcome
from rag import Answer, Citation, Disagreement, Question, Statement, Timing, Turn, Version
from rag.timeline import Event
from ui.folder import Differences


def document(name: str, *pieces: tuple[str, Kind, str], **about: object) -> Document:
    """A document made of (text, kind, language) pieces, which become its segments."""
    segments, at = [], 0
    for text, kind, language in pieces:
        reason = "not the article" if kind == "noise" else ""
        segments.append(Segment(at, at + len(text), language, kind, reason))
        at += len(text)
    text = "".join(text for text, _, _ in pieces)
    return replace(Document(name, text, name, segments=tuple(segments)), **about)  # type: ignore[arg-type]


def sentence(source: Document, words: str) -> Sentence:
    """The sentence of `source` that reads `words`."""
    start = source.text.index(words)
    language = next(s.language for s in source.segments if s.start <= start < s.end)
    return Sentence(source, start, start + len(words), language)


HARBOUR = document(
    "harbour.txt",
    ("Le port de Saint-Malo\n\n", "heading", "fr"),
    ("Le nouveau quai a ouvert le 3 mai 2021. Il a coûté 12 millions d’euros. ", "article", "fr"),
    ("La mairie avait promis une ouverture en 2019.\n\n", "article", "fr"),
    ("Partager · Imprimer · S'abonner\n", "noise", "fr"),
    title="Le port de Saint-Malo",
    publisher="Le Télégramme du port",
    published=Published("2021-05-04", "day"),
    url="https://example.org/port",
    author="Anne Le Goff",
)
QUAY = document(
    "quay.txt",
    ("码头于2021年5月开放，造价1500万欧元。居民们很高兴。", "article", "zh"),
    title="圣马洛新码头",
    publisher="海港报",
    published=Published("2021-06", "month", uncertain=True, words="date 2021-06", note="The text disagrees."),
)
PIER = document(
    "pier.txt",
    ("افتتح الرصيف الجديد في مايو 2021.\r\n", "article", "ar"),
    ("قال العمدة: <b>نعم</b> & شكرا 🙂.\r\n", "article", "ar"),
)
DOCUMENTS = (HARBOUR, QUAY, PIER)


class Fixed:
    """A shelf whose documents never change."""

    def __init__(
        self,
        documents: Sequence[Document] = DOCUMENTS,
        events: Sequence[Event] = (),
        aside: Sequence[Outcome] = (),
    ) -> None:
        self._documents, self._events, self._aside = documents, events, aside

    def documents(self) -> Sequence[Document]:
        return self._documents

    def document(self, name: str) -> Document | None:
        return next((document for document in self._documents if document.id == name), None)

    def search(self, question: str, k: int, where: Filter) -> Sequence[Hit]:
        return ANSWER.hits[:k]

    def events(self) -> Sequence[Event]:
        return self._events

    def disputed(self, events: Sequence[Event]) -> Sequence[Event]:
        return events

    def differences(self) -> Differences:
        return Differences([(COST, COST_ZH)], sentences=7, compared=5)

    def aside(self) -> Sequence[Outcome]:
        return ()


OPENED = sentence(HARBOUR, "Le nouveau quai a ouvert le 3 mai 2021.")
COST = sentence(HARBOUR, "Il a coûté 12 millions d’euros.")
MAYOR_HAD_PROMISED = sentence(HARBOUR, "La mairie avait promis une ouverture en 2019.")
COST_ZH = sentence(QUAY, "码头于2021年5月开放，造价1500万欧元。")
MAYOR = sentence(PIER, "قال العمدة: <b>نعم</b> & شكرا 🙂.")
QUESTION = "When did the quay open, and what did it cost?"
ANSWER = Answer(
    Question(QUESTION, "en", QUESTION),
    "answered",
    statements=(
        Statement("The quay opened on 3 May 2021.", (1,), "verified"),
        Statement("It cost between 12 and 15 million euros, depending on the source.", (2, 3), "verified"),
    ),
    disagreements=(
        Disagreement(
            "what the quay cost",
            (Version("12 million euros", (2,)), Version("15 million euros", (3,))),
        ),
    ),
    citations=(Citation(1, (OPENED,)), Citation(2, (COST,)), Citation(3, (COST_ZH,))),
    hits=(
        Hit(Passage(HARBOUR, (OPENED, COST), "Le port de Saint-Malo"), 0.41),
        Hit(Passage(QUAY, (COST_ZH,)), 0.38),
        Hit(Passage(PIER, (MAYOR,)), 0.21),
    ),
    timing=Timing(evidence_ms=41, first_token_ms=900, total_ms=4_800),
    llm="scripted",
)


class Scripted:
    """Replays `answer`, or what `answer` makes of the question, a word at a time.

    It waits `pause` seconds before each word and, where there is one, for the gate of a step: "evidence"
    before the passages, "words" before the first word, "end" before the result. It remembers what it was
    asked and counts the runs that were closed before their end.
    """

    def __init__(
        self,
        answer: Answer | Callable[[str], Answer] = ANSWER,
        pause: float = 0.005,
        gates: Mapping[str, threading.Event] | None = None,
        error: FeudError | Exception | None = None,
    ) -> None:
        self.answer, self.pause, self.gates, self.error = answer, pause, gates or {}, error
        self.asked: list[tuple[str, tuple[Turn, ...]]] = []
        self.where = EVERYTHING
        self.closed = 0

    def stream(
        self, question: str, history: Sequence[Turn] = (), where: Filter = EVERYTHING
    ) -> Iterator[Answer]:
        self.asked.append((question, tuple(history)))
        self.where = where
        answer = self.answer(question) if callable(self.answer) else self.answer
        answer = replace(answer, question=replace(answer.question, text=question, standalone=question))
        try:
            yield from self._snapshots(answer)
        except GeneratorExit:
            self.closed += 1
            raise

    def translate(self, citation: Citation, language: str) -> str:
        return f"{citation.number} in {language}"

    def _snapshots(self, answer: Answer) -> Iterator[Answer]:
        seen = replace(
            answer,
            status="searching",
            statements=(),
            disagreements=(),
            citations=(),
            hits=(),
            notice="",
            timing=Timing(),
        )
        yield seen
        self._wait("evidence")
        seen = replace(seen, status="writing", hits=answer.hits)
        yield seen
        self._wait("words")
        if self.error:
            raise self.error
        for statement in answer.statements:
            draft = ""
            for word in statement.text.split(" "):
                time.sleep(self.pause)
                draft = f"{draft} {word}".lstrip()
                yield replace(seen, draft=draft)
            cited = {*statement.citations, *(citation.number for citation in seen.citations)}
            seen = replace(
                seen,
                statements=(*seen.statements, statement),
                citations=tuple(citation for citation in answer.citations if citation.number in cited),
            )
            yield seen
        self._wait("end")
        yield answer

    def _wait(self, step: str) -> None:
        if step in self.gates:
            self.gates[step].wait(timeout=60)


_SHARE = {"n": 3, "mean": 0.5, "low": 0.1, "high": 0.9, "median": 0.5, "p95": 1.0}
_GROUP = {
    "by": "all",
    "name": "all",
    "cases": 3,
    "measures": {"recall": _SHARE, "facts": _SHARE, "seconds": {**_SHARE, "median": 9.3}},
}


class ScriptedBench:
    """Two runs, and a short one that takes as long as its gate is closed."""

    questions = 2

    def __init__(self) -> None:
        self.gate, self.over = threading.Event(), False
        self.kept = [self._run("20210504T090000-dev", "2021-05-04T09:00:00+00:00")]

    def runs(self) -> Sequence[Mapping[str, Any]]:
        return self.kept

    def run(self, name: str) -> Mapping[str, Any] | None:
        return next((run for run in self.kept if run["name"] == name), None)

    def measure(self) -> Generator[int]:
        try:
            yield 1
            assert self.gate.wait(timeout=30)
            self.kept.insert(0, self._run("20210505T090000-short", "2021-05-05T09:00:00+00:00"))
            yield 2
        finally:
            self.over = True

    def _run(self, name: str, written: str) -> dict[str, Any]:
        words = {"document": HARBOUR.id, "start": OPENED.start, "end": OPENED.end, "quote": OPENED.text}
        case = {
            "id": "quay-1",
            "kind": "one_fact",
            "language": "nl",
            "asked": ["Wie bouwde de kade?", "En <b>wanneer</b>?"],
            "answer": "In 2019. [1]",
            "answerable": True,
            "faults": {"facts": 0.0},
            "missing": [["2021", "mei 2021"]],
            "forbidden": [],
            "cited": [],
            "gold": [words],
        }
        return {
            "name": name,
            "written": written,
            "splits": ["dev"],
            "llms": ["scripted"],
            "embedders": ["close"],
            "groups": [_GROUP, {**_GROUP, "by": "kind", "name": "one_fact"}],
            "found": [{"asked": "nl", "told": "fr", "n": 3, "mean": 0.67}],
            "risk": [(0.5, 0.0), (1.0, 0.25)],
            "seconds": [1.0, 9.3, 20.0],
            "cases": [case],
        }
