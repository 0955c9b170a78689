"""How far long work is."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Progress:
    """Files "read", texts "embed"ded, files of the generation "write"ten, sentences "translate"d, rows of
    the generation "send" to a store of many machines."""

    stage: Literal["read", "embed", "write", "translate", "send"]
    done: int
    total: int
    name: str = ""
