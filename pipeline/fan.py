"""Landmarks with FAN: many face crops go through the network at once, and peaks are read between pixels.

Network and crop are face-alignment's own (Bulat and Tzimiropoulos, "How far are we from solving the 2D & 3D Face
Alignment problem?", ICCV 2017). Differs from that package in that faces of many pictures make one batch, that the
peak of a heat map is found below its grid, that points keep their fraction (the package truncates them to whole
pixels) and, by default, in that the mirrored picture is not looked at, which costs as much again.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8

from pipeline.landmarks import IBUG_SCHEME, MIRRORED
from weights.fetch import fetch

CROP_PX = 256
HEATMAP_PX = 64
BOX_TO_SCALE = 195.0
"""Width plus height of a face box that is looked at in a square of 200 pixels, as the S3FD boxes FAN knows."""
SCALE_PX = 200.0
CENTRE_RISE = 0.12
"""The square's centre lies above the box's by this share of its height."""
LEAST_HEAT = 1e-6


class Fan:
    """Landmark network."""

    scheme = IBUG_SCHEME
    weight_ids: tuple[str, ...] = ("fan-2dfan4",)

    def __init__(self, network: torch.nn.Module, *, batch: int = 16, mirrored_too: bool = False) -> None:
        """Wrap a network.

        Args:
            network: Maps crops (faces, 3, 256, 256) in [0, 1] to a list whose last entry is heat maps
                (faces, 68, 64, 64).
            batch: Crops in one call of the network.
            mirrored_too: Add the heat maps of the mirrored crop, as face-alignment does by default.
        """
        self._network = network.eval()
        self._device = next(network.parameters()).device
        self._batch = batch
        self._mirrored_too = mirrored_too

    @classmethod
    def load(cls) -> "Fan":
        """Return FAN with four stages and its published weights, on the GPU where there is one.

        Raises:
            WeightUnavailable: The file cannot be had; the message says how to get it.
        """
        return cls(read_network(fetch(cls.weight_ids[0])))

    def __call__(
        self, pictures: Sequence[UInt8[np.ndarray, "height width 3"]], boxes: Float[np.ndarray, "faces 4"]
    ) -> tuple[Float[np.ndarray, "faces 68 2"], Float[np.ndarray, "faces 68"]]:
        """Return points in pixels of their picture, and each heat map's peak, clipped to [0, 1]."""
        squares = np.stack([square_around(box) for box in boxes])
        crops = np.stack([crop(picture, square) for picture, square in zip(pictures, squares, strict=True)])
        places, heat = peaks(self.heatmaps(crops))
        sides = (squares[:, 2:] - squares[:, :2])[:, None]
        points = squares[:, None, :2] + (places + 0.5) * sides / HEATMAP_PX - 0.5
        return points.astype(np.float32), np.clip(heat, 0, 1).astype(np.float32)

    @torch.inference_mode()
    def heatmaps(self, crops: UInt8[np.ndarray, "faces 256 256 3"]) -> Float[np.ndarray, "faces 68 64 64"]:
        """Return one heat map a point, for all crops."""
        maps = []
        for start in range(0, len(crops), self._batch):
            pixels = torch.from_numpy(crops[start : start + self._batch]).to(self._device)
            entry = pixels.permute(0, 3, 1, 2).float() / 255
            found = self._network(entry)[-1]
            if self._mirrored_too:
                found = found + _unmirrored(self._network(entry.flip(-1))[-1])
            maps.append(found.float().cpu().numpy())
        return np.concatenate(maps)


def read_network(path: Path) -> torch.nn.Module:
    """Return FAN with four stages and the weights of a safetensors file."""
    from face_alignment.models import FAN  # imports numba: a second that only users of FAN pay
    from safetensors.torch import load_file

    network: torch.nn.Module = FAN(4)
    network.load_state_dict(load_file(path), strict=True)
    return network.to("cuda" if torch.cuda.is_available() else "cpu")


def square_around(box: Float[np.ndarray, " 4"]) -> Float[np.ndarray, " 4"]:
    """Return the square that FAN looks at for a face box, in whole pixels as face-alignment cuts it."""
    width, height = box[2] - box[0], box[3] - box[1]
    centre = (box[:2] + box[2:]) / 2 - (0, CENTRE_RISE * height)
    side = SCALE_PX * (width + height) / BOX_TO_SCALE
    low = np.trunc(centre - side / 2 + side / CROP_PX)
    return np.concatenate([low, np.trunc(centre + side / 2)])


def crop(rgb: UInt8[np.ndarray, "height width 3"], square: Float[np.ndarray, " 4"]) -> UInt8[np.ndarray, "256 256 3"]:
    """Return the square as FAN's input; what lies outside the picture is black, as FAN was trained."""
    x0, y0, x1, y1 = square.astype(int)
    height, width = rgb.shape[:2]
    canvas = np.zeros((y1 - y0, x1 - x0, 3), np.uint8)
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    if right > left and bottom > top:
        canvas[top - y0 : bottom - y0, left - x0 : right - x0] = rgb[top:bottom, left:right]
    return cv2.resize(canvas, (CROP_PX, CROP_PX), interpolation=cv2.INTER_LINEAR).reshape(CROP_PX, CROP_PX, 3)


def peaks(
    maps: Float[np.ndarray, "faces points height width"],
) -> tuple[Float[np.ndarray, "faces points 2"], Float[np.ndarray, "faces points"]]:
    """Return where each heat map is highest, as (x, y) with pixel centres at whole numbers, and how high it is there.

    A parabola through the logarithms of the highest pixel and its two neighbours, on each axis: exact for a Gaussian,
    and never more than half a pixel from the highest one. At the edge of a map there are no two neighbours, and the
    pixel's centre stands. The idea is that of Zhang et al., "Distribution-Aware Coordinate Representation for Human
    Pose Estimation" (CVPR 2020), without their smoothing and their mixed derivative.
    """
    faces, points, height, width = maps.shape
    best = maps.reshape(faces, points, -1).argmax(axis=-1)
    y, x = np.divmod(best, width)
    padded = np.pad(np.log(np.maximum(maps, LEAST_HEAT)), ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    face, point = np.ogrid[:faces, :points]
    around = {(dy, dx): padded[face, point, y + 1 + dy, x + 1 + dx] for dy, dx in _CROSS}
    shift_x = _vertex(around[0, -1], around[0, 0], around[0, 1]) * ((x > 0) & (x < width - 1))
    shift_y = _vertex(around[-1, 0], around[0, 0], around[1, 0]) * ((y > 0) & (y < height - 1))
    heat = maps[face, point, y, x]
    return np.stack([x + shift_x, y + shift_y], axis=-1), heat


_CROSS = ((0, 0), (0, -1), (0, 1), (-1, 0), (1, 0))


def _vertex(
    before: Float[np.ndarray, "faces points"],
    at: Float[np.ndarray, "faces points"],
    after: Float[np.ndarray, "faces points"],
) -> Float[np.ndarray, "faces points"]:
    """Return where a parabola through three equidistant values has its vertex, from the middle one; 0 where flat."""
    bend = before - 2 * at + after
    flat = bend >= 0
    return np.where(flat, 0, 0.5 * (before - after) / np.where(flat, -1, bend))


def _unmirrored(maps: Float[torch.Tensor, "faces 68 height width"]) -> Float[torch.Tensor, "faces 68 height width"]:
    return maps[:, torch.from_numpy(MIRRORED)].flip(-1)
