"""Prompts and the window of a model: what it can't read at once is never sent."""

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from index import build, open_index
from rag.answer import Turn
from rag.assistant import Assistant
from rag.engine import Endpoint
from rag.llm import OpenAILLM
from rag.question import LONGEST
from tests.scripted_llm import CloseEmbedder, Reply, ScriptedServer, finish, first_word
from tests.test_rag_assistant import check
from tests.torture.conftest import Rounds

WORDS = {
    "en": "the harbour was sold to a miller who never saw the lighthouse again",
    "de": "der Hafen wurde an einen Müller verkauft der den Leuchtturm nie wieder sah",
    "fr": "le port fut vendu à un meunier qui ne revit jamais le phare",
    "it": "il porto fu venduto a un mugnaio che non rivide mai il faro",
    "nl": "de haven werd verkocht aan een molenaar die de vuurtoren nooit meer zag",
    "zh": "港口 被 卖给 一个 磨坊主 他 再也 没有 见过 灯塔",
    "ja": "港 は 粉屋 に 売られ 灯台 を 二度 と 見なかった",
    "ru": "гавань была продана мельнику который больше никогда не видел маяк",
    "hi": "बंदरगाह एक चक्की वाले को बेच दिया गया जिसने फिर कभी प्रकाशस्तंभ नहीं देखा",
    "th": "ท่าเรือ ถูก ขาย ให้ คน โม่ แป้ง ซึ่ง ไม่ เคย เห็น ประภาคาร อีก เลย",
}
WINDOWS = (512, 768, 1024, 2048, 4096, 8192)


@dataclass
class Windowed(ScriptedServer):
    """A server that refuses what its window can't hold, as real ones do; to it, each sentence answers.

    A token has `bytes_each` bytes, and the template sets five tokens around each message. It tells its count to
    who asks if it `counts`.
    """

    window: int = 4096
    bytes_each: int = 3
    counts: bool = True
    overflows: list[Any] = field(default_factory=list)
    asked: int = 0

    def tokens(self, texts: list[str]) -> int:
        return sum(-(-len(text.encode()) // self.bytes_each) for text in texts)

    def answer(self, path: str, body: dict[str, Any]) -> Reply:
        if path == "/tokenize":
            told = json.dumps({"tokens": [0] * self.tokens([body["content"]])}).encode()
            return Reply((told,), 200 if self.counts else 404, "application/json")
        texts = [message["content"] for message in body["messages"]]
        self.asked += 1
        if self.tokens(texts) + 5 * len(texts) + body["max_tokens"] > self.window:
            self.overflows.append(body)
            return Reply((b'{"error": {"message": "exceeds the context"}}',), 400, "application/json")
        yes = 0.1 if texts[-1].startswith("Question: ") else 0.9  # that the lake froze answers nothing
        return Reply((first_word("Yes", Yes=yes, No=1 - yes), finish()))


def said(chosen: random.Random, language: str, characters: int, stop: str = "") -> str:
    """Words of a language up to so many characters."""
    words = WORDS[language].split()
    text = " ".join(chosen.choices(words, k=characters))
    return text[: characters - len(stop)].rstrip() + stop


@pytest.mark.parametrize("counts", [True, False])
def test_no_prompt_overflows_the_window(tmp_path: Path, rounds: Rounds, counts: bool) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    own = random.Random(rounds.seed)
    for language in WORDS:
        lines = [said(own, language, own.randint(20, 800), ".") for _ in range(12)]
        (folder / f"{language}.txt").write_text("\n".join(lines), "utf-8")
    assert list(build(folder, tmp_path / "home", CloseEmbedder()))
    index = open_index(tmp_path / "home", CloseEmbedder())
    overflows, asked, told = [], 0, dict.fromkeys(WINDOWS, 0)
    for chosen in rounds(500, 40):
        window, language = WINDOWS[rounds.done % len(WINDOWS)], chosen.choice(list(WORDS))
        history = [
            Turn(said(chosen, language, chosen.randint(5, LONGEST)), said(chosen, language, 1_500))
            for _ in range(chosen.choice([0, 0, 1, 3]))
        ]
        with Windowed(window=window, bytes_each=3 if counts else 1, counts=counts) as server:
            endpoint = Endpoint(server.base_url, "")
            llm = OpenAILLM("small", lambda endpoint=endpoint: endpoint, 2.0, 20.0, window)  # type: ignore[misc]
            asking = said(chosen, language, chosen.choice([30, 200, LONGEST]), "?")
            answer = Assistant(lambda: index, llm).ask(asking, history)
        check(answer)
        overflows += server.overflows
        asked += server.asked
        told[window] += answer.status == "answered"
        assert answer.statements or answer.status == "not_in_documents"
        assert not answer.fault or "FEUD_LLM_CONTEXT" in answer.fault
    assert overflows == []
    assert told[8192] > 0.8 * rounds.done / len(WINDOWS), told
    rounds.told = f"{asked} requests, answered by window: {told}"
