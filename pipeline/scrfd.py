"""Face detection with SCRFD (Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", 2021).

The network is that of insightface's pack `buffalo_l`, and insightface's own class runs it: letterbox, box decoding and
non-maximum suppression are theirs. The weights may be used for non-commercial research only.
"""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from pipeline.blazeface import Detection, box_area
from pipeline.onnx_session import one_thread_session
from weights.fetch import fetch

INPUT_PX = (640, 640)
"""What insightface's packs are used with; newer versions would by default look at 128 pixels, too."""


class Scrfd:
    """Detector of the faces in a picture."""

    weight_ids: tuple[str, ...] = ("scrfd-10g",)

    def __init__(self, network: Any) -> None:
        """Wrap an `insightface.model_zoo.scrfd.SCRFD` whose network gives five points for each face."""
        self._network = network

    @classmethod
    def load(cls) -> "Scrfd":
        """Return SCRFD-10GF with its published weights.

        Raises:
            WeightUnavailable: The file cannot be had; the message says how to get it.
        """
        return cls(read_scrfd(fetch(cls.weight_ids[0])))

    def __call__(self, rgb: UInt8[np.ndarray, "height width 3"]) -> list[Detection]:
        """Return the faces of a picture with a score of 0.5 and more, largest first."""
        rows, points = self._network.detect(np.ascontiguousarray(rgb[..., ::-1]), input_size=INPUT_PX)
        found = [
            Detection(box=row[:4], keypoints=five, score=float(row[4])) for row, five in zip(rows, points, strict=True)
        ]
        return sorted(found, key=lambda face: -box_area(face.box))


def read_scrfd(path: Path) -> Any:
    """Return the network of an ONNX file as insightface's own class, on one thread of the processor."""
    from insightface.model_zoo.scrfd import SCRFD

    return SCRFD(model_file=str(path), session=one_thread_session(path))
