"""What this machine can do at best, measured with small kernels: what the program's own pace stands beside.

A token that is written needs all weights once from memory, so the bandwidth bounds it; a token that is read or
embedded needs a multiplication and an addition a weight, so the arithmetic bounds it.
"""

import time
from collections.abc import Callable

import torch

_BYTES = 1 << 28  # far more than the caches hold
_SIDE = 1536  # of the matrices that are multiplied
_TRIES = 8


def bandwidth() -> float:
    """Bytes a second that all cores together read from memory."""
    numbers = torch.ones(_BYTES // 4)
    return _BYTES / _best(numbers.sum)


def arithmetic(kind: torch.dtype) -> float:
    """Multiplications and additions a second, of matrices of that kind of number."""
    matrix = torch.ones(_SIDE, _SIDE, dtype=kind)
    # bytes are multiplied as the engine does, into sums of 32 bits, for which torch has another name
    multiply = torch.ops.aten._int_mm if kind == torch.int8 else torch.matmul
    return 2 * _SIDE**3 / _best(lambda: multiply(matrix, matrix))


def _best(kernel: Callable[[], object]) -> float:
    """The shortest of some times, in seconds: what others do on the machine only makes it longer."""
    seconds = []
    for _ in range(_TRIES):
        started = time.perf_counter()
        kernel()
        seconds.append(time.perf_counter() - started)
    return min(seconds)
