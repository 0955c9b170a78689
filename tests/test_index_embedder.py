"""Embedders: a small random sentence-transformers model, an endpoint on loopback, and the real model."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from index.embedder import Embedder, SentenceTransformerEmbedder
from index.endpoint import EndpointEmbedder
from index.models import ModelStore
from index.named import embedder_named
from index.pinned import E5, ModelError
from index.unpack import unpack
from rag.settings import Settings
from tests import e5_file
from tests.fakes import HashEmbedder

TEXTS = ["musk sued openai", "open", "musk musk musk", "é", "sued sued ai", "", "ai open"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return e5_file.unpacked(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def tiny(folder: Path) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(folder)


def test_rows_are_unit_vectors_in_the_order_of_the_texts(tiny: SentenceTransformerEmbedder) -> None:
    found = tiny.embed_passages(TEXTS)
    assert found.shape == (len(TEXTS), e5_file.WIDTH) == (7, tiny.dimension)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-6)
    for row, text in zip(found, TEXTS, strict=True):
        [alone] = tiny.embed_passages([text])
        assert float(row @ alone) > 0.999
    assert tiny.embed_passages([]).shape == (0, e5_file.WIDTH)


def test_vectors_are_those_of_sentence_transformers_itself(
    tiny: SentenceTransformerEmbedder, folder: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    plain = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    expected = plain.encode(["query: musk sued"], normalize_embeddings=True)[0]
    assert tiny.embed_question("musk sued") == pytest.approx(expected, abs=1e-6)
    passages = plain.encode([f"passage: {text}" for text in TEXTS], normalize_embeddings=True)
    assert (tiny.embed_passages(TEXTS) * passages).sum(axis=1).min() > 0.999


def test_questions_and_passages_get_prompts_of_their_own(
    tiny: SentenceTransformerEmbedder, folder: Path
) -> None:
    bare = SentenceTransformerEmbedder(folder, prompts={"query": "", "document": ""})
    assert bare.embed_question("query: open") == pytest.approx(tiny.embed_question("open"), abs=1e-6)
    assert float(bare.embed_question("open") @ tiny.embed_question("open")) < 0.999
    assert float(bare.embed_passages(["passage: open"])[0] @ tiny.embed_passages(["open"])[0]) > 0.999
    assert bare.fingerprint != tiny.fingerprint


def test_a_question_is_remembered_and_can_not_be_changed(tiny: SentenceTransformerEmbedder) -> None:
    first = tiny.embed_question("musk")
    assert tiny.embed_question("musk") is first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1


def test_questions_at_once_get_their_own_vectors(folder: Path) -> None:
    questions = [f"{word} {n}" for n in range(10) for word in ("musk", "open", "ai", "sued")]
    alone = [SentenceTransformerEmbedder(folder).embed_question(questions[0])]
    shared = SentenceTransformerEmbedder(folder)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(shared.embed_question, questions))
    assert together[0] == pytest.approx(alone[0], abs=1e-6)
    for question, vector in zip(questions, together, strict=True):
        assert vector == pytest.approx(shared.embed_question(question), abs=0)


@pytest.mark.parametrize("text", ["half \ud800 a pair", "\x00", "\u200d", "x" * 20_000, "🙂" * 50])
def test_any_string_gets_a_unit_vector(tiny: SentenceTransformerEmbedder, text: str) -> None:
    assert float(np.linalg.norm(tiny.embed_question(text))) == pytest.approx(1, abs=1e-6)
    assert float(np.linalg.norm(tiny.embed_passages([text])[0])) == pytest.approx(1, abs=1e-6)


def test_the_fingerprint_tells_models_apart_and_not_places(folder: Path, tmp_path: Path) -> None:
    here = SentenceTransformerEmbedder(folder).fingerprint
    shutil.copytree(folder, tmp_path / "moved")
    assert SentenceTransformerEmbedder(tmp_path / "moved", "another name").fingerprint == here
    e5_file.write(tmp_path / "other.bin", seed=1)
    unpack(tmp_path / "other.bin", tmp_path / "other", "1" * 64)
    assert SentenceTransformerEmbedder(tmp_path / "other").fingerprint != here
    (tmp_path / "moved/unpacked.json").unlink()  # as a folder that someone else made: its weights are read
    foreign = SentenceTransformerEmbedder(tmp_path / "moved").fingerprint
    weights = tmp_path / "moved/model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert SentenceTransformerEmbedder(tmp_path / "moved").fingerprint != foreign


def test_loading_and_embedding_say_nothing(folder: Path) -> None:
    program = (
        "import sys; from index.embedder import SentenceTransformerEmbedder as E; e = E(sys.argv[1]); "
        "e.embed_passages(['a', 'b']); e.embed_question('c')"
    )
    command = [sys.executable, "-W", "error", "-c", program, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_name_or_fingerprint_costs_no_import_of_torch(folder: Path) -> None:
    program = (
        "import sys; from index.embedder import SentenceTransformerEmbedder as E; E(sys.argv[1]).fingerprint; "
        "print(sorted({'torch', 'transformers', 'openai'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_model_that_is_nowhere_is_said_in_one_line() -> None:
    program = (
        "from index.embedder import SentenceTransformerEmbedder as E; from corpus import FeudError\n"
        "for name in ('nobody/no-such-model', './no/such/folder'):\n"
        "    try: E(name).fingerprint\n"
        "    except FeudError as error: print(error)"
    )
    environ = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environ
    )
    assert done.stdout.splitlines() == [
        "The embedder 'nobody/no-such-model' is not on this machine and was not fetched from the hub: "
        "HF_HUB_OFFLINE is set.",
        "The embedder './no/such/folder' is no folder and can't be a name on the hub.",
    ]


def test_a_broken_folder_is_said_in_one_line(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "broken")
    (tmp_path / "broken/model.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"^[^\n]*broken is no sentence-transformers model: [^\n]+$"):
        SentenceTransformerEmbedder(tmp_path / "broken").embed_question("musk")


class Embeddings(BaseHTTPRequestHandler):
    """`POST /v1/embeddings`, last text first: two numbers a text, its length and one."""

    asked: ClassVar[list[dict[str, object]]] = []

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(request)
        rows = [
            {"object": "embedding", "index": i, "embedding": [float(len(text)), 1.0]}
            for i, text in enumerate(request["input"])
        ]
        good = {"object": "list", "model": request["model"], "data": rows[::-1]}
        answers = {"good": good, "short": {**good, "data": rows[1:]}, "odd": {"error": "no"}}
        body = json.dumps(answers.get(request["model"], {})).encode()
        self.send_response(200 if request["model"] in answers else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    Embeddings.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Embeddings)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def test_an_endpoint_embeds_in_order_and_at_unit_length(address: str) -> None:
    embedder = EndpointEmbedder(f"{address}#good")
    found = embedder.embed_passages(["x" * n for n in range(1, 131)])
    assert found.shape == (130, 2)
    assert found[2] == pytest.approx([3 / 10**0.5, 1 / 10**0.5])
    assert [len(request["input"]) for request in Embeddings.asked] == [64, 64, 2]  # type: ignore[arg-type]
    assert embedder.embed_question("xxx") == pytest.approx(found[2])
    assert embedder.dimension == 2
    assert embedder.embed_passages([]).shape == (0, 2)


@pytest.mark.parametrize(
    ("model", "said"), [("short", "0 vectors for 1 texts"), ("odd", "no embeddings"), ("absent", "404")]
)
def test_an_endpoint_that_answers_something_else_is_said_in_one_line(
    address: str, model: str, said: str
) -> None:
    with pytest.raises(ModelError, match=rf"^The embedder {address}#{model} [^\n]*{said}[^\n]*$"):
        EndpointEmbedder(f"{address}#{model}").embed_question("musk")


def test_an_endpoint_that_is_not_there_is_said_in_one_line() -> None:
    with pytest.raises(
        ModelError, match=r"^The embedder http://127\.0\.0\.1:9/v1#bge failed: [^\n]* Is it running\?$"
    ):
        EndpointEmbedder("http://127.0.0.1:9/v1#bge").embed_question("musk")
    with pytest.raises(ModelError, match="names no model"):
        EndpointEmbedder("http://127.0.0.1:9/v1")


def test_a_setting_names_a_folder_an_endpoint_or_a_model_of_the_store(folder: Path, tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    assert isinstance(embedder_named("https://host.test/v1#bge-m3", store), EndpointEmbedder)
    named = embedder_named(str(folder), store)
    assert isinstance(named, SentenceTransformerEmbedder)
    assert named.fingerprint == SentenceTransformerEmbedder(folder).fingerprint
    with pytest.raises(ModelError, match=r"^multilingual-e5-small is not in .*: feud models pull$"):
        embedder_named(E5.name, store)


def test_the_stand_in_is_an_embedder_whose_closeness_is_shared_words() -> None:
    fake: Embedder = HashEmbedder()
    question = fake.embed_question("Who sued OpenAI?")
    rows = fake.embed_passages(["OpenAI was sued.", "Rain is likely.", "谁起诉了OpenAI", "who SUED openai", ""])
    assert rows.shape == (5, fake.dimension)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-6)
    scores = rows @ question
    assert scores[3] == pytest.approx(1, abs=1e-6)
    assert scores[3] > scores[0] > scores[1]
    assert HashEmbedder().embed_question("Who sued OpenAI?") == pytest.approx(question, abs=0)


@pytest.mark.model
def test_the_real_model_finds_the_sentence_in_other_languages() -> None:
    embedder = embedder_named(E5.name, ModelStore(Settings.from_env().models))
    passages = [
        "Die Brücke wurde im Mai nach zwei Jahren Bauzeit eröffnet.",
        "Le musée est fermé le lundi.",
        "这座城市的地铁每天运送三百万人。",
        "Il ponte costò dodici milioni di euro.",
    ]
    rows = embedder.embed_passages(passages)
    asked = [
        "When was the bridge opened?",
        "Quand le musée est-il fermé ?",
        "多少人乘坐地铁？",
        "Wie teuer war die Brücke?",
    ]
    assert [int(np.argmax(rows @ embedder.embed_question(question))) for question in asked] == [0, 1, 2, 3]
