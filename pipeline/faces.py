"""Faces in a picture, and the protocol of whatever finds them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from pipeline.blazeface import Detection
from pipeline.facemesh import Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """One face in one picture, in pixels of that picture."""

    box: Float[np.ndarray, " 4"]
    """x0, y0, x1, y1 around the whole face, from hairline to chin."""
    score: float
    """How sure the backend is that this is a face, 0 to 1."""
    points: Float[np.ndarray, "68 2"]
    point_scores: Float[np.ndarray, " 68"]
    """How sure the backend is of each point, 0 to 1; the same for all where a network judges the face as a whole."""
    pose_deg: Float[np.ndarray, " 3"]
    """Yaw (positive: to the right of the picture), pitch (positive: down), roll (positive: clockwise)."""
    next_region: Region
    """Where to look for this face in the next frame."""

    def enlarged(self, times_x: float, times_y: float) -> "Face":
        """Return the face in pixels of a picture whose sides are so many times as long."""
        times = np.array([times_x, times_y])
        region = self.next_region
        return replace(
            self,
            box=np.asarray((self.box + 0.5) * np.tile(times, 2) - 0.5, self.box.dtype),
            points=np.asarray((self.points + 0.5) * times - 0.5, self.points.dtype),
            next_region=replace(
                region, centre=(region.centre + 0.5) * times - 0.5, side_px=region.side_px * max(times_x, times_y)
            ),
        )


@runtime_checkable
class FaceBackend(Protocol):
    """Finds faces and their 68 points."""

    name: str
    scheme: str
    weight_ids: tuple[str, ...]
    refines: bool
    """`refine` looks at the pictures again; if not, nobody needs to make them for it."""

    def detect(self, rgb: UInt8[np.ndarray, "height width 3"]) -> list[Detection]:
        """Return the faces of a picture without landmarks, largest first."""

    def fit(self, rgb: UInt8[np.ndarray, "height width 3"], detection: Detection) -> Face | None:
        """Return a detected face with landmarks; None if it turns out to be none."""

    def find(self, rgb: UInt8[np.ndarray, "height width 3"]) -> list[Face]:
        """Return the faces of a picture with landmarks, largest first."""

    def follow(self, rgb: UInt8[np.ndarray, "height width 3"], previous: Face) -> Face | None:
        """Return the same face one frame later; None where it is lost."""

    def refine(self, pictures: Sequence[UInt8[np.ndarray, "height width 3"]], faces: Sequence[Face]) -> list[Face]:
        """Return the same faces with the points that count, one face for each picture.

        Following a face needs only rough points, frame by frame; this is for what is stored and measured, many
        pictures in one call.
        """
