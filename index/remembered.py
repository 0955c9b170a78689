"""What was read or worked out last, while there is room for it."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Remembered(Generic[Key, Value]):
    """The values that were asked for last, `most` of them, which together weigh at most `heaviest`, but always
    the last one. Any number of threads may ask.

    `functools.lru_cache` of a method would hold the method's object, which holds it in turn: what nobody uses
    any more would stay until Python looks for such circles.

    >>> squares = Remembered[int, int](2)
    >>> [squares.get(number, lambda n: n * n) for number in (1, 2, 3, 3)], len(squares)
    ([1, 4, 9, 9], 2)
    """

    def __init__(self, most: int, heaviest: int = 0, weight: Callable[[Value], int] = lambda value: 0) -> None:
        self._most, self._heaviest, self._weight = most, heaviest, weight
        self._lock, self._total = Lock(), 0
        self._kept: OrderedDict[Key, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Key, made: Callable[[Key], Value]) -> Value:
        """Return the value of that key, `made` of it if it isn't remembered; two threads may both make it."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        value = made(key)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = value
                self._total += self._weight(value)
            while len(self._kept) > self._most or (self._total > self._heaviest and len(self._kept) > 1):
                self._total -= self._weight(self._kept.popitem(last=False)[1])
        return value
