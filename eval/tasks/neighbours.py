"""Which of the frames to be drawn follow each other in time: measures of motion need truly neighbouring ones."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from eval.tasks.queries import QueryFrame

ALONE = -1
"""In place of a predecessor: the frame just before is not among the frames."""


def neighbours(frames: Sequence[QueryFrame]) -> Int[np.ndarray, " frames"]:
    """Return, for each frame, the place of the one just before it in the same clip, or `ALONE`.

    Query frames are spread over a clip, so many have no neighbour. Whatever compares frames over time counts those
    as not measurable; two frames with a gap between them say nothing about flicker.
    """
    places = {(frame.clip, frame.row): place for place, frame in enumerate(frames)}
    return np.array([places.get((frame.clip, frame.row - 1), ALONE) for frame in frames], np.int64)
