"""The language model behind an OpenAI-compatible endpoint, with deadlines of our own.

httpx times each read, so a server that drips outlives its timeout [1]; the openai client waits ten
minutes and tries twice more by default. Here the first token and the whole reply each have a deadline,
and nothing is tried again once a token was shown.

[1] https://www.python-httpx.org/advanced/timeouts/
"""

import math
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from rag.beginnings import Beginnings
from rag.engine import Endpoint
from rag.errors import LLMError, PromptError
from rag.window import WINDOW, fits

if TYPE_CHECKING:
    import openai


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


Prompt = Sequence[Message]

ALTERNATIVES = 20
"""First words whose probabilities are asked for; no endpoint gives more."""
PLAINLY = 0.9
"""What a Yes counts of a model that tells no probabilities; a No counts the rest."""
_CHECK_SECONDS = 5.0  # that an endpoint may take to list its models
_FIRST_WORD = 4  # tokens that the first word of a reply may take
_LOOPBACK = re.compile(r"https?://(localhost|127\.|\[::1\])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a reply. The last piece may be empty and carries the token counts, where they are known.

    `cut` tells that the reply ended at its token limit and not by itself. `likely` holds the probabilities
    of the words that might have stood here, if they were asked for.
    """

    text: str
    prompt_tokens: int = 0
    generated_tokens: int = 0
    cut: bool = False
    likely: Mapping[str, float] = field(default_factory=dict)


def ended(pieces: Iterable[Piece]) -> str:
    """Return the text of a reply that ended by itself, "" for one that was cut at its limit."""
    read = list(pieces)
    return "" if any(piece.cut for piece in read) else "".join(piece.text for piece in read)


class LLM(Protocol):
    """Writes a reply, piece by piece."""

    name: str

    def stream(self, prompt: Prompt, max_tokens: int) -> Iterator[Piece]: ...

    def yes(self, prompt: Prompt) -> float | None:
        """Return how probable a reply is that begins with Yes and not with No; None if the model won't tell."""


class OpenAILLM:
    """Any OpenAI-compatible endpoint, the embedded engine included.

    `endpoint` is called before each reply, so that a crashed engine can come back with another address.
    `window` is what the model reads at once, its reply included, in tokens.
    """

    def __init__(
        self,
        name: str,
        endpoint: Callable[[], Endpoint],
        first_token_seconds: float = 60.0,
        total_seconds: float = 120.0,
        window: int = WINDOW,
    ) -> None:
        self.name, self._endpoint = name, endpoint
        self._first_token_seconds, self._total_seconds = first_token_seconds, total_seconds
        self._window, self._tells = window, True  # the latter: probabilities
        self._beginnings, self._connecting = Beginnings(), threading.Lock()
        self._connected: tuple[Endpoint, openai.OpenAI] | None = None

    def stream(self, prompt: Prompt, max_tokens: int) -> Iterator[Piece]:
        """Yield the reply. Raises `LLMError` when it fails at any point or a deadline passes, and `PromptError`
        where the prompt and the longest reply don't fit the model's window, before anything is sent.

        The connection is read in a thread, since no timeout of a socket ends a server that drips.
        """
        yield from self._reply(prompt, max_tokens, 0)

    def yes(self, prompt: Prompt) -> float | None:
        """Return the probability of Yes against No as the first word of the reply. Raises `LLMError`.

        From an endpoint that tells no probabilities the word itself is taken: `PLAINLY`, or None for neither.
        """
        import openai

        if self._tells:
            try:
                return self._yes(prompt, 1, ALTERNATIVES)
            except LLMError as error:
                if not isinstance(error.__cause__, (openai.BadRequestError, openai.UnprocessableEntityError)):
                    raise
        said = self._yes(prompt, _FIRST_WORD, 0)
        self._tells = False  # now it is known that nothing else was wrong with the request
        return said

    def check(self) -> None:
        """Ask the endpoint which models it has, which takes none of its time. Raises `LLMError`.

        One that answers, but has no such list, may well write.
        """
        import openai

        endpoint = self._endpoint()
        try:
            self._client(endpoint).with_options(timeout=_CHECK_SECONDS).models.list()
        except Exception as error:
            if not (isinstance(error, openai.APIStatusError) and error.status_code in (404, 405, 501)):
                raise LLMError(self._failed(endpoint, error)) from error

    def _yes(self, prompt: Prompt, max_tokens: int, alternatives: int) -> float | None:
        shares, said = {"yes": 0.0, "no": 0.0}, ""
        for piece in self._reply(prompt, max_tokens, alternatives):
            said += piece.text
            for token, share in piece.likely.items():
                if (word := token.strip().casefold()) in shares:
                    shares[word] += share
        if total := sum(shares.values()):
            return shares["yes"] / total
        plain = re.match(r"\W*(yes|no)\b", said, re.IGNORECASE)
        return None if plain is None else PLAINLY if plain[1].casefold() == "yes" else 1 - PLAINLY

    def _reply(self, prompt: Prompt, max_tokens: int, alternatives: int) -> Iterator[Piece]:
        endpoint, read, left = self._endpoint(), Queue[Piece | LLMError | None](), threading.Event()
        threading.Thread(
            target=self._read, args=(endpoint, prompt, max_tokens, alternatives, read, left), daemon=True
        ).start()
        started = heard = time.monotonic()
        wrote = False
        try:
            while (piece := self._next(read, started, heard)) is not None:
                if piece.text:
                    heard, wrote = time.monotonic(), True
                yield piece
        finally:
            left.set()
        if not wrote:
            what = f"The model {self.name} at {_shown(endpoint.base_url)} wrote nothing"
            raise LLMError(f"{what}. Ask again; if it thinks before it writes, switch that off.")

    def _next(self, read: "Queue[Piece | LLMError | None]", started: float, heard: float) -> Piece | None:
        """Wait for the next piece, None after the last, as long as both deadlines allow."""
        total = started + self._total_seconds - time.monotonic()
        silent = heard + self._first_token_seconds - time.monotonic()
        try:
            piece = read.get(timeout=max(0.0, min(total, silent)))
        except Empty:
            piece = None
            if silent <= total:
                raise LLMError(
                    f"The model {self.name} was silent for {self._first_token_seconds:g} seconds. Ask again."
                ) from None
        else:
            if isinstance(piece, LLMError):
                raise piece
            if piece is None or total > 0:
                return piece
        raise LLMError(f"The model {self.name} did not finish in {self._total_seconds:g} seconds. Ask again.")

    def _read(
        self,
        endpoint: Endpoint,
        prompt: Prompt,
        max_tokens: int,
        alternatives: int,
        read: "Queue[Piece | LLMError | None]",
        left: threading.Event,
    ) -> None:
        """Put the pieces of the reply into `read`, None after the last, or the error that ended it."""
        try:
            with self._held(endpoint, prompt, left):
                for piece in () if left.is_set() else self._pieces(endpoint, prompt, max_tokens, alternatives):
                    read.put(piece)
                    if left.is_set():
                        return
        except PromptError as error:
            read.put(error)
        except Exception as error:  # a server can send anything, and the client break over it anywhere
            failed = LLMError(self._failed(endpoint, error))
            failed.__cause__ = error
            read.put(failed)
        else:
            read.put(None)

    def _held(self, endpoint: Endpoint, prompt: Prompt, left: threading.Event) -> AbstractContextManager[None]:
        if not endpoint.beginnings:
            return nullcontext()
        return self._beginnings.read(prompt, endpoint.beginnings, self._client(endpoint), self.name, left)

    def _failed(self, endpoint: Endpoint, error: Exception) -> str:
        import httpx2
        import openai

        if endpoint.embedded and isinstance(
            error, (openai.APIConnectionError, httpx2.TransportError, EOFError)
        ):
            return (
                f"The embedded engine with {self.name} ended before its answer did. Ask again: it starts anew."
            )
        return f"The model {self.name} at {_shown(endpoint.base_url)} failed: {_one_line(error, endpoint)}"

    def _pieces(
        self, endpoint: Endpoint, prompt: Prompt, max_tokens: int, alternatives: int
    ) -> Iterator[Piece]:
        import openai

        messages = cast(
            "list[openai.types.chat.ChatCompletionMessageParam]", [asdict(message) for message in prompt]
        )
        written, finished, client = 0, False, self._client(endpoint)
        if not fits(prompt, self._window - max_tokens, client, self.name):
            raise PromptError(
                f"The prompt is longer than the {self._window} tokens that {self.name} reads at once. Shorten "
                "the question, or set FEUD_LLM_CONTEXT to what the model can read."
            )
        with client.chat.completions.create(
            model=self.name,
            messages=messages,
            max_tokens=max_tokens,
            temperature=0,
            logprobs=True if alternatives else openai.omit,
            top_logprobs=alternatives or openai.omit,
            stream=True,
            stream_options={"include_usage": True},
        ) as events:
            for event in events:
                for choice in event.choices[:1]:
                    if choice.delta.content:
                        written += 1
                        yield Piece(choice.delta.content, likely=_likely(choice.logprobs))
                    finished |= bool(choice.finish_reason)
                    if choice.finish_reason == "length" or written > max_tokens:  # a piece is a token or more
                        yield Piece("", cut=True)
                if event.usage:
                    yield Piece("", event.usage.prompt_tokens, event.usage.completion_tokens)
                if written > max_tokens:
                    return
        if not finished:
            raise EOFError("the reply broke off")

    def _client(self, endpoint: Endpoint) -> "openai.OpenAI":
        """The client for an endpoint, made once, since that takes 17 ms; each call still connects anew."""
        import httpx2
        import openai

        with self._connecting:
            if self._connected is None or self._connected[0] != endpoint:
                connections = openai.DefaultHttpx2Client(
                    # a proxy of the environment is for servers elsewhere
                    trust_env=not _LOOPBACK.match(endpoint.base_url),
                    # what a server has closed meanwhile would fail the next call
                    limits=httpx2.Limits(max_keepalive_connections=0),
                )
                client = openai.OpenAI(
                    base_url=endpoint.base_url,
                    api_key=endpoint.api_key or "none",
                    timeout=openai.Timeout(self._first_token_seconds + 1, connect=5.0),
                    max_retries=0,
                    http_client=connections,
                )
                self._connected = endpoint, client
            return self._connected[1]


def _likely(logprobs: Any) -> dict[str, float]:
    """The probabilities of the words that might have stood here, where the server tells them."""
    content = getattr(logprobs, "content", None) or []
    told = [other for token in content for other in token.top_logprobs or ()]
    # min(0.0, NaN) is 0.0: no probability is more than 1
    return {str(other.token): math.exp(min(0.0, other.logprob)) for other in told}


def _one_line(error: Exception, endpoint: Endpoint) -> str:
    """The error in words, without the key, however a server or a library quotes it."""
    words = str(error) or type(error).__name__
    key = endpoint.api_key.strip()
    for secret in {key, repr(key)[1:-1]} - {""}:
        words = words.replace(secret, "…")
    return " ".join(_shown(words).split())[:200]


def _shown(address: str) -> str:
    """An address without the password in it.

    >>> _shown("https://me:secret@example.org/v1")
    'https://example.org/v1'
    """
    return re.sub(r"//[^/\s]*@", "//", address)
