"""Embeds one text with NumPy alone, since torch and sentence-transformers take seconds to import.

The network that `SentenceTransformer(folder)` runs (BERT, Devlin et al. 2019), for the folder that `unpack`
writes. Its weights are mapped into memory: of the embedding table's 250,000 rows only the text's are read.
tests/test_index_light.py holds both equal.
"""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class LightEmbedder:
    """One folder that `unpack` has written. Any number of threads may use it."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._config: dict[str, int] = json.loads((folder / "config.json").read_text())
        self._weights = tensors(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(self._config["max_position_embeddings"])

    def embed(self, text: str) -> Floats:
        """Return the mean of the tokens' states, `(width,) float32`; what is beyond the window is left out."""
        mean: Floats = self._states(self._tokenizer.encode(text).ids).mean(axis=0)
        return mean

    def _states(self, tokens: list[int]) -> Floats:
        """The last layer's state of each token, `(len(tokens), width)`."""
        table = "embeddings.{}_embeddings.weight".format
        weights = self._weights
        x: Floats = weights[table("word")][tokens] + weights[table("position")][: len(tokens)]
        x = self._normed("embeddings.LayerNorm", x + weights[table("token_type")][0])
        for number in range(self._config["num_hidden_layers"]):
            layer = f"encoder.layer.{number}."
            mixed = self._dense(layer + "attention.output.dense", self._attended(layer + "attention.self.", x))
            x = self._normed(layer + "attention.output.LayerNorm", x + mixed)
            wide = gelu(self._dense(layer + "intermediate.dense", x))
            x = self._normed(layer + "output.LayerNorm", x + self._dense(layer + "output.dense", wide))
        return x

    def _attended(self, name: str, x: Floats) -> Floats:
        heads = self._config["num_attention_heads"]
        query, key, value = (
            self._dense(name + each, x).reshape(len(x), heads, -1).transpose(1, 0, 2)
            for each in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / np.float32(np.sqrt(query.shape[-1]))
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        mixed: Floats = (shares @ value).transpose(1, 0, 2).reshape(x.shape)
        return mixed

    def _dense(self, name: str, x: Floats) -> Floats:
        # Without BLAS, whose threads wait for each other where other programs are at work: there the wider
        # products of 15 tokens took 195 ms of the processor's time by BLAS, and take 18 like this.
        products = np.vecdot(x[:, None], self._weights[f"{name}.weight"])
        return np.asarray(products + self._weights[f"{name}.bias"], np.float32)

    def _normed(self, name: str, x: Floats) -> Floats:
        away: Floats = x - x.mean(axis=-1, keepdims=True)
        epsilon = np.float32(self._config["layer_norm_eps"])
        spread = np.sqrt(np.square(away).mean(axis=-1, keepdims=True) + epsilon)
        normed: Floats = away / spread * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return normed


def tensors(file: Path) -> dict[str, Floats]:
    """Map the float32 tensors of a file, by name: https://github.com/huggingface/safetensors#format"""
    data = np.asarray(np.memmap(file, np.uint8, "r"))  # slices of a memmap itself are slow
    start = 8 + int(data[:8].view("<u8")[0])
    head = json.loads(bytes(data[8:start]))
    head.pop("__metadata__", None)
    found = {}
    for name, tensor in head.items():
        begin, end = tensor["data_offsets"]
        found[name] = data[start + begin : start + end].view("<f4").reshape(tensor["shape"])
    return found


def gelu(x: Floats) -> Floats:
    """Return x · Φ(x). The error function is off by 1.5e-7 at most (Abramowitz and Stegun 1964, 7.1.26).

    >>> [f"{y:.4f}" for y in gelu(np.array([-1, 0, 1], np.float32))]
    ['-0.1587', '0.0000', '0.8413']
    """
    z = np.abs(x) * np.float32(np.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * z)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    erf = np.copysign(1 - series * np.exp(-z * z), x)
    return np.asarray(x * (1 + erf) / 2, np.float32)
