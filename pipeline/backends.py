"""Face backends by name: one network pair follows faces; the points that are stored may come from another network."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from pipeline.blazeface import Detection
from pipeline.config import PipelineConfig
from pipeline.detectors import load_detector
from pipeline.faces import Face, FaceBackend
from pipeline.iris import WEIGHT_ID as IRIS
from pipeline.mesh_backend import MeshBackend
from pipeline.recognition import WEIGHT_ID as RECOGNISER
from weights.errors import HeadshotError


@runtime_checkable
class Landmarker(Protocol):
    """Finds the 68 points of faces whose boxes are known."""

    scheme: str
    weight_ids: tuple[str, ...]

    def __call__(
        self, pictures: Sequence[UInt8[np.ndarray, "height width 3"]], boxes: Float[np.ndarray, "faces 4"]
    ) -> tuple[Float[np.ndarray, "faces 68 2"], Float[np.ndarray, "faces 68"]]:
        """Return points in pixels of their picture and a score for each, one face a picture.

        Boxes are x0, y0, x1, y1 from hairline to chin. Scores lie between 0 and 1, or are NaN where the network
        has none.
        """


class RefinedBackend:
    """Follows faces with one backend, and takes the points that count from another network."""

    def __init__(self, name: str, follower: FaceBackend, landmarker: Landmarker) -> None:
        self.name = name
        self.scheme = landmarker.scheme
        self.refines = True
        self.weight_ids = (*follower.weight_ids, *landmarker.weight_ids)
        self._follower = follower
        self._landmarker = landmarker

    def detect(self, rgb: UInt8[np.ndarray, "height width 3"]) -> list[Detection]:
        """Return the faces of a picture without landmarks, largest first."""
        return self._follower.detect(rgb)

    def fit(self, rgb: UInt8[np.ndarray, "height width 3"], detection: Detection) -> Face | None:
        """Return a detected face with the follower's landmarks; None if it turns out to be none."""
        return self._follower.fit(rgb, detection)

    def find(self, rgb: UInt8[np.ndarray, "height width 3"]) -> list[Face]:
        """Return the faces of a picture with the follower's landmarks, largest first."""
        return self._follower.find(rgb)

    def follow(self, rgb: UInt8[np.ndarray, "height width 3"], previous: Face) -> Face | None:
        """Return the same face one frame later; None where it is lost."""
        return self._follower.follow(rgb, previous)

    def refine(self, pictures: Sequence[UInt8[np.ndarray, "height width 3"]], faces: Sequence[Face]) -> list[Face]:
        """Return the same faces with the points of the landmark network."""
        if not faces:
            return []
        points, scores = self._landmarker(pictures, np.stack([face.box for face in faces]))
        return [
            replace(face, points=own, point_scores=score)
            for face, own, score in zip(faces, points, scores, strict=True)
        ]


class NoNetwork:
    """Finds nothing, for datasets of crops that the manifest gives."""

    name = "none"
    scheme = "none"
    weight_ids: tuple[str, ...] = ()
    refines = False

    def detect(self, rgb: UInt8[np.ndarray, "height width 3"]) -> list[Detection]:  # noqa: ARG002
        """Return no face."""
        return []

    def fit(self, rgb: UInt8[np.ndarray, "height width 3"], detection: Detection) -> Face | None:  # noqa: ARG002
        """Return no face."""
        return None

    def find(self, rgb: UInt8[np.ndarray, "height width 3"]) -> list[Face]:  # noqa: ARG002
        """Return no face."""
        return []

    def follow(self, rgb: UInt8[np.ndarray, "height width 3"], previous: Face) -> Face | None:  # noqa: ARG002
        """Return no face."""
        return None

    def refine(self, pictures: Sequence[UInt8[np.ndarray, "height width 3"]], faces: Sequence[Face]) -> list[Face]:
        """Return the faces as they are."""
        del pictures
        return list(faces)


def weights_used(config: PipelineConfig) -> tuple[str, ...]:
    """Return the ids of all networks that a config asks for."""
    optional = {IRIS: config.gaze, RECOGNISER: config.recognises}
    backend = load_backend(config.backend, config.detector)
    return (*backend.weight_ids, *(weight_id for weight_id, asked in optional.items() if asked))


def _load_fan() -> Landmarker:
    from pipeline.fan import Fan  # imports torch, which no other backend needs

    return Fan.load()


def _load_dlib() -> Landmarker:
    from pipeline.dlib_points import DlibPoints

    return DlibPoints.load()


_LANDMARKERS: dict[str, Callable[[], Landmarker]] = {"fan": _load_fan, "dlib": _load_dlib}


def _load_mesh(detector: str) -> FaceBackend:
    return MeshBackend(load_detector(detector))


@cache
def load_backend(name: str = "mesh468", detector: str = "blazeface") -> FaceBackend:
    """Return the face backend of that name; one per process.

    Args:
        name: What follows faces and gives their points.
        detector: What finds them first; nothing to the backend `none`.

    Raises:
        HeadshotError: There is no such backend or detector, or what it needs cannot be had.
    """
    if name == NoNetwork.name:
        return NoNetwork()
    if name == "mesh468":
        return _load_mesh(detector)
    if name not in _LANDMARKERS:
        known = ", ".join(repr(known) for known in ("mesh468", NoNetwork.name, *_LANDMARKERS))
        raise HeadshotError(f"face backend {name!r} is unknown; this version has {known}")
    return RefinedBackend(name, _load_mesh(detector), _LANDMARKERS[name]())
