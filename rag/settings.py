"""The settings, read once, at the top, from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from rag.errors import SettingsError
from rag.window import WINDOW

LEAST = 512
"""Tokens that a model must be able to read at once: the longest instructions have 250."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are kept and which models answer. Each field is set by `FEUD_` and its name in capitals."""

    home: Path
    """Everything that is built or kept: documents and removed ones, models, index, conversations, eval runs."""
    documents: Path
    """The folder that is answered from."""
    models: Path
    """The model store."""
    embedder: str = "multilingual-e5-small"
    """A name of `feud models list`, a sentence-transformers folder or name, or `https://host/v1#model`."""
    embedder_api_key: str = field(default="", repr=False)
    """The key of such an endpoint."""
    store: str = field(default="", repr=False)
    """Where to answer from: the home's index, or `milvus://host:port/database`, maybe with a password."""
    llm_model: str = "qwen2.5-coder-1.5b-instruct"
    """A name of `feud models list`, or a GGUF file; with `FEUD_LLM_BASE_URL` what that calls its model."""
    llm_base_url: str = ""
    """Any OpenAI-compatible endpoint that answers in place of the embedded engine."""
    llm_api_key: str = field(default="", repr=False)
    """The key of that endpoint."""
    llm_context: int = WINDOW
    """Tokens that the model reads at once, its reply included. What is longer isn't sent, but quoted."""
    log: str = ""
    """`json`: `feud serve` logs each question and each fault as a line of JSON, without content."""

    @property
    def conversations(self) -> Path:
        """The file of the conversations that readers at this computer keep."""
        return self.home / "conversations.sqlite"

    @property
    def beginnings(self) -> Path:
        """The folder of what the engine has read of its instructions; it is as good for another home."""
        return self.models / "engine"

    @property
    def password(self) -> Path:
        """The file of the hash of the password that readers at other computers need."""
        return self.home / "password"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Raises SettingsError."""
        home = _path(environ.get("FEUD_HOME", ""), platformdirs.user_data_path("feud", appauthor=False))
        names = ("embedder", "embedder_api_key", "store", "llm_model", "llm_base_url", "llm_api_key", "log")
        return cls(
            home=home,
            documents=_path(environ.get("FEUD_DOCUMENTS", ""), home / "documents"),
            models=_path(environ.get("FEUD_MODELS", ""), home / "models"),
            llm_context=_tokens("FEUD_LLM_CONTEXT", environ.get("FEUD_LLM_CONTEXT") or str(WINDOW)),
            **{name: value for name in names if (value := environ.get(f"FEUD_{name.upper()}"))},
        )


def _tokens(variable: str, given: str) -> int:
    if not given.isdecimal() or int(given) < LEAST:
        raise SettingsError(f"{variable} is {given!r}. Give it a number of tokens, {LEAST} or more.")
    return int(given)


def _path(given: str, default: Path) -> Path:
    return Path(given).expanduser().absolute() if given else default
