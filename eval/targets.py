"""What a generated frame is compared with: its target, or, where somebody else drives, what there is instead."""

from dataclasses import dataclass

import numpy as np

from eval.features import Frames
from eval.specs.spec import MetricSpec
from eval.tasks.neighbours import neighbours
from eval.tasks.queries import target_frames
from eval.tasks.task_set import Task
from pipeline.store import Store


@dataclass(frozen=True, slots=True)
class Targets:
    """The frames that those of a task are compared with, one for each of them."""

    drawn: Frames
    """The frames that drive. In self-reenactment they are the targets."""
    person: Frames
    """Real frames of the person: the same ones in self-reenactment, others of theirs where somebody else drives."""

    @classmethod
    def load(cls, store: Store, task: Task, size_px: int) -> "Targets":
        """Read the frames of a task."""
        drawn = Frames.of(target_frames(store, task.queries, size_px), neighbours(task.frames))
        return cls(drawn, Frames.of(target_frames(store, task.real, size_px)) if task.real else drawn)

    def of(self, spec: MetricSpec) -> Frames:
        """Return the frames that a metric compares with."""
        return self.person if spec.across == "person" else self.drawn

    def black(self) -> Frames:
        """Return as many black frames."""
        return Frames.of(np.zeros_like(self.drawn.pixels))

    def __len__(self) -> int:
        return len(self.drawn)
