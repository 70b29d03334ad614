"""Face detectors by name."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from pipeline.blazeface import FULL_RANGE, SHORT_RANGE, BlazeFace, Detection
from weights.errors import HeadshotError
from weights.fetch import fetch


@runtime_checkable
class Detector(Protocol):
    """Finds faces in a picture."""

    weight_ids: tuple[str, ...]

    def __call__(self, rgb: UInt8[np.ndarray, "height width 3"]) -> list[Detection]:
        """Return the faces of a picture, largest first."""


class BlazeFacePair:
    """BlazeFace for faces that are near; where there is none, BlazeFace for far ones."""

    weight_ids: tuple[str, ...] = ("blazeface-short", "blazeface-full-sparse")

    def __init__(self, near: BlazeFace, far: BlazeFace) -> None:
        self._near, self._far = near, far

    @classmethod
    def load(cls) -> "BlazeFacePair":
        """Return the pair with its published weights.

        Raises:
            WeightUnavailable: A file cannot be had; the message says how to get it.
        """
        short, full = (fetch(weight_id) for weight_id in cls.weight_ids)
        return cls(BlazeFace(short, SHORT_RANGE), BlazeFace(full, FULL_RANGE))

    def __call__(self, rgb: UInt8[np.ndarray, "height width 3"]) -> list[Detection]:
        """Return the faces of a picture, largest first."""
        return self._near(rgb) or self._far(rgb)


def _load_scrfd() -> Detector:
    from pipeline.scrfd import Scrfd  # imports insightface, which takes a second

    return Scrfd.load()


_DETECTORS: dict[str, Callable[[], Detector]] = {"blazeface": BlazeFacePair.load, "scrfd": _load_scrfd}


def load_detector(name: str = "blazeface") -> Detector:
    """Return the detector of that name.

    Raises:
        HeadshotError: There is no such detector, or its weights cannot be had.
    """
    if name not in _DETECTORS:
        raise HeadshotError(f"face detector {name!r} is unknown; this version has {', '.join(map(repr, _DETECTORS))}")
    return _DETECTORS[name]()
