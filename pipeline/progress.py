"""How far `preprocess` is, for whoever wants to show it."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A moment of a run. Frames are counted when faces are looked for in them."""

    frames: int
    frames_expected: int | None
    """From what the files say about their length; None where there are too many files to ask."""
    clips: int
    """With a verdict: in a shard or rejected."""
    clips_total: int
    rejected: int
    shards: int
    shards_total: int


class ProgressHook(Protocol):
    """Called from time to time, always from the same thread as `preprocess` or one of its own."""

    def __call__(self, progress: Progress) -> None:
        """Show it."""


def silent(progress: Progress) -> None:  # noqa: ARG001  # the hook that shows nothing
    """Show nothing."""
