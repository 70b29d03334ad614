"""Whether face and person hold still from one frame to the next as far as they do in the target."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from eval.features import FeatureCache, Frames
from eval.metrics.geometry import FaceLandmarks, absent, face_size
from eval.metrics.identity import FaceEmbedding, cosine
from eval.metrics.measured import NO_FACE, TARGET_NO_FACE, TARGET_NO_NEIGHBOUR, Measured
from eval.specs.spec import MetricSpec
from eval.tasks.neighbours import ALONE


@dataclass(frozen=True, slots=True)
class LandmarkJitter:
    """Movement of the landmarks that the target does not have."""

    spec: MetricSpec
    landmarks: FaceLandmarks

    def score(self, generated: Frames, target: Frames, cache: FeatureCache) -> Measured:
        """Return the jitter of each frame that has a neighbour."""
        found, wanted = self.landmarks.of(generated, cache), self.landmarks.of(target, cache)
        values = landmark_jitter(found, wanted, _previous(target))
        return _measured(values, found, wanted, _previous(target))


@dataclass(frozen=True, slots=True)
class IdentityDrift:
    """Change of the person that the target does not have."""

    spec: MetricSpec
    embedding: FaceEmbedding

    def score(self, generated: Frames, target: Frames, cache: FeatureCache) -> Measured:
        """Return the drift of each frame that has a neighbour."""
        found, wanted = cache.features(self.embedding, generated), cache.features(self.embedding, target)
        values = identity_drift(found, wanted, _previous(target))
        return _measured(values, found, wanted, _previous(target))


def landmark_jitter(
    generated: Float[np.ndarray, "frames points 2"],
    target: Float[np.ndarray, "frames points 2"],
    previous: Int[np.ndarray, " frames"],
) -> Float[np.ndarray, " frames"]:
    """Return how far the movement of the points since the frame before is off, as a fraction of the face's size.

    An error that stays the same over time costs nothing.

    Args:
        generated: Landmark positions in pixels.
        target: Reference positions in pixels.
        previous: Place of the frame before, or `eval.tasks.neighbours.ALONE`: those get NaN.
    """
    error = generated.astype(np.float64) - target
    distance = np.linalg.norm(error - before(error, previous), axis=-1)
    return np.asarray(distance.mean(axis=1) / face_size(target))


def identity_drift(
    generated: Float[np.ndarray, "frames width"],
    target: Float[np.ndarray, "frames width"],
    previous: Int[np.ndarray, " frames"],
) -> Float[np.ndarray, " frames"]:
    """Return by how much more the embedding turns from the frame before than the target's does, in 1 - cosine.

    Args:
        generated: Embeddings of any length.
        target: Embeddings of the target frames.
        previous: Place of the frame before, or `eval.tasks.neighbours.ALONE`: those get NaN.
    """
    turn, natural = (1 - cosine(rows, before(rows, previous)) for rows in (generated, target))
    return np.asarray(np.maximum(turn - natural, 0))


def before(
    rows: Float[np.ndarray, "frames ..."], previous: Int[np.ndarray, " frames"]
) -> Float[np.ndarray, "frames ..."]:
    """Return the row of the frame before each; NaN where there is none."""
    taken = rows[previous].copy()
    taken[previous == ALONE] = np.nan
    return np.asarray(taken)


def _previous(target: Frames) -> Int[np.ndarray, " frames"]:
    return np.full(len(target), ALONE) if target.previous is None else target.previous


def _measured(
    values: Float[np.ndarray, " frames"],
    found: Float[np.ndarray, "frames ..."],
    wanted: Float[np.ndarray, "frames ..."],
    previous: Int[np.ndarray, " frames"],
) -> Measured:
    """Say why a frame has no value: a face is needed in it and in the one before."""
    missing = {
        NO_FACE: absent(found) | absent(before(found, previous)),
        TARGET_NO_FACE: absent(wanted) | absent(before(wanted, previous)),
        TARGET_NO_NEIGHBOUR: previous == ALONE,
    }
    return Measured.of(values, missing)
