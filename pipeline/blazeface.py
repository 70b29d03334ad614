"""Face detection with BlazeFace: letterbox, anchors, box decoding and weighted non-maximum suppression.

Written from the model cards and graph options that MediaPipe publishes with the networks (Bazarevsky et al.,
"BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019).
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from pipeline.networks import TfliteNetwork

MERGE_IOU = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorGrid:
    """Square feature maps of a BlazeFace network: (cells per side, anchors per cell), finest first."""

    maps: tuple[tuple[int, int], ...]
    min_score: float


SHORT_RANGE = AnchorGrid(maps=((16, 2), (8, 6)), min_score=0.5)
FULL_RANGE = AnchorGrid(maps=((48, 1),), min_score=0.6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What a detector says of a face, in pixels of the picture."""

    box: Float[np.ndarray, " 4"]
    """x0, y0, x1, y1."""
    keypoints: Float[np.ndarray, "points 2"]
    """Image-left eye, image-right eye, nose tip; then BlazeFace's mouth, image-left ear and image-right ear, or SCRFD's
    corners of the mouth."""
    score: float


class BlazeFace:
    """Detector of the faces in a picture."""

    def __init__(self, path: Path, grid: AnchorGrid) -> None:
        self._network = TfliteNetwork(path)
        self._anchors = anchor_centres(grid)
        self._min_score = grid.min_score

    def __call__(self, rgb: UInt8[np.ndarray, "height width 3"]) -> list[Detection]:
        """Return the faces of the picture, largest first."""
        height, width = rgb.shape[:2]
        side = self._network.input_px
        raw, logits = self._network(letterbox(rgb, side))
        scores = 1 / (1 + np.exp(-np.clip(logits[:, 0], -80, 80)))
        found = scores >= self._min_score
        if not found.any():
            return []
        points = decode(raw[found], self._anchors[found], side)
        # Letterboxed fractions to pixels of the picture; -0.5 because pixel centres have whole numbers.
        points = (points - 0.5) * max(height, width) + np.array([width, height]) / 2 - 0.5
        faces = merge(points.astype(np.float32), scores[found].astype(np.float32))
        return sorted(faces, key=lambda face: -box_area(face.box))


def anchor_centres(grid: AnchorGrid) -> Float[np.ndarray, "anchors 2"]:
    """Return the anchor centres as (x, y) fractions of the input; all anchors have the size of the input."""
    centres = []
    for cells, per_cell in grid.maps:
        y, x = np.mgrid[:cells, :cells]
        centres.append(np.repeat((np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) / cells, per_cell, axis=0))
    return np.concatenate(centres).astype(np.float32)


def letterbox(rgb: UInt8[np.ndarray, "height width 3"], side: int) -> Float[np.ndarray, "side side 3"]:
    """Return the picture scaled into a square of `side` pixels, centred on grey, in [-1, 1]."""
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    small_height, small_width = max(1, round(height * scale)), max(1, round(width * scale))
    small = cv2.resize(rgb, (small_width, small_height), interpolation=cv2.INTER_AREA)
    square = np.zeros((side, side, 3), np.float32)
    top, left = (side - small_height) // 2, (side - small_width) // 2
    square[top : top + small_height, left : left + small_width] = small * np.float32(1 / 127.5) - 1
    return square


def decode(
    raw: Float[np.ndarray, "found 16"], anchors: Float[np.ndarray, "found 2"], side: int
) -> Float[np.ndarray, "found 8 2"]:
    """Return box corners (top-left, bottom-right) and the six keypoints as fractions of the input."""
    pairs = raw.reshape(-1, 8, 2) / side
    centre, size = pairs[:, 0] + anchors, pairs[:, 1]
    corners = np.stack([centre - size / 2, centre + size / 2], axis=1)
    return np.concatenate([corners, pairs[:, 2:] + anchors[:, None]], axis=1)


def merge(points: Float[np.ndarray, "found 8 2"], scores: Float[np.ndarray, " found"]) -> list[Detection]:
    """Return one detection per group of overlapping candidates: their mean, weighted by score."""
    faces = []
    left = np.argsort(-scores, kind="stable")
    while left.size:
        boxes = points[left, :2].reshape(-1, 4)
        overlaps = box_iou(boxes[0], boxes) >= MERGE_IOU
        overlaps[0] = True
        group = left[overlaps]
        mean = np.average(points[group], axis=0, weights=scores[group]).astype(np.float32)
        faces.append(Detection(box=mean[:2].reshape(4), keypoints=mean[2:], score=float(scores[left[0]])))
        left = left[~overlaps]
    return faces


def box_area(box: Float[np.ndarray, " 4"]) -> float:
    """Return the area of a box in square pixels, 0 where it is inside out."""
    return float(max(box[2] - box[0], 0) * max(box[3] - box[1], 0))


def box_iou(box: Float[np.ndarray, " 4"], others: Float[np.ndarray, "boxes 4"]) -> Float[np.ndarray, " boxes"]:
    """Return intersection over union of one box with each of the others."""
    size = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    intersection = np.prod(np.clip(size, 0, None), axis=1)
    areas = np.prod(np.clip(others[:, 2:] - others[:, :2], 0, None), axis=1)
    union = box_area(box) + areas - intersection
    return np.asarray(np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0))
