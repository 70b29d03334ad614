"""What was computed for the frames at hand, kept for the metric that comes next."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Values by content hash, the latest ones, up to a number of bytes. Not for use by several threads.

    Unlike `eval.features.FeatureCache` it holds what is too large to keep: maps and activations, which several metrics
    of the same frames build on. Systems and numbers of shots are scored against the same targets in turn.
    """

    def __init__(self, most_bytes: int, size_of: Callable[[Value], int]) -> None:
        """Open an empty store.

        Args:
            most_bytes: The oldest values go where there are more.
            size_of: Returns the bytes of a value.
        """
        self._most_bytes, self._size_of = most_bytes, size_of
        self._bytes = 0
        self._values: OrderedDict[bytes, Value] = OrderedDict()

    def get(self, keys: Sequence[bytes], compute: Callable[[Sequence[int]], Sequence[Value]]) -> list[Value]:
        """Return the value of each key; `compute` is given the places of those that are not known."""
        found = {key: self._values[key] for key in keys if key in self._values}
        missing = list({key: place for place, key in enumerate(keys) if key not in found}.values())
        if missing:
            found |= {keys[place]: value for place, value in zip(missing, compute(missing), strict=True)}
        for key in keys:
            self._keep(key, found[key])
        return [found[key] for key in keys]

    def _keep(self, key: bytes, value: Value) -> None:
        if key not in self._values:
            self._values[key] = value
            self._bytes += self._size_of(value)
        self._values.move_to_end(key)
        while self._bytes > self._most_bytes:
            self._bytes -= self._size_of(self._values.popitem(last=False)[1])
