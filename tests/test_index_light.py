"""Single texts without torch: the same vectors as sentence-transformers, in every language."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from index.embedder import SentenceTransformerEmbedder
from index.light import LightEmbedder, gelu
from index.models import ModelStore
from rag.settings import Settings
from tests import e5_file
from tests.test_index_e5 import ODD, PARALLEL

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

WHOLE = "Wie lange Elon Musk bei der Firma war, und warum er ging? " * 60  # more than fits into the window


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return e5_file.unpacked(tmp_path_factory.mktemp("light"))


@pytest.fixture(scope="module")
def folder() -> Path:
    return ModelStore(Settings.from_env().models).embedder_folder()


@pytest.fixture(scope="module")
def plain(folder: Path) -> "SentenceTransformer":
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


@pytest.mark.model
def test_questions_have_the_vectors_of_sentence_transformers(
    folder: Path, plain: "SentenceTransformer"
) -> None:
    embedder = SentenceTransformerEmbedder(folder)
    questions = [*PARALLEL.values(), *ODD.values(), WHOLE]
    for question, expected in zip(questions, plain.encode_query(questions), strict=True):
        assert float(embedder.embed_question(question) @ expected) > 0.9999, question


@pytest.mark.model
def test_passages_have_nearly_the_vectors_of_float32(folder: Path, plain: "SentenceTransformer") -> None:
    passages = [*PARALLEL.values(), WHOLE]
    ours = SentenceTransformerEmbedder(folder).embed_passages(passages)
    assert np.vecdot(ours, plain.encode_document(passages)).min() > 0.999


@pytest.mark.model
def test_few_passages_have_the_vectors_of_sentence_transformers(
    folder: Path, plain: "SentenceTransformer"
) -> None:
    embedder = SentenceTransformerEmbedder(folder)
    passages = [*PARALLEL.values(), *ODD.values(), WHOLE]
    found = [vector for pair in pairwise(passages) for vector in embedder.embed_passages(pair)[:1]]
    assert np.vecdot(found, plain.encode_document(passages[:-1])).min() > 0.9999


def test_a_question_and_what_is_checked_of_an_answer_need_no_torch(tiny: Path) -> None:
    program = (
        "import sys; from index.embedder import SentenceTransformerEmbedder as E; e = E(sys.argv[1])\n"
        "e.embed_question('musk'); print('torch' in sys.modules)\n"
        "e.embed_passages(['musk', 'sued', 'OpenAI']); print('torch' in sys.modules)\n"
        "e.embed_passages(['musk'] * 9); print('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", program, str(tiny)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True"]


def test_what_feud_did_not_unpack_goes_by_sentence_transformers(tiny: Path, tmp_path: Path) -> None:
    for file in tiny.rglob("*.*"):
        if file.is_file() and file.name != "unpacked.json":
            (tmp_path / file.relative_to(tiny)).parent.mkdir(exist_ok=True)
            (tmp_path / file.relative_to(tiny)).write_bytes(file.read_bytes())
    program = (
        "import sys; from index.embedder import SentenceTransformerEmbedder as E\n"
        "print(*E(sys.argv[1]).embed_question('musk sued')); print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    *numbers, by_torch = done.stdout.split()
    assert by_torch == "True"
    ours = SentenceTransformerEmbedder(tiny).embed_question("musk sued")
    assert ours == pytest.approx(np.array(numbers, np.float32), abs=1e-5)


def test_another_question_has_another_vector(tiny: Path) -> None:
    light = LightEmbedder(tiny)
    one, other = light.embed("query: musk sued"), light.embed("query: open ai")
    assert float(one @ other) < 0.99 * float(np.linalg.norm(one) * np.linalg.norm(other))


def test_gelu_is_exact_to_seven_digits() -> None:
    from math import erf, sqrt

    xs = np.linspace(-6, 6, 1001, dtype=np.float32)
    assert gelu(xs) == pytest.approx([x * (1 + erf(x / sqrt(2))) / 2 for x in xs.tolist()], abs=1e-6)
