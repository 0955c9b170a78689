"""Embedders: text into unit vectors, with sentence-transformers."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from index.assembly import sha256
from index.light import LightEmbedder
from index.pinned import ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Matrix = NDArray[np.float32]
Vector = NDArray[np.float32]

# Their repositories on the hub carry no prompts; the model cards ask for these.
# https://huggingface.co/intfloat/multilingual-e5-small#faq
_E5_PROMPTS = {"query": "query: ", "document": "passage: "}
_PROMPTS = {f"intfloat/multilingual-e5-{size}": _E5_PROMPTS for size in ("small", "base", "large")}

_BATCH = 8  # passages of some 150 tokens a second on two cores: 17 by 8, 14.5 by 16, 12.4 by 32
_FEW = 4  # passages that go without torch, as questions do: what is checked of an answer
_REMEMBERED = 1024
_FILES = ("*.json", "*.txt", "*.model", "*.safetensors")
_NOT_FOR_TORCH = ("onnx/", "openvino/")
_LARGE = 1 << 20


class Embedder(Protocol):
    """Turns text into unit vectors. Questions and passages may need different prompts.

    `fingerprint` differs between embedders whose vectors can't be compared.
    """

    @property
    def name(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    @property
    def fingerprint(self) -> str: ...

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        """Return `(len(texts), dimension) float32`, rows of unit length, in the order of the texts."""
        ...

    def embed_question(self, text: str) -> Vector:
        """Return `(dimension,) float32` of unit length."""
        ...


class SentenceTransformerEmbedder:
    """A sentence-transformers model: a folder, or a name on the hub. Loaded when first needed.

    `prompts` ("query", "document") replace the model's own. Texts longer than the model's window count only as
    far as that reaches. May be used from several threads; they take turns. Raises ModelError, on first use,
    if the model can't be had or isn't one.
    """

    def __init__(self, model: str | Path, name: str = "", prompts: Mapping[str, str] | None = None) -> None:
        self.name = name or str(model)
        self._model = str(model)
        self._prompts = dict(prompts if prompts is not None else _PROMPTS.get(self._model, {}))
        self._lock = RLock()
        self._remembered = lru_cache(_REMEMBERED)(self._one)

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        """Return `(len(texts), dimension) float32`, rows of unit length, in the order of the texts.

        Texts of one call are batched by length; some hundred a call leave room to report progress in between.
        """
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        if len(texts) <= _FEW and self._light:
            return np.stack([self._remembered("document", text) for text in texts])
        import torch

        mixed = _has_bfloat16() and not self._passages_alone
        with self._lock, torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            found = self._loaded.encode_document(
                [sayable(t) for t in texts], batch_size=_BATCH, show_progress_bar=False
            )
        return unit(found)

    def embed_question(self, text: str) -> Vector:
        """Return `(dimension,) float32` of unit length, read-only. The last thousand are remembered."""
        return self._remembered("query", text)

    @property
    def dimension(self) -> int:
        """The length of its vectors. Loads the model."""
        with self._lock:
            size = self._loaded.get_embedding_dimension()
        if size is None:
            raise ModelError(f"{self.name} doesn't say how long its vectors are. Name another embedder.")
        return size

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the prompts and of all files of the model; doesn't load it.

        Of a folder that feud unpacked itself, only the small files are read: they name the hash of the weights.
        """
        digest = hashlib.sha256(repr(sorted(self._prompts.items())).encode())
        for path in sorted(path for pattern in _FILES for path in self.folder.rglob(pattern)):
            inside = path.relative_to(self.folder).as_posix()
            if inside.startswith(_NOT_FOR_TORCH) or (self._own and path.stat().st_size > _LARGE):
                continue
            digest.update(f"{inside} {sha256(path)}\n".encode())
        return digest.hexdigest()[:32]

    @property
    def _passages_alone(self) -> bool:
        """Whether sentence-transformers embeds passages alone, and questions, or a few texts, go without it."""
        return self._own and not self._prompts

    @property
    def _own(self) -> bool:
        """Whether feud unpacked the folder itself."""
        return (self.folder / "unpacked.json").is_file()

    @cached_property
    def folder(self) -> Path:
        """The model's folder on this machine; a name on the hub is fetched there first."""
        if Path(self._model).is_dir():
            return Path(self._model)
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError

        try:
            found = snapshot_download(
                self._model, allow_patterns=list(_FILES), ignore_patterns=list(_NOT_FOR_TORCH)
            )
        except HFValidationError as error:
            raise ModelError(
                f"The embedder {self._model!r} is no folder and can't be a name on the hub."
            ) from error
        except (OSError, ValueError) as error:
            why = "HF_HUB_OFFLINE is set" if os.environ.get("HF_HUB_OFFLINE") else _first_line(error)
            raise ModelError(
                f"The embedder {self._model!r} is not on this machine and was not fetched from the hub: {why}."
            ) from error
        return Path(found)

    @cached_property
    def _loaded(self) -> "SentenceTransformer":
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        folder = str(self.folder)
        # Weights in a pickle could run code when opened; safetensors can't.
        options: dict[str, Any] = {"use_safetensors": True}
        if self._passages_alone and _has_bfloat16():
            import torch

            options["dtype"] = torch.bfloat16
        try:
            return SentenceTransformer(
                folder, device="cpu", local_files_only=True, model_kwargs=options, prompts=self._prompts
            )
        except Exception as error:  # what a broken folder raises depends on the loader's version
            raise ModelError(f"{folder} is no sentence-transformers model: {_first_line(error)}.") from error

    @cached_property
    def _light(self) -> tuple[LightEmbedder, dict[str, str]] | None:
        """What embeds without torch, and its prompts; None where only sentence-transformers can."""
        if not self._passages_alone:
            return None
        try:
            config = json.loads((self.folder / "config_sentence_transformers.json").read_text())
            prompts = {kind: config["prompts"][kind] for kind in ("query", "document")}
            return LightEmbedder(self.folder), prompts
        except Exception:  # of a broken folder sentence-transformers says what is wrong
            return None

    def _one(self, kind: Literal["query", "document"], text: str) -> Vector:
        with self._lock:
            if self._light:
                embedder, prompts = self._light
                found = embedder.embed(prompts[kind] + sayable(text))[None]
            else:  # passages are given to it together
                found = self._loaded.encode_query([sayable(text)], show_progress_bar=False)
        vector: Vector = unit(found)[0]
        vector.setflags(write=False)
        return vector


def sayable(text: str) -> str:
    """Return the text with U+FFFD where it holds half of a surrogate pair, which no tokenizer takes.

    >>> sayable("caf\\ud800é")
    'caf\ufffdé'
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def unit(rows: Any) -> Matrix:
    """Return the rows as float32 of unit length; a row of zeros stays."""
    rows = np.asarray(rows, np.float32)
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), np.float32)


@lru_cache(maxsize=1)
def _has_bfloat16() -> bool:
    """Tell whether this processor computes in bfloat16 itself.

    Passages are then embedded 2.7 times as fast as in float32, at a cosine of 0.99999 to it, by weights that
    are converted as they are used; 3.2 times, at 0.99997, by weights that are kept so. Where bfloat16 has to be
    emulated it is slower. `feud eval speed` measures it.
    """
    import torch

    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
