"""Whether it is still the same person: face-recognition embeddings now and then along a clip."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from pipeline.alignment import arcface_crop
from pipeline.landmarks import five_points
from pipeline.onnx_session import one_thread_session
from weights.fetch import fetch

WEIGHT_ID = "fr-feature-512"


def read_recogniser(path: Path) -> Any:
    """Return the network of an ONNX file with a 112-pixel ArcFace input: insightface's `ArcFaceONNX`, one thread."""
    from insightface.model_zoo.arcface_onnx import ArcFaceONNX

    return ArcFaceONNX(model_file=str(path), session=one_thread_session(path))


@cache
def load_recogniser() -> Any:
    """Return the embedded network; one per process.

    Raises:
        WeightUnavailable: Its file cannot be had.
    """
    return read_recogniser(fetch(WEIGHT_ID))


def embed(
    network: Any, rgb: UInt8[np.ndarray, "height width 3"], points: Float[np.ndarray, "68 2"]
) -> Float[np.ndarray, " width"]:
    """Return the embedding of the face with these points, not normalised."""
    crop = arcface_crop(rgb, five_points(points))
    return np.asarray(network.get_feat(np.ascontiguousarray(crop[..., ::-1]))[0])


def direction(vector: Float[np.ndarray, " width"]) -> Float[np.ndarray, " width"]:
    """Return an embedding at unit length, in double precision: the product of two is their cosine."""
    vector = vector.astype(np.float64)
    return np.asarray(vector / np.linalg.norm(vector))


class Likeness:
    """Compares faces along a clip with the first one."""

    def __init__(self, network: Any) -> None:
        self._network = network
        self._first: Float[np.ndarray, " width"] | None = None

    def __call__(self, rgb: UInt8[np.ndarray, "height width 3"], points: Float[np.ndarray, "68 2"]) -> float:
        """Return the cosine between this face and the first one seen, in [-1, 1]; 1 for the first itself."""
        found = direction(embed(self._network, rgb, points))
        if self._first is None:
            self._first = found
        return float(found @ self._first)
