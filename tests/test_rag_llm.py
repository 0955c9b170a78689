"""The client of a language model, against a server that does what servers do on bad days."""

import time
from collections.abc import Iterator, Sequence

import pytest

from rag.engine import Endpoint
from rag.errors import LLMError
from rag.llm import Message, OpenAILLM, Piece
from rag.settings import Settings
from tests.scripted_llm import CUT, DONE, Reply, ScriptedServer, event, finish, first_word, text, usage

KEY = "sk-canary-4f1e"
PROMPT = [Message("system", "Be short."), Message("user", "Qui a bâti la tour ?")]
ALL = (text("La tour "), text("est haute."), finish(), usage(12, 5), DONE)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


def llm(server: ScriptedServer, first: float = 5.0, total: float = 10.0, key: str = KEY) -> OpenAILLM:
    return OpenAILLM("small", lambda: Endpoint(server.base_url, key), first, total)


def failure(model: OpenAILLM) -> tuple[list[Piece], str, float]:
    """What arrived, the one line of the error, and the seconds until then."""
    arrived: list[Piece] = []
    started = time.monotonic()
    with pytest.raises(LLMError) as caught:
        arrived.extend(model.stream(PROMPT, 40))
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 320
    assert "small" in message
    assert caught.value.exit_code == 3
    return arrived, message, time.monotonic() - started


def test_the_pieces_arrive_and_the_tokens_are_counted(server: ScriptedServer) -> None:
    server.reply = Reply(ALL)
    assert list(llm(server).stream(PROMPT, 40)) == [
        Piece("La tour "),
        Piece("est haute."),
        Piece("", 12, 5),
    ]
    [request] = server.requests
    assert request["path"] == "/v1/chat/completions"
    assert request["headers"]["Authorization"] == f"Bearer {KEY}"
    assert request["body"]["messages"] == [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "Qui a bâti la tour ?"},
    ]
    assert (request["body"]["max_tokens"], request["body"]["temperature"]) == (40, 0)


def test_a_piece_is_there_before_the_next_is_written(server: ScriptedServer) -> None:
    server.reply = Reply((text("Eins. "), 0.6, text("Zwei."), finish(), DONE))
    started = time.monotonic()
    pieces = llm(server).stream(PROMPT, 40)
    assert next(pieces).text == "Eins. "
    assert time.monotonic() - started < 0.5
    assert [piece.text for piece in pieces] == ["Zwei."]


def test_a_character_split_between_two_packets_is_whole(server: ScriptedServer) -> None:
    whole = text("ü桥🙂")
    inside = [at for at in range(len(whole)) if whole[at] & 0xC0 == 0x80]
    assert len(inside) == 6
    for cut in inside:
        server.reply = Reply((whole[:cut], whole[cut:], finish(), DONE))
        assert "".join(piece.text for piece in llm(server).stream(PROMPT, 40)) == "ü桥🙂"


BROKEN: dict[str, tuple[Reply, int]] = {
    "500": (Reply((b'{"error": {"message": "out of memory"}}',), 500, "application/json"), 0),
    "401": (Reply((f'{{"error": {{"message": "Wrong key {KEY}"}}}}'.encode(),), 401, "application/json"), 0),
    "429": (Reply((b"slow down",), 429, "text/plain"), 0),
    "html error": (Reply((b"<html><body>Bad\n gateway</body></html>",), 502, "text/html"), 0),
    "html instead of events": (Reply((b"<!doctype html>\n<p>Log in</p>\n",), 200, "text/html"), 0),
    "no json": (Reply((b"data: {oops\n\n",)), 0),
    "cut in mid-stream": (Reply((text("La "), text("tour"), CUT)), 2),
    "cut in mid-character": (Reply((text("La "), text("tour é")[:-14], CUT)), 1),
    "cut before anything": (Reply((CUT,)), 0),
    "error inside 200": (Reply((text("La "), event(error={"message": f"slot lost\nfor {KEY}"}))), 1),
    "neither end nor [DONE]": (Reply((text("La tour "), text("est"))), 2),
    "zero tokens": (Reply((finish(), usage(12, 0), DONE)), 1),
    "nothing at all": (Reply(()), 0),
    "only [DONE]": (Reply((DONE,)), 0),
    "choices of another kind": (Reply((event(choices="none"), DONE)), 0),
    "no choices": (Reply((event(choices=None), DONE)), 0),
}


@pytest.mark.parametrize(("reply", "pieces"), BROKEN.values(), ids=BROKEN)
def test_a_broken_reply_is_one_error_in_one_line(server: ScriptedServer, reply: Reply, pieces: int) -> None:
    server.reply = reply
    arrived, message, seconds = failure(llm(server))
    assert len(arrived) == pieces
    assert KEY not in message
    assert seconds < 3
    assert len(server.requests) == 1


def test_the_end_needs_no_done(server: ScriptedServer) -> None:
    server.reply = Reply((text("La tour."), finish()))
    assert [piece.text for piece in llm(server).stream(PROMPT, 40)] == ["La tour."]


def test_a_reply_that_was_cut_off_says_so(server: ScriptedServer) -> None:
    server.reply = Reply((text("La tour "), finish("length"), DONE))
    assert list(llm(server).stream(PROMPT, 40)) == [Piece("La tour "), Piece("", cut=True)]


