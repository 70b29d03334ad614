"""Where the face is: landmarks found anew in a frame, and the normalised mean error between two sets."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from eval.features import FeatureCache, Frames
from eval.metrics.measured import NO_FACE, TARGET_NO_FACE, Measured
from eval.specs.spec import MetricSpec
from pipeline.faces import FaceBackend
from pipeline.landmarks import interocular
from weights.fetch import fetch
from weights.files import sha256_of

POINTS = 68


@dataclass(frozen=True, slots=True)
class FaceLandmarks:
    """Extracts the 68 points of the largest face of a frame, without tracking; NaN where there is no face."""

    backend: FaceBackend
    key: str
    width: int = POINTS * 2
    VERSION = 1

    @classmethod
    def load(cls, backend: FaceBackend) -> "FaceLandmarks":
        """Wrap a face backend; the key names the files of its networks."""
        files = "-".join(sha256_of(fetch(weight_id))[:12] for weight_id in backend.weight_ids)
        return cls(backend, f"landmarks.{backend.scheme}@{cls.VERSION}-{files}")

    def extract(self, frames: Frames, cache: FeatureCache) -> Float[np.ndarray, "frames 136"]:  # noqa: ARG002
        """Return (x, y) of each point in pixels, one row for each frame."""
        rows = np.full((len(frames), self.width), np.nan, np.float32)
        largest = [self.backend.find(np.ascontiguousarray(pixels))[:1] for pixels in frames.pixels]
        seen = [row for row, faces in enumerate(largest) if faces]
        refined = self.backend.refine([frames.pixels[row] for row in seen], [largest[row][0] for row in seen])
        for row, face in zip(seen, refined, strict=True):
            rows[row] = face.points.ravel()
        return rows


@dataclass(frozen=True, slots=True)
class Nme:
    """Landmark error between generated and target frame."""

    spec: MetricSpec
    landmarks: FaceLandmarks

    def score(self, generated: Frames, target: Frames, cache: FeatureCache) -> Measured:
        """Return the error of each frame as a fraction of the target's inter-ocular distance."""
        found = cache.features(self.landmarks, generated).reshape(-1, POINTS, 2)
        wanted = cache.features(self.landmarks, target).reshape(-1, POINTS, 2)
        missing = {
            NO_FACE: np.isnan(found).any(axis=(1, 2)),
            TARGET_NO_FACE: np.isnan(wanted).any(axis=(1, 2)),
        }
        return Measured.of(nme(found, wanted, interocular(wanted)), missing)


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
    distance = np.linalg.norm(predicted.astype(np.float64) - target, axis=-1)
    return np.asarray(distance.mean(axis=-1) / normaliser_px)
