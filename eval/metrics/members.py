"""What the sets of set-level metrics are made of: frames, or runs of frames that follow each other."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from eval.features import Frames
from eval.tasks.neighbours import ALONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """The members of a set, and how many make a distance worth printing."""

    frames: int
    """Of each member: 1 for pictures, more for runs of video."""
    unreliable_below: int
    refused_below: int = 64
    """With fewer members the distance is mostly bias, and no number is given."""

    def places(self, frames: Frames) -> Int[np.ndarray, "members frames_each"]:
        """Return the places of the frames of each member, none of them in two.

        Args:
            frames: Frames that know which of them follow each other; else no two do.
        """
        previous = np.full(len(frames), ALONE) if frames.previous is None else frames.previous
        found: list[list[int]] = []
        run: list[int] = []
        for place, before in enumerate(previous.tolist()):
            run = [*run, place] if run and before == run[-1] else [place]
            if len(run) == self.frames:
                found.append(run)
                run = []
        return np.array(found, np.int64).reshape(-1, self.frames)

    def reliability(self, count: int) -> str:
        """Return the status of a distance over this many members: `ok`, `unreliable` or `refused`."""
        if count < self.refused_below:
            return "refused"
        return "unreliable" if count < self.unreliable_below else "ok"


FRAMES = Members(frames=1, unreliable_below=256)
RUNS = Members(frames=16, unreliable_below=2048)
"""What a Frechet video distance compares."""
