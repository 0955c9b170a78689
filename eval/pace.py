"""Tokens a second that the engine reads and writes, and that the embedder reads, beside the limits."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import httpx2
import numpy as np
import torch

from eval.machine import arithmetic, bandwidth
from index import Index, ModelStore
from index.embedder import Matrix, SentenceTransformerEmbedder
from rag.engine import Engine
from rag.prompt import answering
from rag.question import understand
from rag.settings import Settings

WRITTEN = 48  # tokens a reply
ROUNDS = 3  # of embedding the same passages with each
_PATIENCE = 300  # seconds for one reply


@dataclass(frozen=True, slots=True)
class Pace:
    """Units a second, one number a trial, and the most that the machine allows, where that is known."""

    name: str
    values: Sequence[float]
    limit: float | None = None


def engine_pace(settings: Settings, index: Index, questions: Sequence[str]) -> list[Pace]:
    """Let an engine of its own read whole prompts and write; none for an endpoint of somebody else's.

    The first prompt is read by an engine that has just started, the others by a warm one.
    """
    if settings.llm_base_url:
        return []
    store = ModelStore(settings.models)
    engine = Engine(lambda: store.find(settings.llm_model))
    endpoint = engine.endpoint()
    with httpx2.Client(
        headers={"Authorization": f"Bearer {endpoint.api_key}"}, timeout=_PATIENCE, trust_env=False
    ) as client:
        model = client.get(f"{endpoint.base_url}/models").json()["data"][0]["meta"]
        timings: list[dict[str, Any]] = []
        for number, question in enumerate(questions):
            sentence = index.sentences[number * 7 % len(index.sentences)]
            prompt = answering(understand(question, (), None), sentence, None)
            asked = {
                "messages": [asdict(message) for message in prompt],
                "max_tokens": WRITTEN,
                "temperature": 0,
                "ignore_eos": True,
                "cache_prompt": False,
            }
            reply = client.post(f"{endpoint.base_url}/chat/completions", json=asked).raise_for_status()
            timings.append(reply.json()["timings"])
    engine.stop()
    read = [timing["prompt_per_second"] for timing in timings]
    wrote = [timing["predicted_per_second"] for timing in timings]
    reads = arithmetic(torch.int8) / (2 * model["n_params"])  # llama.cpp reads prompts in numbers of 8 bits
    return [
        Pace("prompt, engine just started", read[:1], reads),
        Pace("prompt", read[1:], reads),
        Pace("written", wrote, bandwidth() / model["size"]),
    ]


def embedding_pace(
    embedder: SentenceTransformerEmbedder, texts: Sequence[str]
) -> tuple[list[Pace], list[float], float]:
    """Embed the texts by plain sentence-transformers and by the embedder, in turns.

    Returns both paces in tokens a second, how many times as fast each round was, and the least cosine.
    """
    from sentence_transformers import SentenceTransformer

    plain = SentenceTransformer(str(embedder.folder), device="cpu", local_files_only=True)

    def plainly() -> Matrix:
        return plain.encode_document(list(texts), show_progress_bar=False, normalize_embeddings=True)

    def ours() -> Matrix:
        return embedder.embed_passages(texts)

    ways = (plainly, ours)
    vectors = [way() for way in ways]
    tokens = sum(len(plain.tokenizer(text)["input_ids"]) for text in texts)
    paces: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        for way, values in zip(ways, paces, strict=True):
            started = time.perf_counter()
            way()
            values.append(tokens / (time.perf_counter() - started))
    weights = sum(layer.weight.numel() for layer in plain.modules() if isinstance(layer, torch.nn.Linear))
    limits = [arithmetic(kind) / (2 * weights) for kind in (torch.float32, torch.bfloat16)]
    names = ("sentence-transformers, float32", "passages, feud")
    found = [Pace(name, values, most) for name, values, most in zip(names, paces, limits, strict=True)]
    return found, [b / a for a, b in zip(*paces, strict=True)], float(np.vecdot(*vectors).min())
