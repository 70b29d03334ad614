"""The default face backend: a detector now and then, and a small network that follows a face at video rate."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from pipeline.blazeface import Detection
from pipeline.detectors import Detector
from pipeline.facemesh import MESH_TO_68, FaceMesh, Region, head_pose_deg, region_of_detection, region_of_mesh
from pipeline.faces import Face
from pipeline.landmarks import MESH_SCHEME
from weights.fetch import fetch

MESH = "facemesh-468"
MIN_MESH_SCORE = 0.5


class MeshBackend:
    """A detector for boxes, FaceMesh for landmarks."""

    name = "mesh468"
    scheme = MESH_SCHEME
    refines = False

    def __init__(self, detector: Detector) -> None:
        self.weight_ids: tuple[str, ...] = (*detector.weight_ids, MESH)
        self._detector = detector
        self._mesh = FaceMesh(fetch(MESH))

    def detect(self, rgb: UInt8[np.ndarray, "height width 3"]) -> list[Detection]:
        """Return the faces of a picture without landmarks, largest first."""
        return self._detector(rgb)

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

    def refine(self, pictures: Sequence[UInt8[np.ndarray, "height width 3"]], faces: Sequence[Face]) -> list[Face]:
        """Return the faces as they are: the points they were followed by are the mesh's already."""
        del pictures
        return list(faces)

    def _fit(self, rgb: UInt8[np.ndarray, "height width 3"], region: Region, detection_score: float) -> Face | None:
        mesh = self._mesh(rgb, region)
        if mesh.score < MIN_MESH_SCORE:
            return None
        flat = mesh.vertices[:, :2]
        return Face(
            box=np.concatenate([flat.min(axis=0), flat.max(axis=0)]),
            score=detection_score,
            points=np.ascontiguousarray(flat[MESH_TO_68]),
            point_scores=np.full(68, mesh.score, np.float32),
            pose_deg=head_pose_deg(mesh),
            next_region=region_of_mesh(mesh),
        )
