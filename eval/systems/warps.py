"""Warps of the nearest source frame: what a model must beat before it may be called better than bending a picture."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from pydantic import JsonValue

from eval.systems.protocol import Support
from model.warp import warp
from pipeline.landmarks import nearest, rescale

UNSHARP_AMOUNT = 0.5
UNSHARP_SIGMA_PX = 1.0

Frame = UInt8[np.ndarray, "size size 3"]
Points = Float[np.ndarray, "68 2"]


@dataclass(frozen=True, slots=True)
class WarpedHead:
    """Shows the support frame whose landmarks are nearest, bent to the driving ones by a thin-plate spline."""

    support: Support
    bend: Callable[[int, Points], Frame]
    """Number of the support frame and driving landmarks to a frame."""

    def render(self, driving_landmarks: Float[np.ndarray, "frames 68 2"]) -> UInt8[np.ndarray, "frames size size 3"]:
        """Return one warped support frame for each set of driving landmarks."""
        size = self.support.size_px
        frames = np.empty((len(driving_landmarks), size, size, 3), np.uint8)
        chosen = nearest(driving_landmarks, self.support.landmarks)
        for frame, number, points in zip(frames, chosen, driving_landmarks, strict=True):
            frame[...] = self.bend(int(number), points)
        return frames


class WarpNearest:
    """Bend the nearest support frame onto the driving landmarks."""

    name: ClassVar[str] = "warp-nearest"
    title: ClassVar[str] = "Warp of the nearest source frame"
    config: ClassVar[dict[str, JsonValue]] = {"version": 1}
    training_identities: ClassVar[frozenset[str]] = frozenset()

    def adapt(self, support: Support) -> WarpedHead:
        """Keep the support."""
        return WarpedHead(support, lambda number, to: warp(support.frames[number], support.landmarks[number], to))


class WarpNearest2x:
    """Bend the nearest support frame at twice the resolution, then reduce it: no blur from interpolation.

    The source is the stored frame where the data set keeps frames at least that large, else the support frame
    enlarged by bicubic interpolation, which adds no detail.
    """

    name: ClassVar[str] = "warp-nearest-2x"
    title: ClassVar[str] = "Warp at double resolution"
    config: ClassVar[dict[str, JsonValue]] = {"version": 1, "source": "stored at double size, else bicubic"}
    training_identities: ClassVar[frozenset[str]] = frozenset()

    def adapt(self, support: Support) -> WarpedHead:
        """Keep the support at twice its size."""
        size = support.size_px
        large = support.frames_2x if support.frames_2x is not None else enlarged(support.frames, 2 * size)
        landmarks = rescale(support.landmarks, size, 2 * size)

        def bend(number: int, to: Points) -> Frame:
            bent = warp(large[number], landmarks[number], rescale(to, size, 2 * size))
            return np.asarray(cv2.resize(bent, (size, size), interpolation=cv2.INTER_AREA))

        return WarpedHead(support, bend)


class WarpNearestUnsharp:
    """Bend the nearest support frame, then sharpen it: tells a gain in detail from a gain in contrast at edges."""

    name: ClassVar[str] = "warp-nearest-unsharp"
    title: ClassVar[str] = "Warp with unsharp masking"
    config: ClassVar[dict[str, JsonValue]] = {"version": 1, "amount": UNSHARP_AMOUNT, "sigma_px": UNSHARP_SIGMA_PX}
    training_identities: ClassVar[frozenset[str]] = frozenset()

    def adapt(self, support: Support) -> WarpedHead:
        """Keep the support."""

        def bend(number: int, to: Points) -> Frame:
            return unsharp(warp(support.frames[number], support.landmarks[number], to))

        return WarpedHead(support, bend)


def unsharp(frame: UInt8[np.ndarray, "size size 3"]) -> UInt8[np.ndarray, "size size 3"]:
    """Return the frame plus half of what a Gaussian blur of one pixel takes from it, cut off at black and white."""
    blurred = cv2.GaussianBlur(frame, (0, 0), UNSHARP_SIGMA_PX)
    return np.asarray(cv2.addWeighted(frame, 1 + UNSHARP_AMOUNT, blurred, -UNSHARP_AMOUNT, 0), np.uint8)


def enlarged(
    frames: UInt8[np.ndarray, "frames size size 3"], size_px: int
) -> UInt8[np.ndarray, "frames double double 3"]:
    """Return frames at another size by bicubic interpolation."""
    return np.stack([cv2.resize(frame, (size_px, size_px), interpolation=cv2.INTER_CUBIC) for frame in frames])
