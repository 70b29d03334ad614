"""The canvas: a frame of the person, bent to the driving landmarks, which the generator then corrects."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from model.warp import warp

DETAIL = 2
"""Frames that the canvas is made of are this many times as large as the networks' where the dataset has them."""


def canvas_images(
    frames: UInt8[np.ndarray, "frames side side 3"],
    landmarks: Float[np.ndarray, "frames points 2"],
    targets: Float[np.ndarray, "frames points 2"],
    size_px: int,
) -> UInt8[np.ndarray, "frames size size 3"]:
    """Return each frame warped from its landmarks to the target's, and then reduced to `size_px`.

    Bending a larger picture keeps detail that interpolation would blur; so does interpolating with a cubic.

    Args:
        frames: RGB, `size_px` on a side or larger.
        landmarks: (x, y) in pixels of the frames, finite.
        targets: Where they shall be, in pixels of the frames.
        size_px: Side of the result.
    """
    triples = zip(frames, landmarks, targets, strict=True)
    return reduced(np.stack([warp(*triple, interpolation=cv2.INTER_CUBIC) for triple in triples]), size_px)


def reduced(frames: UInt8[np.ndarray, "*batch side side 3"], size_px: int) -> UInt8[np.ndarray, "*batch size size 3"]:
    """Return frames at `size_px` by area averaging; the same ones where they have that size."""
    side = frames.shape[-2]
    if side == size_px:
        return frames
    flat = frames.reshape(-1, side, side, 3)
    small = [cv2.resize(frame, (size_px, size_px), interpolation=cv2.INTER_AREA) for frame in flat]
    return np.stack(small).reshape(*frames.shape[:-3], size_px, size_px, 3)
