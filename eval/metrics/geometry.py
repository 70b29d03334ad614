"""Where the face is: landmarks and pose found anew in a frame, and errors between two sets of landmarks."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from eval.features import FeatureCache, Frames
from eval.metrics.measured import NO_FACE, TARGET_NO_FACE, Measured
from eval.specs.spec import MetricSpec
from pipeline.faces import FaceBackend
from pipeline.landmarks import interocular
from weights.fetch import fetch
from weights.files import sha256_of

POINTS = 68
POSE_AXES = 3
PUBLISHED_PX = 256
"""Side of the frames that distances in pixels are published for."""

Compare = Callable[
    [Float[np.ndarray, "frames points 2"], Float[np.ndarray, "frames points 2"], int], Float[np.ndarray, " frames"]
]
"""From generated and target landmarks and the side of the frames in pixels to a value for each frame, NaN where
there is none."""


@dataclass(frozen=True, slots=True)
class FaceFit:
    """Extracts points and pose of the largest face of a frame, without tracking; NaN where there is no face."""

    backend: FaceBackend
    key: str
    width: int = POINTS * 2 + POSE_AXES
    VERSION = 1

    @classmethod
    def load(cls, backend: FaceBackend) -> "FaceFit":
        """Wrap a face backend; the key names the files of its networks."""
        return cls(backend, f"face.{backend.scheme}@{cls.VERSION}-{_files(backend)}")

    def extract(self, frames: Frames, cache: FeatureCache) -> Float[np.ndarray, "frames 139"]:  # noqa: ARG002
        """Return (x, y) of each point in pixels, then yaw, pitch and roll in degrees, one row for each frame."""
        rows = np.full((len(frames), self.width), np.nan, np.float32)
        largest = [self.backend.find(np.ascontiguousarray(pixels))[:1] for pixels in frames.pixels]
        seen = [row for row, faces in enumerate(largest) if faces]
        refined = self.backend.refine([frames.pixels[row] for row in seen], [largest[row][0] for row in seen])
        for row, face in zip(seen, refined, strict=True):
            rows[row] = np.concatenate([face.points.ravel(), face.pose_deg])
        return rows


@dataclass(frozen=True, slots=True)
class FaceLandmarks:
    """The 68 points of a `FaceFit`; NaN where there is no face."""

    fit: FaceFit
    key: str
    width: int = POINTS * 2
    VERSION = 1

    @classmethod
    def load(cls, backend: FaceBackend) -> "FaceLandmarks":
        """Wrap a face backend; the key names the files of its networks."""
        return cls(FaceFit.load(backend), f"landmarks.{backend.scheme}@{cls.VERSION}-{_files(backend)}")

    @property
    def backend(self) -> FaceBackend:
        """What finds the faces."""
        return self.fit.backend

    def extract(self, frames: Frames, cache: FeatureCache) -> Float[np.ndarray, "frames 136"]:
        """Return (x, y) of each point in pixels, one row for each frame."""
        return cache.features(self.fit, frames)[:, : self.width]

    def of(self, frames: Frames, cache: FeatureCache) -> Float[np.ndarray, "frames 68 2"]:
        """Return the points of each frame, from the cache where they are known."""
        return cache.features(self, frames).reshape(-1, POINTS, 2)


def _files(backend: FaceBackend) -> str:
    return "-".join(sha256_of(fetch(weight_id))[:12] for weight_id in backend.weight_ids)


@dataclass(frozen=True, slots=True)
class LandmarkMetric:
    """Compares the landmarks of generated and target frame."""

    spec: MetricSpec
    landmarks: FaceLandmarks
    compare: Compare

    def score(self, generated: Frames, target: Frames, cache: FeatureCache) -> Measured:
        """Return the value of each frame; a target without one is left out for every system."""
        found, wanted = self.landmarks.of(generated, cache), self.landmarks.of(target, cache)
        size_px = target.pixels.shape[1]
        values = self.compare(found, wanted, size_px)
        missing = {NO_FACE: np.isnan(values), TARGET_NO_FACE: np.isnan(self.compare(wanted, wanted, size_px))}
        return Measured.of(values, missing)


def nme(
    predicted: Float[np.ndarray, "frames points 2"],
    target: Float[np.ndarray, "frames points 2"],
    normaliser_px: Float[np.ndarray, " frames"],
) -> Float[np.ndarray, " frames"]:
    """Return the normalised mean error of each frame; NaN where a point or the normaliser is NaN.

    Args:
        predicted: Landmark positions in pixels.
        target: Reference positions in pixels.
        normaliser_px: What one unit of error is, such as the inter-ocular distance.

    Raises:
        ValueError: A normaliser is zero or negative.
    """
    if np.any(normaliser_px <= 0):
        raise ValueError("the distance that errors are divided by must be positive")
    return np.asarray(akd_l2(predicted, target) / normaliser_px)


def nme_interocular(
    generated: Float[np.ndarray, "frames 68 2"],
    target: Float[np.ndarray, "frames 68 2"],
    size_px: int = PUBLISHED_PX,  # noqa: ARG001
) -> Float[np.ndarray, " frames"]:
    """Return the error of each frame as a fraction of the distance between the target's outer eye corners."""
    return nme(generated, target, interocular(target))


def nme_bbox(
    generated: Float[np.ndarray, "frames points 2"],
    target: Float[np.ndarray, "frames points 2"],
    size_px: int = PUBLISHED_PX,  # noqa: ARG001
) -> Float[np.ndarray, " frames"]:
    """Return the error of each frame as a fraction of the size of the target's face.

    Source: Feng et al. 2018 (PRNet), section 4; the box is around the landmarks of the target.
    """
    return nme(generated, target, face_size(target))


def face_size(points: Float[np.ndarray, "frames points 2"]) -> Float[np.ndarray, " frames"]:
    """Return sqrt(width * height) in pixels of the box around the points of each frame."""
    width, height = np.moveaxis(points.max(axis=1) - points.min(axis=1), -1, 0).astype(np.float64)
    return np.asarray(np.sqrt(width * height))


def akd_l1(
    generated: Float[np.ndarray, "frames points 2"],
    target: Float[np.ndarray, "frames points 2"],
    size_px: int = PUBLISHED_PX,
) -> Float[np.ndarray, " frames"]:
    """Return the mean absolute difference of the coordinates of each frame, in pixels of a frame of 256.

    Source: the comparison script of github.com/AliaksandrSiarohin/pose-evaluation, which averages over points and
    over x and y alike: 0.5 to 0.71 times `akd_l2`.
    """
    gaps = np.abs(generated.astype(np.float64) - target)
    return np.asarray(gaps.mean(axis=(1, 2)) * (PUBLISHED_PX / size_px))


def akd_l2(
    generated: Float[np.ndarray, "frames points 2"],
    target: Float[np.ndarray, "frames points 2"],
    size_px: int = PUBLISHED_PX,
) -> Float[np.ndarray, " frames"]:
    """Return the mean distance between the points of each frame, in pixels of a frame of 256.

    Source: the average keypoint distance as Siarohin et al. 2019, arXiv:2003.00196, section 4 describe it.
    """
    distance = np.linalg.norm(generated.astype(np.float64) - target, axis=-1)
    return np.asarray(distance.mean(axis=-1) * (PUBLISHED_PX / size_px))


def absent(rows: Float[np.ndarray, "frames ..."]) -> Bool[np.ndarray, " frames"]:
    """Return which rows were not found."""
    return np.asarray(np.isnan(rows.reshape(len(rows), -1)).any(axis=1))
