"""Landmarks with dlib's shape predictor (Kazemi and Sullivan, CVPR 2014), trained on iBUG 300-W."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from pipeline.landmarks import IBUG_SCHEME
from weights.errors import HeadshotError
from weights.fetch import fetch

CROP_PX = 512
"""The predictor gives whole pixels: the larger the crop, the finer the points."""
SIDE_OF_HEIGHT, CENTRE_OF_HEIGHT = 0.88, 0.51
"""Side and middle of the squares of dlib's own detector, as fractions of the height of a face box from hairline to
chin: medians over 74 pictures of 17 people in which both found one face."""
ROOM = 0.25
"""What is cut out around the face on each side, as a fraction of the face box."""


class DlibPoints:
    """Landmark predictor."""

    scheme = IBUG_SCHEME
    weight_ids: tuple[str, ...] = ("dlib-68",)

    def __init__(self, dlib: Any, predictor: Any) -> None:
        self._dlib = dlib
        self._predictor = predictor

    @classmethod
    def load(cls) -> "DlibPoints":
        """Return the predictor with its published file.

        Raises:
            HeadshotError: dlib is not installed.
            WeightUnavailable: The file cannot be had.
        """
        try:
            import dlib
        except ImportError as error:
            raise HeadshotError(
                f"the face backend 'dlib' needs the package dlib ({error}); `pip install 'headshot[dlib]'`, or use "
                "another backend"
            ) from error
        return cls(dlib, dlib.shape_predictor(str(fetch(cls.weight_ids[0]))))

    def __call__(
        self, pictures: Sequence[UInt8[np.ndarray, "height width 3"]], boxes: Float[np.ndarray, "faces 4"]
    ) -> tuple[Float[np.ndarray, "faces 68 2"], Float[np.ndarray, "faces 68"]]:
        """Return points in pixels of their picture; the predictor has no scores, so they are NaN."""
        points = [self._points(picture, box) for picture, box in zip(pictures, boxes, strict=True)]
        return np.stack(points), np.full((len(points), 68), np.nan, np.float32)

    def _points(
        self, rgb: UInt8[np.ndarray, "height width 3"], box: Float[np.ndarray, " 4"]
    ) -> Float[np.ndarray, "68 2"]:
        square = _detector_square(box)
        side = float(square[2] - square[0])
        scale = CROP_PX / (side * (1 + 2 * ROOM))
        shift = ROOM * side * scale
        # Pixel centres at whole numbers on both sides.
        to_crop = np.array([[scale, 0, shift - scale * square[0]], [0, scale, shift - scale * square[1]]])
        crop = cv2.warpAffine(rgb, to_crop, (CROP_PX, CROP_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        low, high = round(shift), round(shift + side * scale)
        shape = self._predictor(crop, self._dlib.rectangle(low, low, high, high))
        found = np.array([(part.x, part.y) for part in shape.parts()], np.float64)
        return np.asarray((found - shift) / scale + square[:2], np.float32)


def _detector_square(box: Float[np.ndarray, " 4"]) -> Float[np.ndarray, " 4"]:
    """Return about the square that dlib's own detector would have found."""
    height = box[3] - box[1]
    side = SIDE_OF_HEIGHT * height
    centre = np.array([(box[0] + box[2]) / 2, box[1] + CENTRE_OF_HEIGHT * height])
    return np.concatenate([centre - side / 2, centre + side / 2])
