"""The sound of a driving clip on the timeline of the video that is made of its frames."""

import numpy as np
from jaxtyping import Float, Int16

from pipeline.audio import Sound

IN_SYNC_FRAMES = 0.5
"""How far a frame may be from its sound before the sound is cut and set anew."""


def soundtrack(sound: Sound, pts_s: Float[np.ndarray, " frames"], fps: float) -> Sound:
    """Return what is heard while frames are shown one after the other at a fixed rate, each with its own sound.

    Where frames were left out, so is their sound; where the frames run on evenly, it runs on without a cut. A moment
    of which there is no sound is silent.

    Args:
        sound: The sound; its `start_s` is counted from the same moment as `pts_s`.
        pts_s: Time of each frame in the recording, ascending.
        fps: Rate at which they are shown.
    """
    frames = len(pts_s)
    late_s = np.asarray(pts_s) - np.arange(frames) / fps  # how much of the recording was left out before each frame
    heard = np.zeros((round(frames / fps * sound.rate_hz), sound.samples.shape[1]), np.int16)
    first = 0
    for frame in range(1, frames + 1):
        if frame == frames or abs(late_s[frame] - late_s[first]) > IN_SYNC_FRAMES / fps:
            begin, end = (round(place / fps * sound.rate_hz) for place in (first, frame))
            source = round((late_s[first] - sound.start_s) * sound.rate_hz)
            _copy(sound.samples, heard[begin:end], begin + source)
            first = frame
    return Sound(samples=heard, rate_hz=sound.rate_hz, start_s=0.0)


def _copy(
    samples: Int16[np.ndarray, "samples channels"], heard: Int16[np.ndarray, "heard channels"], begin: int
) -> None:
    """Fill `heard` with the samples from number `begin` on, as far as there are any."""
    low, high = max(begin, 0), min(begin + len(heard), len(samples))
    if low < high:
        heard[low - begin : high - begin] = samples[low:high]
