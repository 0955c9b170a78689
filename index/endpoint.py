"""An embedder behind an OpenAI-compatible endpoint, for those who name one in the settings."""

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from index.embedder import Matrix, Vector, sayable, unit
from index.pinned import ModelError

if TYPE_CHECKING:
    from openai import OpenAI

_SECONDS = 30.0  # for one batch; a question takes a thousandth of that
_BATCH = 64
_QUESTIONS_KEPT = 1024


class EndpointEmbedder:
    """A model behind `POST /embeddings`, named `<base address>#<model>`. Texts are sent as they are.

    Raises ModelError, when it is used, if the endpoint can't be reached or answers something else.
    """

    def __init__(self, address: str, api_key: str = "") -> None:
        self.name = address
        self._base, _, self._model = address.partition("#")
        if not self._model:
            raise ModelError(
                f"{address} names no model. Write it behind a #, as in http://localhost:8000/v1#bge-m3"
            )
        # The endpoint may move; its model may not.
        self.fingerprint = f"endpoint:{self._model}"
        self._api_key = api_key or "none"  # the client wants one even where the endpoint doesn't
        self._remembered = lru_cache(_QUESTIONS_KEPT)(self._question)

    @cached_property
    def dimension(self) -> int:
        """The length of its vectors. Asks the endpoint."""
        return len(self.embed_question("dimension"))

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        """Return `(len(texts), dimension) float32`, rows of unit length, in the order of the texts."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        return np.concatenate([self._ask(texts[i : i + _BATCH]) for i in range(0, len(texts), _BATCH)])

    def embed_question(self, text: str) -> Vector:
        """Return `(dimension,) float32` of unit length, read-only. The last thousand are remembered."""
        return self._remembered(text)

    def _question(self, text: str) -> Vector:
        vector: Vector = self._ask([text])[0]
        vector.setflags(write=False)
        return vector

    @cached_property
    def _client(self) -> "OpenAI":
        from openai import OpenAI

        return OpenAI(base_url=self._base, api_key=self._api_key, timeout=_SECONDS, max_retries=1)

    def _ask(self, texts: Sequence[str]) -> Matrix:
        from openai import OpenAIError

        try:
            answer = self._client.embeddings.create(
                model=self._model, input=[sayable(text) for text in texts], encoding_format="float"
            )
            rows = [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]
            matrix = np.asarray(rows, np.float32)
        except OpenAIError as error:
            # a server may quote the key
            reason = " ".join(str(error).replace(self._api_key, "…").split())[:200]
            raise ModelError(f"The embedder {self.name} failed: {reason}. Is it running?") from error
        except (AttributeError, TypeError, ValueError) as error:
            raise ModelError(
                f"The embedder {self.name} answered something that holds no embeddings."
            ) from error
        if matrix.ndim != 2 or len(matrix) != len(texts):
            raise ModelError(f"The embedder {self.name} answered {len(rows)} vectors for {len(texts)} texts.")
        return unit(matrix)
