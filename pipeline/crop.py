"""The square that is cut out of every frame of a clip."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from pipeline.config import PipelineConfig
from pipeline.picture import Area

LEAST_MARGIN = 0.1
"""Room around the face boxes that is kept if the picture has it, as a fraction of the face."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """A square of whole source pixels; parts of it may lie outside the picture."""

    left: int
    top: int
    side: int

    def affine(self, size_px: int) -> Float[np.ndarray, "2 3"]:
        """Return the map from source pixels to pixels of the `size_px` crop (pixel centres at whole numbers)."""
        scale = size_px / self.side
        shift = (scale - 1) / 2
        return np.array([[scale, 0, shift - scale * self.left], [0, scale, shift - scale * self.top]])

    def inside(self, width: int, height: int) -> Area:
        """Return the part of the square that lies inside a picture of that size; at least one pixel."""
        left, top = min(max(self.left, 0), width - 1), min(max(self.top, 0), height - 1)
        right, bottom = min(self.left + self.side, width), min(self.top + self.side, height)
        return Area(left, top, max(right, left + 1), max(bottom, top + 1))

    def pad_fraction(self, width: int, height: int) -> float:
        """Return the share of the square that lies outside a picture of that size."""
        inner = self.inside(width, height)
        return 1 - (inner.right - inner.left) * (inner.bottom - inner.top) / self.side**2


def tube(boxes: Float[np.ndarray, "frames 4"], width_px: int, height_px: int, config: PipelineConfig) -> Square:
    """Return one square for a whole clip: around every face box, with room for hair and chin.

    One fixed square keeps the head's movement and adds no jitter. As in the crops of the first-order motion model
    it is the union of the boxes with a margin, but always square, so nothing is squashed. Where the margin would
    leave the picture, the square moves back into it and, if it is too large for that, gives up its margin (all but a
    tenth of the face): what lies outside is only padding.

    Args:
        boxes: x0, y0, x1, y1 of the face in the frames where it was found, source pixels.
        width_px: Width of the picture.
        height_px: Height of the picture.
        config: Gives the margins.
    """
    face = np.median(boxes[:, 2:] - boxes[:, :2], axis=0)
    union = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
    wished = _grown(union, face, (config.margin_side, config.margin_top, config.margin_side, config.margin_bottom))
    needed = _grown(union, face, (LEAST_MARGIN,) * 4)
    inside = np.clip(needed, 0, [width_px, height_px] * 2)
    needed = np.concatenate([np.minimum(inside[:2], union[:2]), np.maximum(inside[2:], union[2:])])
    longest = max(_sides(needed).max(), min(width_px, height_px))
    side = _even_up(min(_sides(wished).max(), longest))
    left, top = (
        _placed(wished[[axis, axis + 2]], needed[[axis, axis + 2]], side, extent)
        for axis, extent in ((0, width_px), (1, height_px))
    )
    return Square(left=left, top=top, side=side)


def _grown(
    box: Float[np.ndarray, " 4"], face: Float[np.ndarray, " 2"], margins: tuple[float, float, float, float]
) -> Float[np.ndarray, " 4"]:
    return np.asarray(box + np.array([-1, -1, 1, 1]) * margins * np.tile(face, 2))


def _sides(box: Float[np.ndarray, " 4"]) -> Float[np.ndarray, " 2"]:
    return np.asarray(box[2:] - box[:2])


def _placed(wished: Float[np.ndarray, " 2"], needed: Float[np.ndarray, " 2"], side: int, extent: int) -> int:
    """Return where the square starts on one axis: inside the picture if it can be, around the face always.

    On an even pixel, because most video stores colour for pairs of pixels.
    """
    start = float(wished.mean()) - side / 2
    inside = (0.0, float(extent - side)) if side <= extent else (float(extent - side), 0.0)
    start = min(max(start, inside[0]), inside[1])
    return 2 * round(min(max(start, float(needed[1]) - side), float(needed[0])) / 2)


def _even_up(length: float) -> int:
    return 2 * int(np.ceil(length / 2))


def cut(picture: UInt8[np.ndarray, "height width 3"], square: Square, size_px: int) -> UInt8[np.ndarray, "size size 3"]:
    """Return the square as a picture of `size_px` pixels; what lies outside the frame repeats its border."""
    area = square.inside(picture.shape[1], picture.shape[0])
    return fitted(picture[area.top : area.bottom, area.left : area.right], square, size_px)


def fitted(
    inner: UInt8[np.ndarray, "height width 3"], square: Square, size_px: int
) -> UInt8[np.ndarray, "size size 3"]:
    """Return `cut` from the part of the picture that lies inside the square.

    Shrinking averages areas, so fine detail does not alias; enlarging is bicubic.
    """
    height, width = inner.shape[:2]
    if (height, width) != (square.side, square.side):
        top, left = max(-square.top, 0), max(-square.left, 0)
        pads = (top, square.side - height - top, left, square.side - width - left)
        inner = cv2.copyMakeBorder(inner, *pads, cv2.BORDER_REPLICATE)
    method = cv2.INTER_AREA if square.side > size_px else cv2.INTER_CUBIC
    return cv2.resize(inner, (size_px, size_px), interpolation=method).reshape(size_px, size_px, 3)


def around_box(box: Float[np.ndarray, " 4"], width_px: int, height_px: int) -> Square:
    """Return the smallest square around a box, moved into the picture where it fits: nothing is squashed."""
    side = _even_up(_sides(box).max() - 1e-3)  # fractions of a width are rounded
    left, top = (
        _placed(box[[axis, axis + 2]], box[[axis, axis + 2]], side, extent)
        for axis, extent in ((0, width_px), (1, height_px))
    )
    return Square(left=left, top=top, side=side)
