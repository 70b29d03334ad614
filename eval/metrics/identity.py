"""Whose face it is: face-recognition embeddings and their cosine."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8

from eval.features import FeatureCache, Frames
from eval.metrics.geometry import POINTS, FaceLandmarks
from eval.metrics.measured import NO_FACE, TARGET_NO_FACE, Measured
from eval.specs.spec import MetricSpec
from pipeline.recognition import embed, read_recogniser
from weights.files import sha256_of


class FaceEmbedding:
    """Extracts the embedding of the aligned face of a frame; NaN where there is no face."""

    VERSION = 1

    def __init__(self, network: Any, key: str, landmarks: FaceLandmarks, *, workers: int = 1) -> None:
        """Wrap an `insightface` recogniser.

        Args:
            network: Has `get_feat(bgr)` and `output_shape`.
            key: Names the network file and the version of the preparation.
            landmarks: Finds the points to align by.
            workers: Faces that are computed at the same time.
        """
        self._network = network
        self._landmarks = landmarks
        self._workers = workers
        self.key = key
        self.width = int(network.output_shape[-1])

    @classmethod
    def load(cls, path: Path, landmarks: FaceLandmarks, *, workers: int = 1) -> "FaceEmbedding":
        """Load an ONNX recogniser with a 112-pixel ArcFace input."""
        key = f"embedding@{cls.VERSION}-{sha256_of(path)[:12]}+{landmarks.key}"
        return cls(read_recogniser(path), key, landmarks, workers=workers)

    def extract(self, frames: Frames, cache: FeatureCache) -> Float[np.ndarray, "frames width"]:
        """Return the embedding of each frame, not normalised."""
        points = cache.features(self._landmarks, frames).reshape(-1, POINTS, 2)
        rows = np.full((len(frames), self.width), np.nan, np.float32)
        seen = np.flatnonzero(~np.isnan(points).any(axis=(1, 2)))
        with ThreadPoolExecutor(self._workers) as pool:
            faces = pool.map(self._embed, frames.pixels[seen], points[seen])
            for index, face in zip(seen, faces, strict=True):
                rows[index] = face
        return rows

    def _embed(
        self, pixels: UInt8[np.ndarray, "size size 3"], points: Float[np.ndarray, "68 2"]
    ) -> Float[np.ndarray, " width"]:
        return embed(self._network, pixels, points)


@dataclass(frozen=True, slots=True)
class Csim:
    """Identity similarity of generated and target frame."""

    spec: MetricSpec
    embedding: FaceEmbedding

    def score(self, generated: Frames, target: Frames, cache: FeatureCache) -> Measured:
        """Return the cosine of each frame with its target."""
        found = cache.features(self.embedding, generated)
        wanted = cache.features(self.embedding, target)
        missing = {NO_FACE: _absent(found), TARGET_NO_FACE: _absent(wanted)}
        return Measured.of(cosine(found, wanted), missing)


def cosine(
    one: Float[np.ndarray, "frames width"], other: Float[np.ndarray, "frames width"]
) -> Float[np.ndarray, " frames"]:
    """Return the cosine of the angle between rows, in [-1, 1]; NaN where a row is NaN or zero."""
    x, y = one.astype(np.float64), other.astype(np.float64)
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.clip(np.sum(x * y, axis=1) / lengths, -1, 1))


def _absent(rows: Float[np.ndarray, "frames width"]) -> Bool[np.ndarray, " frames"]:
    return np.asarray(np.isnan(rows).any(axis=1))
