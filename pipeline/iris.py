"""Iris centres and the direction of gaze: the 68 points do not say where somebody looks.

Written from what MediaPipe publishes about its iris network (Ablavatski et al., "Real-time Pupil Tracking from
Monocular Video for Digital Puppetry", 2020).
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from pipeline.facemesh import Region, region_to_picture
from pipeline.networks import TfliteNetwork
from weights.fetch import fetch

WEIGHT_ID = "iris"
EYE_ROOM = 2.3
"""Side of the square that the network looks at, over the width of the eye."""
EYE_CORNERS = ((36, 39), (42, 45))
"""Outer and inner corner of the right eye, inner and outer corner of the left eye."""
LIDS = ((11, 3), (13, 5))
"""Of the network's points of an eye: two of the upper lid, each with the one of the lower lid below it. They are where
points 37, 38, 40 and 41 of iBUG's 68 are."""
CORNERS = (0, 8)
EYEBALL_OVER_IRIS = 12.0 / 11.7
"""Radius of an eyeball over the diameter of an iris, in millimetres; the latter is nearly the same in all people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaze:
    """Where both irises are, and where they look relative to the head."""

    irises: Float[np.ndarray, "2 2"]
    """Centre of the iris of the right and of the left eye, in pixels of the picture."""
    yaw_deg: float
    """Positive to the right of the picture."""
    pitch_deg: float
    """Positive down."""
    openness: Float[np.ndarray, " 2"]
    """Height over width of the right and of the left eye, by the lids that this network sees: about 0.35 open, 0.1
    shut. The 68 points of FaceMesh hardly move when an eye shuts."""


class IrisNetwork:
    """Finds the irises of a face whose 68 points are known."""

    def __init__(self, path: Path) -> None:
        self._network = TfliteNetwork(path)

    def __call__(self, rgb: UInt8[np.ndarray, "height width 3"], points: Float[np.ndarray, "68 2"]) -> Gaze:
        """Return the gaze of a face. Blinking eyes give irises too: look at `openness` first."""
        irises, angles, openness = [], [], []
        for corners, mirrored in zip(EYE_CORNERS, (True, False), strict=True):
            first, last = points[list(corners)].astype(np.float64)
            iris, diameter_px, opened = self._eye(rgb, first, last, mirrored=mirrored)
            irises.append(iris)
            angles.append(_direction_deg(iris, diameter_px, first, last))
            openness.append(opened)
        yaw_deg, pitch_deg = np.mean(angles, axis=0)
        return Gaze(
            irises=np.stack(irises).astype(np.float32),
            yaw_deg=float(yaw_deg),
            pitch_deg=float(pitch_deg),
            openness=np.array(openness, np.float32),
        )

    def _eye(
        self,
        rgb: UInt8[np.ndarray, "height width 3"],
        first: Float[np.ndarray, " 2"],
        last: Float[np.ndarray, " 2"],
        *,
        mirrored: bool,
    ) -> tuple[Float[np.ndarray, " 2"], float, float]:
        """Return centre and diameter of an iris and how far the eye is open.

        The network knows left eyes, so right ones are mirrored.
        """
        side = self._network.input_px
        along = last - first
        region = Region(
            centre=(first + last) / 2,
            side_px=float(EYE_ROOM * np.linalg.norm(along)),
            angle=float(np.arctan2(along[1], along[0])),
        )
        to_picture = region_to_picture(region, side)
        if mirrored:
            to_picture = to_picture @ np.array([[-1.0, 0, side - 1], [0, 1, 0], [0, 0, 1]])
        crop = cv2.warpAffine(rgb, to_picture, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        contour, found = self._network(crop * np.float32(1 / 255))
        iris = found.reshape(5, 3)[:, :2]  # the centre, then four points on the rim
        picture = iris @ to_picture[:, :2].T + to_picture[:, 2]
        rim = np.linalg.norm(picture[1:] - picture[0], axis=1)
        return picture[0], float(2 * rim.mean()), _openness(contour.reshape(71, 3)[:, :2])


def _openness(contour: Float[np.ndarray, "71 2"]) -> float:
    """Return the height of an eye over its width, as `pipeline.landmarks.eye_openness` does with its six points."""
    heights = [np.linalg.norm(contour[upper] - contour[lower]) for upper, lower in LIDS]
    first, last = CORNERS
    return float(np.mean(heights) / np.linalg.norm(contour[last] - contour[first]))


def _direction_deg(
    iris: Float[np.ndarray, " 2"], diameter_px: float, first: Float[np.ndarray, " 2"], last: Float[np.ndarray, " 2"]
) -> Float[np.ndarray, " 2"]:
    """Return yaw and pitch of one eye: how far the iris lies off the middle of the eye, on a ball of known size."""
    across = (last - first) / np.linalg.norm(last - first)
    down = np.array([-across[1], across[0]])
    offset = iris - (first + last) / 2
    sines = np.array([offset @ across, offset @ down]) / (EYEBALL_OVER_IRIS * diameter_px)
    return np.asarray(np.degrees(np.arcsin(np.clip(sines, -1, 1))))


@cache
def load_iris() -> IrisNetwork:
    """Return the network; one per process.

    Raises:
        WeightUnavailable: Its file cannot be had.
    """
    return IrisNetwork(fetch(WEIGHT_ID))
