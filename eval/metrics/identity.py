"""Whose face it is: face-recognition embeddings, their cosine and their distances."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from eval.features import FeatureCache, Frames
from eval.metrics.geometry import FaceLandmarks, absent
from eval.metrics.measured import NO_FACE, TARGET_NO_FACE, Measured
from eval.specs.spec import MetricSpec
from pipeline.networks import TfliteNetwork
from pipeline.recognition import embed, read_recogniser
from weights.files import sha256_of


class FaceEmbedding:
    """Extracts the embedding of the aligned face of a frame; NaN where there is no face."""

    VERSION = 1

    def __init__(self, network: Any, key: str, landmarks: FaceLandmarks, *, workers: int = 1) -> None:
        """Wrap a recogniser.

        Args:
            network: Has `get_feat(bgr)` and `output_shape`, as those of `insightface` do.
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

    @classmethod
    def load_mobile(cls, path: Path, landmarks: FaceLandmarks) -> "FaceEmbedding":
        """Load MobileFaceNet, which computes one face at a time."""
        return cls(MobileFaceNet(path), f"embedding@{cls.VERSION}-{sha256_of(path)[:12]}+{landmarks.key}", landmarks)

    def extract(self, frames: Frames, cache: FeatureCache) -> Float[np.ndarray, "frames width"]:
        """Return the embedding of each frame, not normalised."""
        points = self._landmarks.of(frames, cache)
        rows = np.full((len(frames), self.width), np.nan, np.float32)
        seen = np.flatnonzero(~absent(points))
        with ThreadPoolExecutor(self._workers) as pool:
            faces = pool.map(self._embed, frames.pixels[seen], points[seen])
            for index, face in zip(seen, faces, strict=True):
                rows[index] = face
        return rows

    def _embed(
        self, pixels: UInt8[np.ndarray, "size size 3"], points: Float[np.ndarray, "68 2"]
    ) -> Float[np.ndarray, " width"]:
        return embed(self._network, pixels, points)


class MobileFaceNet:
    """MobileFaceNet as a recogniser: RGB in [-1, 1], 192 numbers.

    Source: Chen et al. 2018, arXiv:1804.07573; range and channel order are those of its TensorFlow ports.
    """

    output_shape = (1, 192)

    def __init__(self, path: Path) -> None:
        self._network = TfliteNetwork(path)

    def get_feat(self, bgr: UInt8[np.ndarray, "112 112 3"]) -> Float[np.ndarray, "1 192"]:
        """Return the embedding of an aligned face."""
        (embedding,) = self._network((bgr[..., ::-1].astype(np.float32) - 127.5) / 128)
        return np.asarray(embedding[None])


@dataclass(frozen=True, slots=True)
class EmbeddingMetric:
    """Compares the embeddings of generated and target frame."""

    spec: MetricSpec
    embedding: FaceEmbedding
    compare: Callable[
        [Float[np.ndarray, "frames width"], Float[np.ndarray, "frames width"]], Float[np.ndarray, " frames"]
    ]

    def score(self, generated: Frames, target: Frames, cache: FeatureCache) -> Measured:
        """Return the value of each frame with its target."""
        found = cache.features(self.embedding, generated)
        wanted = cache.features(self.embedding, target)
        return Measured.of(self.compare(found, wanted), {NO_FACE: absent(found), TARGET_NO_FACE: absent(wanted)})


def cosine(
    one: Float[np.ndarray, "frames width"], other: Float[np.ndarray, "frames width"]
) -> Float[np.ndarray, " frames"]:
    """Return the cosine of the angle between rows, in [-1, 1]; NaN where a row is NaN or zero."""
    x, y = one.astype(np.float64), other.astype(np.float64)
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.clip(np.sum(x * y, axis=1) / lengths, -1, 1))


def aed_mean_absolute(
    generated: Float[np.ndarray, "frames width"], target: Float[np.ndarray, "frames width"]
) -> Float[np.ndarray, " frames"]:
    """Return the mean absolute difference of the unit embeddings of each frame."""
    return mean_absolute(_unit(generated), _unit(target))


def aed_root_mean_square(
    generated: Float[np.ndarray, "frames width"], target: Float[np.ndarray, "frames width"]
) -> Float[np.ndarray, " frames"]:
    """Return the root of the mean squared difference of the unit embeddings of each frame."""
    return root_mean_square(_unit(generated), _unit(target))


def aed_squared(
    generated: Float[np.ndarray, "frames width"], target: Float[np.ndarray, "frames width"]
) -> Float[np.ndarray, " frames"]:
    """Return the summed squared difference of the unit embeddings of each frame: 2 - 2 cosine."""
    return np.asarray(np.sum((_unit(generated) - _unit(target)) ** 2, axis=1))


AED = {
    "aed.fomm": aed_mean_absolute,
    "aed.fomm-squared": aed_squared,
    "aed.root-mean-square": aed_root_mean_square,
}
"""The formulas by the id of their metric."""


def mean_absolute(
    one: Float[np.ndarray, "*rows width"], other: Float[np.ndarray, "*rows width"]
) -> Float[np.ndarray, "*rows"]:
    """Return the mean of |one - other| over the last axis.

    Source: what the comparison script of github.com/AliaksandrSiarohin/pose-evaluation computes for each frame and
    averages over frames, and `cal_3dmm_distance.py` of github.com/MrTornado24/Next3D over a whole video.
    """
    return np.asarray(np.mean(np.abs(one.astype(np.float64) - other), axis=-1))


def root_mean_square(
    one: Float[np.ndarray, "*rows width"], other: Float[np.ndarray, "*rows width"]
) -> Float[np.ndarray, "*rows"]:
    """Return the root of the mean of (one - other)^2 over the last axis.

    Source: what `evaluation.py` of github.com/MrTornado24/Next3D prints as AED, there over all frames at once: the
    same as here for arrays that were flattened before.
    """
    return np.asarray(np.sqrt(np.mean((one.astype(np.float64) - other) ** 2, axis=-1)))


def _unit(rows: Float[np.ndarray, "frames width"]) -> Float[np.ndarray, "frames width"]:
    rows = rows.astype(np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
