"""The settings, read once, at the top, from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are kept and which models answer. Each field is set by `FEUD_` and its name in capitals.

    `home` holds everything built: index, eval runs, and by default the `documents` that are answered from
    and the `models`. `embedder` is a name of the store (`feud models list`), a sentence-transformers folder
    or name, or `https://host/v1#model`. `store` is where the index is answered from, "" for the home's own, or
    `milvus://host:port/database`. `llm_model` is a name of the store or a GGUF file; with
    `llm_base_url` set, it is what that OpenAI-compatible endpoint calls its model.
    """

    home: Path
    documents: Path
    models: Path
    embedder: str = "multilingual-e5-small"
    embedder_api_key: str = field(default="", repr=False)
    store: str = field(default="", repr=False)  # may hold a password
    llm_model: str = "qwen2.5-coder-1.5b-instruct"
    llm_base_url: str = ""
    llm_api_key: str = field(default="", repr=False)

    @property
    def conversations(self) -> Path:
        """The file of the conversations that readers at this computer keep."""
        return self.home / "conversations.sqlite"

    @property
    def password(self) -> Path:
        """The file of the hash of the password that readers at other computers need."""
        return self.home / "password"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        home = _path(environ.get("FEUD_HOME", ""), platformdirs.user_data_path("feud", appauthor=False))
        names = ("embedder", "embedder_api_key", "store", "llm_model", "llm_base_url", "llm_api_key")
        return cls(
            home=home,
            documents=_path(environ.get("FEUD_DOCUMENTS", ""), home / "documents"),
            models=_path(environ.get("FEUD_MODELS", ""), home / "models"),
            **{name: value for name in names if (value := environ.get(f"FEUD_{name.upper()}"))},
        )


def _path(given: str, default: Path) -> Path:
    return Path(given).expanduser().absolute() if given else default
