"""What a language model's server may do on the wire: cut anywhere, stall, send what is none of the protocol."""

import time
from collections.abc import Sequence

from rag.engine import Endpoint
from rag.errors import LLMError
from rag.llm import Message, OpenAILLM
from tests.scripted_llm import CUT, DONE, Reply, ScriptedServer, event, finish, text, usage
from tests.torture.conftest import Rounds

KEY = "sk-canary-77aa"
PROMPT = [Message("user", "谁建了塔？")]
TOTAL = 2.0


def llm(server: ScriptedServer) -> OpenAILLM:
    return OpenAILLM("small", lambda: Endpoint(server.base_url, KEY), 1.0, TOTAL)


def test_a_stream_cut_into_packets_anywhere(rounds: Rounds) -> None:
    words = "Der Turm – 塔 👩‍🚒 – wurde 1811 „gebaut“.\n\ndata: [DONE] é"
    whole = b"".join([*map(text, words.split(" ")), finish(), usage(9, 9), DONE])
    plain = words.replace(" ", "")
    with ScriptedServer() as server:
        model = llm(server)
        for chosen in rounds(2_000, 150):
            cuts = sorted(chosen.sample(range(1, len(whole)), chosen.randint(1, 4)))
            steps = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
            server.reply = Reply(steps)
            assert "".join(piece.text for piece in model.stream(PROMPT, 40)) == plain, cuts


HARMLESS: Sequence[bytes | float | str] = (text("La tour "), text("塔"), text(""), b": a comment\n\n", 0.02)
STEPS: Sequence[bytes | float | str] = (
    text("La tour "),
    text("塔"),
    text(""),
    finish(),
    finish("length"),
    usage(3, 3),
    usage(-1, 10**12),
    DONE,
    CUT,
    0.05,
    1.5,
    b"data: {oops\n\n",
    b"data: []\n\n",
    b"data: null\n\n",
    b"data: \xff\xfe\n\n",
    b": a comment\n\n",
    b"event: error\ndata: {}\n\n",
    b"<html>Log in</html>",
    b"\n" * 5_000,
    b"data: " + b"x" * 200_000,
    event(choices=[{"delta": {"content": 7}}]),
    event(choices=[{"delta": None}]),
    event(choices={}),
    event(error={"message": f"lost {KEY}"}),
    event(id="1", choices=[{"index": 0, "delta": {"content": "und so weiter " * 500}}]),
)
STATUSES = (200, 200, 200, 200, 204, 301, 400, 401, 403, 404, 429, 500, 502, 503, 529)


def test_scripts_of_a_bad_server(rounds: Rounds) -> None:
    """Every third script is of a good one, and must come through."""
    told: list[str] = []
    with ScriptedServer() as server:
        model = llm(server)
        for chosen in rounds(300, 40):
            good = rounds.done % 3 == 0
            kind = "text/event-stream" if good else chosen.choice(["text/event-stream", "text/html"])
            steps = chosen.choices(HARMLESS if good else STEPS, k=chosen.randint(0, 6))
            server.reply = Reply([text("Un "), *steps, finish(), DONE] if good else steps, 200, kind)
            if not good:
                server.reply.status = chosen.choice(STATUSES)
            before, began, failed = len(server.requests), time.monotonic(), len(told)
            try:
                pieces = list(model.stream(PROMPT, 40))
            except LLMError as error:
                told.append(str(error))
            else:
                assert any(piece.text for piece in pieces), server.reply
            assert time.monotonic() - began < 1.1 * TOTAL + 0.2, server.reply
            assert len(server.requests) == before + 1, server.reply
            assert not good or len(told) == failed, (told[-1], server.reply)
    assert [line for line in told if KEY in line or "\n" in line or len(line) > 400] == []
    rounds.told = f"{len(told)} were told as errors"
