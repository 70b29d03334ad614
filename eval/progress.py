"""How far a benchmark is, for whoever wants to show it."""

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A moment of a benchmark. One unit is one system on one task."""

    stage: Literal["render", "score"]
    done: int
    total: int
    what: str
    """The system and task that were finished last; empty at the start."""


class ProgressHook(Protocol):
    """Called before the first and after each unit of a stage, always from the thread of `benchmark`."""

    def __call__(self, progress: Progress) -> None:
        """Show it."""


def silent(progress: Progress) -> None:  # the hook that shows nothing
    """Show nothing."""
