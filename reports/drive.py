"""Composition of a driven video: the recording that drives, beside the person it animates."""

import cv2
import numpy as np
from jaxtyping import UInt8

GAP_PX = 8


def side_by_side(
    driving_frames: UInt8[np.ndarray, "driving_frames driving_height driving_width 3"],
    generated_frames: UInt8[np.ndarray, "frames height width 3"],
) -> UInt8[np.ndarray, "frames even_height wide 3"]:
    """Return the driving frames on the left of the generated ones, with a gap of 8 pixels.

    The generated half keeps its pixels; the driving half is brought to its height. The total width and the
    height are cut to even numbers, as 4:2:0 video needs.

    Raises:
        ValueError: The two differ in the number of frames.
    """
    if len(driving_frames) != len(generated_frames):
        raise ValueError(f"{len(driving_frames)} driving frames but {len(generated_frames)} generated ones")
    height, width = generated_frames.shape[1:3]
    left_px = round(driving_frames.shape[2] * height / driving_frames.shape[1])
    composed = np.full((len(generated_frames), height, left_px + GAP_PX + width, 3), 255, np.uint8)
    shrinks = height < driving_frames.shape[1]
    for row, frame in enumerate(driving_frames):
        resampling = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        composed[row, :, :left_px] = cv2.resize(frame, (left_px, height), interpolation=resampling)
    composed[:, :, left_px + GAP_PX :] = generated_frames
    return composed[:, : height // 2 * 2, : composed.shape[2] // 2 * 2]
