"""The embedder that a setting names."""

from index.embedder import Embedder, SentenceTransformerEmbedder
from index.endpoint import EndpointEmbedder
from index.models import ModelStore
from index.pinned import MODELS


def embedder_named(name: str, store: ModelStore, api_key: str = "") -> Embedder:
    """Return one of the store's embedders, or one by its folder, its name on the hub or its endpoint.

    An endpoint is written `https://host/v1#model`, and `api_key` is for it. Nothing is loaded yet. Raises
    ModelError if it is one of the store's that was not pulled.
    """
    if name.startswith(("http://", "https://")):
        return EndpointEmbedder(name, api_key)
    for model in MODELS:
        if model.name == name and model.kind == "embedder":
            return SentenceTransformerEmbedder(store.embedder_folder(model), name)
    return SentenceTransformerEmbedder(name)