def test_a_server_that_ignores_the_limit_is_left(server: ScriptedServer) -> None:
    server.reply = Reply([text("la ")] * 500 + [finish(), DONE])
    pieces = list(llm(server).stream(PROMPT, 40))
    assert len(pieces) == 42
    assert pieces[-1] == Piece("", cut=True)


def test_yes_is_weighed_against_no(server: ScriptedServer) -> None:
    likely = first_word("Yes", Yes=0.3, **{" yes": 0.15, "NO": 0.05, "The": 0.5})
    server.reply = Reply((likely, finish("length"), DONE))
    assert llm(server).yes(PROMPT) == pytest.approx(0.9)
    assert (server.requests[0]["body"]["top_logprobs"], server.requests[0]["body"]["max_tokens"]) == (20, 1)


@pytest.mark.parametrize(
    ("written", "probability"),
    [("Yes", 0.9), (" **No**, it", 0.1), ("yes.", 0.9), ("Nobody", None), ("Oui", None)],
)
@pytest.mark.parametrize("unknown", ["", "logprobs"])
def test_a_server_without_probabilities_is_taken_at_its_word(
    server: ScriptedServer, written: str, probability: float | None, unknown: str
) -> None:
    server.reply, server.unknown = Reply((text(written), finish("length"), DONE)), unknown
    model = llm(server)
    for _ in range(2):
        assert model.yes(PROMPT) == (None if probability is None else pytest.approx(probability))
    assert len(server.requests) == (3 if unknown else 2)  # it is asked for probabilities once


def test_another_refusal_is_no_answer_and_changes_nothing(server: ScriptedServer) -> None:
    model, server.unknown = llm(server), "messages"
    with pytest.raises(LLMError, match="unknown field"):
        model.yes(PROMPT)
    server.unknown, server.reply = "", Reply((first_word("No", Yes=0.4, No=0.1), finish("length"), DONE))
    assert model.yes(PROMPT) == pytest.approx(0.8)


DRIPS: dict[str, Sequence[bytes | float | str]] = {
    "silent before the headers": (9.0, *ALL),
    "silent after the headers": (b"", 9.0, *ALL),
    "keeps the connection alive with comments": (b": wait\n\n", 0.05) * 200,
    "only says whose turn it is": (event(choices=[{"index": 0, "delta": {"role": "assistant"}}]), 0.05) * 200,
}


@pytest.mark.parametrize("steps", DRIPS.values(), ids=DRIPS)
def test_the_first_token_has_a_deadline(server: ScriptedServer, steps: Sequence[bytes | float | str]) -> None:
    server.reply = Reply([step for step in steps if step != b""])
    arrived, message, seconds = failure(llm(server, first=0.5))
    assert [piece.text for piece in arrived if piece.text] == []
    assert "silent for 0.5 seconds" in message
    assert 0.5 <= seconds < 0.55 + 0.1  # a tenth more, and the time to notice


@pytest.mark.parametrize("drip", [(text("la "), 0.04), (b": \n\n", 0.04), (b"data: ", 0.04)], ids=repr)
def test_the_whole_reply_has_a_deadline(server: ScriptedServer, drip: tuple[bytes, float]) -> None:
    server.reply = Reply((text("La tour "), *(drip * 200)))
    arrived, message, seconds = failure(llm(server, first=2.0, total=0.6))
    assert arrived[0] == Piece("La tour ")
    assert "did not finish in 0.6 seconds" in message
    assert 0.6 <= seconds < 0.66 + 0.1


def test_nothing_listens(server: ScriptedServer) -> None:
    model = OpenAILLM("small", lambda: Endpoint("http://me:secret-word@127.0.0.1:9/v1", KEY), 2.0)
    _, message, seconds = failure(model)
    assert "http://127.0.0.1:9/v1" in message
    assert "secret-word" not in message
    assert seconds < 2.2


@pytest.mark.parametrize(
    "address", ["nonsense", "http://[::1", "ftp://127.0.0.1/v1", "http://me:pass word@h/v1"]
)
def test_an_address_that_is_none_is_an_error_in_one_line(address: str) -> None:
    _, message, _ = failure(OpenAILLM("small", lambda: Endpoint(address, KEY), 5.0))
    assert KEY not in message


@pytest.mark.parametrize("key", [KEY, f"{KEY}\n", f"{KEY}\nx", f"{KEY}é"])
def test_a_key_that_no_header_takes_is_not_shown(server: ScriptedServer, key: str) -> None:
    server.reply = Reply((f'{{"error": "no such key: {KEY}"}}'.encode(),), 401, "application/json")
    _, message, _ = failure(llm(server, key=key))
    assert "canary" not in message


def test_keys_are_not_shown_with_the_values_that_hold_them() -> None:
    settings = Settings.from_env({"FEUD_LLM_API_KEY": KEY, "FEUD_EMBEDDER_API_KEY": KEY})
    assert (settings.llm_api_key, settings.embedder_api_key) == (KEY, KEY)
    assert KEY not in repr(settings)
    assert KEY not in repr(Endpoint("http://127.0.0.1", KEY))


def test_loopback_goes_round_the_proxy_of_the_environment(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    server.reply = Reply(ALL)
    assert next(llm(server).stream(PROMPT, 40)) == Piece("La tour ")
