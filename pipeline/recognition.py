"""Whether it is still the same person: face-recognition embeddings now and then along a clip."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from pipeline.alignment import arcface_crop
from pipeline.landmarks import five_points
from weights.fetch import fetch

WEIGHT_ID = "fr-feature-512"


def read_recogniser(path: Path) -> Any:
    """Return the network of an ONNX file with a 112-pixel ArcFace input: insightface's `ArcFaceONNX`, one thread."""
    import onnxruntime
    from insightface.model_zoo.arcface_onnx import ArcFaceONNX

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # the pipeline runs a process per core, the harness faces side by side
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return ArcFaceONNX(model_file=str(path), session=session)


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


class Likeness:
    """Compares faces along a clip with the first one."""

    def __init__(self, network: Any) -> None:
        self._network = network
        self._first: Float[np.ndarray, " width"] | None = None

    def __call__(self, rgb: UInt8[np.ndarray, "height width 3"], points: Float[np.ndarray, "68 2"]) -> float:
        """Return the cosine between this face and the first one seen, in [-1, 1]; 1 for the first itself."""
        found = embed(self._network, rgb, points).astype(np.float64)
        unit = found / np.linalg.norm(found)
        if self._first is None:
            self._first = unit
        return float(unit @ self._first)
