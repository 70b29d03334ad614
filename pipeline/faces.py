"""Faces in a picture, and the protocol of whatever finds them."""

from dataclasses import dataclass
from functools import cache
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from pipeline.blazeface import FULL_RANGE, SHORT_RANGE, BlazeFace, Detection
from pipeline.facemesh import (
    MESH_TO_68,
    FaceMesh,
    Region,
    head_pose_deg,
    region_of_detection,
    region_of_mesh,
)
from pipeline.landmarks import MESH_SCHEME
from weights.errors import HeadshotError
from weights.fetch import fetch

MIN_MESH_SCORE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """One face in one picture, in pixels of that picture."""

    box: Float[np.ndarray, " 4"]
    """x0, y0, x1, y1 around the whole face, from hairline to chin."""
    score: float
    """How sure the backend is that this is a face, 0 to 1."""
    points: Float[np.ndarray, "68 2"]
    point_score: float
    """How sure the backend is of the points, 0 to 1."""
    pose_deg: Float[np.ndarray, " 3"]
    """Yaw (positive: to the right of the picture), pitch (positive: down), roll (positive: clockwise)."""
    next_region: Region
    """Where to look for this face in the next frame."""


@runtime_checkable
class FaceBackend(Protocol):
    """Finds faces and their 68 points."""

    name: str
    scheme: str
    weight_ids: tuple[str, ...]

    def detect(self, rgb: UInt8[np.ndarray, "height width 3"]) -> list[Detection]:
        """Return the faces of a picture without landmarks, largest first."""

    def fit(self, rgb: UInt8[np.ndarray, "height width 3"], detection: Detection) -> Face | None:
        """Return a detected face with landmarks; None if it turns out to be none."""

    def find(self, rgb: UInt8[np.ndarray, "height width 3"]) -> list[Face]:
        """Return the faces of a picture with landmarks, largest first."""

    def follow(self, rgb: UInt8[np.ndarray, "height width 3"], previous: Face) -> Face | None:
        """Return the same face one frame later; None where it is lost."""


class MeshBackend:
    """BlazeFace for boxes, FaceMesh for landmarks."""

    name = "mesh468"
    scheme = MESH_SCHEME
    weight_ids: tuple[str, ...] = ("blazeface-short", "blazeface-full-sparse", "facemesh-468")

    def __init__(self) -> None:
        short, full, mesh = (fetch(weight_id) for weight_id in self.weight_ids)
        self._near = BlazeFace(short, SHORT_RANGE)
        self._far = BlazeFace(full, FULL_RANGE)
        self._mesh = FaceMesh(mesh)

    def detect(self, rgb: UInt8[np.ndarray, "height width 3"]) -> list[Detection]:
        """Return the faces of a picture without landmarks, largest first; far ones only where none is near."""
        return self._near(rgb) or self._far(rgb)

    def fit(self, rgb: UInt8[np.ndarray, "height width 3"], detection: Detection) -> Face | None:
        """Return a detected face with landmarks; None if the mesh network does not see a face."""
        first = self._fit(rgb, region_of_detection(detection), detection.score)
        # A second look through the square of the mesh, which fits better than the detector's, as following does.
        return first and self._fit(rgb, first.next_region, detection.score)

    def find(self, rgb: UInt8[np.ndarray, "height width 3"]) -> list[Face]:
        """Return the faces of a picture with landmarks, largest first."""
        faces = (self.fit(rgb, detection) for detection in self.detect(rgb))
        return [face for face in faces if face is not None]

    def follow(self, rgb: UInt8[np.ndarray, "height width 3"], previous: Face) -> Face | None:
        """Return the same face one frame later, looking where its mesh was; None where it is lost."""
        return self._fit(rgb, previous.next_region, previous.score)

    def _fit(self, rgb: UInt8[np.ndarray, "height width 3"], region: Region, detection_score: float) -> Face | None:
        mesh = self._mesh(rgb, region)
        if mesh.score < MIN_MESH_SCORE:
            return None
        flat = mesh.vertices[:, :2]
        return Face(
            box=np.concatenate([flat.min(axis=0), flat.max(axis=0)]),
            score=detection_score,
            points=np.ascontiguousarray(flat[MESH_TO_68]),
            point_score=mesh.score,
            pose_deg=head_pose_deg(mesh),
            next_region=region_of_mesh(mesh),
        )


@cache
def load_backend(name: str = "mesh468") -> FaceBackend:
    """Return the face backend of that name; one per process.

    Raises:
        HeadshotError: There is no such backend, or its weights cannot be had.
    """
    if name != MeshBackend.name:
        raise HeadshotError(f"face backend {name!r} is unknown; this version has {MeshBackend.name!r}")
    return MeshBackend()
