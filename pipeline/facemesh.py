"""Landmarks with FaceMesh: a rotated square around the face goes in, 468 vertices and a score come out.

Written from the model card and graph options that MediaPipe publishes with the network (Kartynnik et al.,
"Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", 2019).
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from pipeline.blazeface import Detection
from pipeline.networks import TfliteNetwork

REGION_SCALE = 1.5
"""The square is this much larger than the face box."""

# fmt: off
MESH_TO_68 = np.array([
    127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356,  # jaw
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,                                      # brows
    168, 197, 5, 4, 98, 97, 2, 326, 327,                                                # nose
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,                          # eyes
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,                                # outer lip
    78, 82, 13, 312, 308, 317, 14, 87,                                                  # inner lip
])
# fmt: on
RIGHT_EYE_CORNER, LEFT_EYE_CORNER, FOREHEAD, CHIN = 33, 263, 10, 152


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A rotated square in a picture."""

    centre: Float[np.ndarray, " 2"]
    side_px: float
    angle: float
    """Radians by which the face is turned clockwise on the screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """The vertices of one face in pixels of the picture, and how sure the network is that it is a face."""

    vertices: Float[np.ndarray, "468 3"]
    """x, y, and depth in the same unit: smaller is nearer to the camera."""
    score: float


class FaceMesh:
    """Landmark network."""

    def __init__(self, path: Path) -> None:
        self._network = TfliteNetwork(path)

    def __call__(self, rgb: UInt8[np.ndarray, "height width 3"], region: Region) -> Mesh:
        """Return the mesh of the face that fills the region."""
        side = self._network.input_px
        to_picture = region_to_picture(region, side)
        crop = cv2.warpAffine(rgb, to_picture, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        vertices, logit = self._network(crop * np.float32(1 / 255))
        vertices = vertices.reshape(468, 3)
        # Whole numbers are pixel centres in the network's output: only so do a picture and its mirror image agree.
        flat = vertices[:, :2] @ to_picture[:, :2].T + to_picture[:, 2]
        depth = vertices[:, 2:] * (region.side_px / side)
        score = 1 / (1 + np.exp(-np.clip(float(logit.reshape(())), -80, 80)))
        return Mesh(vertices=np.concatenate([flat, depth], axis=1).astype(np.float32), score=float(score))


def region_to_picture(region: Region, side: int) -> Float[np.ndarray, "2 3"]:
    """Return the affine map from pixels of the `side`-pixel network input to pixels of the picture."""
    scale = region.side_px / side
    cos, sin = np.cos(region.angle) * scale, np.sin(region.angle) * scale
    linear = np.array([[cos, -sin], [sin, cos]])
    middle = (side - 1) / 2
    return np.concatenate([linear, (region.centre - linear @ [middle, middle])[:, None]], axis=1)


def region_of_detection(face: Detection) -> Region:
    """Return the square to search for a face that the detector found."""
    return _region(face.box.reshape(2, 2), face.keypoints[0], face.keypoints[1])


def region_of_mesh(mesh: Mesh) -> Region:
    """Return the square to search in the next frame for a face whose mesh is known."""
    flat = mesh.vertices[:, :2]
    angle = _angle(flat[RIGHT_EYE_CORNER], flat[LEFT_EYE_CORNER])
    cos, sin = np.cos(angle), np.sin(angle)
    upright = flat @ np.array([[cos, -sin], [sin, cos]])  # turned back by the angle
    low, high = upright.min(axis=0), upright.max(axis=0)
    centre = np.array([[cos, -sin], [sin, cos]]) @ ((low + high) / 2)
    return Region(centre=centre, side_px=float((high - low).max()) * REGION_SCALE, angle=angle)


def head_pose_deg(mesh: Mesh) -> Float[np.ndarray, " 3"]:
    """Return yaw, pitch and roll in degrees, read off the axes of the mesh itself.

    The first axis joins the outer eye corners, the second forehead and chin. Yaw is positive when the face turns
    to the right of the picture, pitch when it looks down, roll when it tilts clockwise. Differs from a
    perspective-n-point fit in that it needs no camera and no reference head.
    """
    across = mesh.vertices[LEFT_EYE_CORNER] - mesh.vertices[RIGHT_EYE_CORNER]
    down = mesh.vertices[CHIN] - mesh.vertices[FOREHEAD]
    yaw = np.arctan2(across[2], np.hypot(across[0], across[1]))
    pitch = np.arctan2(down[2], np.hypot(down[0], down[1]))
    roll = np.arctan2(across[1], across[0])
    return np.asarray(np.degrees([yaw, pitch, roll]), np.float32)


def _region(
    corners: Float[np.ndarray, "2 2"], right_eye: Float[np.ndarray, " 2"], left_eye: Float[np.ndarray, " 2"]
) -> Region:
    side = float((corners[1] - corners[0]).max()) * REGION_SCALE
    return Region(centre=corners.mean(axis=0), side_px=side, angle=_angle(right_eye, left_eye))


def _angle(right_eye: Float[np.ndarray, " 2"], left_eye: Float[np.ndarray, " 2"]) -> float:
    return float(np.arctan2(left_eye[1] - right_eye[1], left_eye[0] - right_eye[0]))
