"""A conversation as the page holds it: frozen values, and one `Session` per browser that holds the newest."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

from index import EVERYTHING, Filter
from rag import Answer, Citation, Turn

KEPT = 30  # exchanges on the page and in memory; older ones scroll away for good


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and the newest snapshot of its answer.

    `number` counts the questions of a session from 1. `over` says why no more snapshots will come: "" while
    they still may, else "done", "stopped" by the reader, or "broken" by a fault or a full queue. `where` is
    what its reader narrowed the search to, `told` what citations say in the reader's language, by number, where
    that was asked for: "" where no translation came.
    """

    number: int
    question: str
    answer: Answer | None = None
    over: str = ""
    where: Filter = EVERYTHING
    told: Mapping[int, str] = field(default_factory=dict)

    def citation(self, number: object) -> Citation | None:
        """Return a citation of the answer by its number, which comes from a browser."""
        citations = self.answer.citations if self.answer else ()
        return next((citation for citation in citations if citation.number == number), None)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Exchanges, oldest first; only the last may be unfinished. `asked` is the number of the last question."""

    exchanges: tuple[Exchange, ...] = ()
    asked: int = 0

    @property
    def running(self) -> bool:
        return bool(self.exchanges) and not self.exchanges[-1].over

    @property
    def turns(self) -> tuple[Turn, ...]:
        """What was asked and answered before the last question, for understanding a follow-up."""
        earlier = self.exchanges[:-1]
        return tuple(e.answer.turn for e in earlier if e.answer and e.over == "done")

    def ask(self, question: str, where: Filter = EVERYTHING) -> "Conversation":
        """Return the conversation with a new question, unchanged while another is being answered."""
        if self.running:
            return self
        number = self.asked + 1
        return Conversation((*self.exchanges, Exchange(number, question, where=where))[-KEPT:], number)

    def show(self, number: int, answer: Answer | None) -> "Conversation":
        """Return the conversation with `answer` as the newest snapshot of its running exchange.

        A snapshot that comes late, for an exchange that is over or gone, changes nothing.
        """
        if answer is None or not self.running or self.exchanges[-1].number != number:
            return self
        over = "" if answer.status in ("searching", "writing") else "done"
        return self._with_last(replace(self.exchanges[-1], answer=answer, over=over))

    def end(self, over: str) -> "Conversation":
        """Return the conversation with its last exchange ended, unchanged if it already was."""
        return self._with_last(replace(self.exchanges[-1], over=over)) if self.running else self

    def tell(self, exchange: Exchange, citation: int, told: str) -> "Conversation":
        """Return the conversation with a translation of a citation of this exchange, if it is still in it."""
        changed = [
            replace(e, told={**e.told, citation: told}) if e.answer is exchange.answer else e
            for e in self.exchanges
        ]
        return replace(self, exchanges=tuple(changed))

    def exchange(self, number: object) -> Exchange | None:
        """Return the exchange with this number, None where there is none: the number comes from a browser."""
        return next((e for e in self.exchanges if e.number == number), None)

    def _with_last(self, exchange: Exchange) -> "Conversation":
        return replace(self, exchanges=(*self.exchanges[:-1], exchange))


def turns_of(messages: Iterable[tuple[str, str]]) -> list[Turn]:
    """Pair the messages of a conversation, (role, text): each of the user's with the assistant's after it.

    >>> turns_of([("system", "Be brief."), ("user", "Who?"), ("assistant", "Musk."), ("user", "Why?")])
    [Turn(question='Who?', answer='Musk.'), Turn(question='Why?', answer='')]
    """
    turns: list[Turn] = []
    for role, text in messages:
        if role == "user":
            turns.append(Turn(text, ""))
        elif role == "assistant" and turns:
            turns[-1] = replace(turns[-1], answer=text)
    return turns


class Session:
    """The conversation of one browser session. Events and a running answer change it from several threads."""

    def __init__(self) -> None:
        self._lock, self._keeping = Lock(), Lock()
        self._claimed = 0
        self.conversation = Conversation()
        self.kept = "", 0  # its name and version in the archive
        self.language = "en"  # of the interface
        self.sent = 0.0  # when its last question came, by the monotonic clock
        self.measuring: object | None = None  # the short run of known questions that its page shows
        self.measured = 0  # of its questions that are answered

    def __deepcopy__(self, memo: dict[int, Any]) -> "Session":
        return Session()  # Gradio copies the initial value for each browser session

    def change(self, step: Callable[[Conversation], Conversation]) -> Conversation:
        """Replace the conversation by what `step` makes of it and return that."""
        with self._lock:
            self.conversation = step(self.conversation)
            return self.conversation

    def take_up(self, conversation: Conversation, kept: tuple[str, int] = ("", 0)) -> Conversation:
        """Go on with another conversation; the numbers go on, so that nothing late fits a new exchange."""
        with self._keeping, self._lock:
            self.kept = kept
            self.conversation = replace(conversation, asked=max(conversation.asked, self.conversation.asked))
            return self.conversation

    def let_go(self, name: str) -> bool:
        """Begin anew if the conversation is the one of that name, which was deleted; return whether it was."""
        with self._keeping, self._lock:
            if left := self.kept[0] == name:
                self.kept = "", 0
                self.conversation = Conversation(asked=self.conversation.asked)
            return left

    def keep(self, keeping: Callable[[str, int, Conversation], tuple[str, int]]) -> None:
        """Let `keeping` keep the conversation, which returns its name and version for the next time."""
        with self._keeping:
            self.kept = keeping(*self.kept, self.conversation)

    def claim(self) -> Exchange | None:
        """Return the exchange that waits for an answer, to one caller only; None where none waits."""
        with self._lock:
            if not self._waits():
                return None
            self._claimed = self.conversation.asked
            return self.conversation.exchanges[-1]

    def lose(self) -> Conversation:
        """End the exchange that waits for an answer, if one does: none will come."""
        with self._lock:
            if self._waits():
                self.conversation = self.conversation.end("broken")
            return self.conversation

    def _waits(self) -> bool:
        return self.conversation.running and self._claimed != self.conversation.asked
