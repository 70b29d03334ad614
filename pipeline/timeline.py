"""The time rule: which source frame stands for which slot of a fixed frame rate."""

from collections.abc import Iterator
from math import ceil
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Resampler(Generic[Item]):
    """Pick, for each slot of `1 / fps` seconds, the source frame nearest in time; never the same frame twice.

    Slots count from the first frame. A frame belongs to the slot it is nearest to, and the nearest frame of a slot
    wins. A source slower than `fps` therefore keeps each of its frames and leaves slots empty; a faster one loses
    the frames that lie between slots. Nothing is repeated or blended.
    """

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._origin_s: float | None = None
        self._best: tuple[int, Item] | None = None
        self._best_distance = 0.0

    def push(self, time_s: float, item: Item) -> Iterator[tuple[int, Item]]:
        """Take the next frame; yield (slot, frame) where an earlier slot is decided by it."""
        if self._origin_s is None:
            self._origin_s = time_s
        position = (time_s - self._origin_s) * self._fps
        slot = ceil(position - 0.5)
        distance = abs(position - slot)
        if self._best is not None and slot == self._best[0]:
            if distance < self._best_distance:
                self._best, self._best_distance = (slot, item), distance
            return
        if self._best is not None and slot < self._best[0]:
            return  # a clock that runs backwards: the frame has no place
        decided = self._best
        self._best, self._best_distance = (slot, item), distance
        if decided is not None:
            yield decided

    def finish(self) -> Iterator[tuple[int, Item]]:
        """Yield what the end of the video decides."""
        if self._best is not None:
            yield self._best
            self._best = None
