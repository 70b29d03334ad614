"""Crops that turn, or move with the head: `ffhq` and `smooth`."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from scipy.ndimage import gaussian_filter1d

from pipeline.config import PipelineConfig
from pipeline.facemesh import Region, region_to_picture
from pipeline.landmarks import LEFT_EYE, RIGHT_EYE
from pipeline.picture import Area

GRID = 32
"""Points on a side of the grid that measures how much of a crop lies outside the picture."""


def ffhq_region(points: Float[np.ndarray, "68 2"]) -> Region:
    """Return the square that FFHQ cuts around a face, from eyes and mouth corners.

    Source: the alignment of Karras et al., "A Style-Based Generator Architecture for Generative Adversarial
    Networks" (2019); differs in that nothing is blurred where the square leaves the picture.
    """
    eyes = (points[RIGHT_EYE].mean(axis=0) + points[LEFT_EYE].mean(axis=0)) / 2
    eye_to_eye = points[LEFT_EYE].mean(axis=0) - points[RIGHT_EYE].mean(axis=0)
    eye_to_mouth = (points[48] + points[54]) / 2 - eyes
    across = eye_to_eye + np.array([eye_to_mouth[1], -eye_to_mouth[0]])
    half = max(np.linalg.norm(eye_to_eye) * 2.0, np.linalg.norm(eye_to_mouth) * 1.8)
    return Region(
        centre=(eyes + eye_to_mouth * 0.1).astype(np.float64),
        side_px=float(2 * half),
        angle=float(np.arctan2(across[1], across[0])),
    )


def smooth_regions(slots: list[int], boxes: Float[np.ndarray, "frames 4"], config: PipelineConfig) -> dict[int, Region]:
    """Return an upright square per time slot that follows the head without jitter.

    Place and size are low-passed forwards and backwards at once (a Gaussian), so the crop does not lag behind. Slots
    in which the face was not found take what lies between their neighbours.

    Args:
        slots: Time slots in which the face was found, increasing.
        boxes: Face in each of them, x0, y0, x1, y1 in pixels of the source.
        config: Gives margins, frame rate and the width of the Gaussian.
    """
    every = np.arange(slots[0], slots[-1] + 1)
    x0, y0, x1, y1 = (np.interp(every, slots, boxes[:, column]) for column in range(4))
    width, height = x1 - x0, y1 - y0
    tall = height * (1 + config.margin_top + config.margin_bottom)
    wide = width * (1 + 2 * config.margin_side)
    centre_y = (y0 + y1 + height * (config.margin_bottom - config.margin_top)) / 2
    rows = np.stack([(x0 + x1) / 2, centre_y, np.maximum(tall, wide)], axis=1)
    smoothed = _low_pass(rows, config.smooth_s * config.fps)
    return {
        int(slot): Region(centre=np.array([x, y]), side_px=float(side), angle=0.0)
        for slot, (x, y, side) in zip(every, smoothed, strict=True)
    }


def _low_pass(rows: Float[np.ndarray, "frames values"], sigma: float) -> Float[np.ndarray, "frames values"]:
    """Return the rows under a Gaussian in time; beyond the ends, movement goes on as it came."""
    room = min(int(np.ceil(4 * sigma)), len(rows) - 1)
    longer = np.pad(rows, ((room, room), (0, 0)), mode="reflect", reflect_type="odd")
    return np.asarray(gaussian_filter1d(longer, sigma, axis=0, mode="nearest"))[room : room + len(rows)]


def picture_to_region(region: Region, size_px: int) -> Float[np.ndarray, "2 3"]:
    """Return the affine map from pixels of the picture to pixels of the `size_px` crop."""
    return np.asarray(cv2.invertAffineTransform(region_to_picture(region, size_px)))


def area_of(region: Region, width: int, height: int) -> Area:
    """Return the part of a picture that a region needs, with room to interpolate."""
    corners = _corners(region)
    low, high = np.floor(corners.min(axis=0)) - 2, np.ceil(corners.max(axis=0)) + 3
    left, top = (int(np.clip(value, 0, extent - 1)) for value, extent in zip(low, (width, height), strict=True))
    right, bottom = (int(np.clip(value, 1, extent)) for value, extent in zip(high, (width, height), strict=True))
    return Area(left, top, max(right, left + 1), max(bottom, top + 1))


def cut_region(
    inner: UInt8[np.ndarray, "height width 3"], area: Area, region: Region, size_px: int
) -> UInt8[np.ndarray, "size size 3"]:
    """Return a region as a picture of `size_px` pixels; what lies outside the frame repeats its border.

    Where it shrinks, a picture a whole number of times as large is cut first and its areas are averaged.

    Args:
        inner: The part of the picture that `area_of` says.
        area: Where that part lies.
        region: What to cut.
        size_px: Side wanted.
    """
    times = max(1, int(np.ceil(region.side_px / size_px)))
    to_picture = region_to_picture(region, size_px * times)
    to_picture[:, 2] -= (area.left, area.top)
    method = cv2.INTER_CUBIC if region.side_px < size_px else cv2.INTER_LINEAR
    large = cv2.warpAffine(
        inner, to_picture, (size_px * times,) * 2, flags=method | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    small = large if times == 1 else cv2.resize(large, (size_px, size_px), interpolation=cv2.INTER_AREA)
    return small.reshape(size_px, size_px, 3)


def pad_fraction(region: Region, width: int, height: int) -> float:
    """Return the share of a region that lies outside a picture of that size, measured on a grid of 32 x 32 points."""
    steps = (np.arange(GRID) + 0.5) / GRID * region.side_px - region.side_px / 2
    x, y = np.meshgrid(steps, steps)
    cos, sin = np.cos(region.angle), np.sin(region.angle)
    picture_x = region.centre[0] + cos * x - sin * y
    picture_y = region.centre[1] + sin * x + cos * y
    outside = (picture_x < -0.5) | (picture_x > width - 0.5) | (picture_y < -0.5) | (picture_y > height - 0.5)
    return float(outside.mean())


def _corners(region: Region) -> Float[np.ndarray, "4 2"]:
    half = region.side_px / 2
    cos, sin = np.cos(region.angle) * half, np.sin(region.angle) * half
    offsets = np.array(
        [[-cos + sin, -sin - cos], [cos + sin, sin - cos], [cos - sin, sin + cos], [-cos - sin, -sin + cos]]
    )
    return np.asarray(region.centre + offsets)
