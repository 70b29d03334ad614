"""Systems that learn nothing: the floor under every comparison."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, UInt8
from pydantic import JsonValue

from eval.systems.protocol import Support
from pipeline.landmarks import nearest


@dataclass(frozen=True, slots=True)
class StillHead:
    """Shows one frame whatever the driver does."""

    frame: UInt8[np.ndarray, "size size 3"]

    def render(self, driving_landmarks: Float[np.ndarray, "frames 68 2"]) -> UInt8[np.ndarray, "frames size size 3"]:
        """Return the frame once for each set of driving landmarks."""
        return np.repeat(self.frame[None], len(driving_landmarks), axis=0)


@dataclass(frozen=True, slots=True)
class NearestHead:
    """Shows the support frame whose landmarks are nearest."""

    support: Support

    def render(self, driving_landmarks: Float[np.ndarray, "frames 68 2"]) -> UInt8[np.ndarray, "frames size size 3"]:
        """Return, for each set of driving landmarks, the support frame that resembles it most."""
        return np.asarray(self.support.frames[nearest(driving_landmarks, self.support.landmarks)])


class CopySource:
    """Show the first support frame, unmoved: identity without movement."""

    name: ClassVar[str] = "copy-source"
    title: ClassVar[str] = "Copy of the first source frame"
    config: ClassVar[dict[str, JsonValue]] = {"version": 1}
    training_identities: ClassVar[frozenset[str]] = frozenset()

    def adapt(self, support: Support) -> StillHead:
        """Keep the first support frame."""
        return StillHead(support.frames[0])


class NearestFrame:
    """Show the support frame whose landmarks are nearest the driving ones: the best that copying can do."""

    name: ClassVar[str] = "nearest-frame"
    title: ClassVar[str] = "Nearest source frame by landmarks"
    config: ClassVar[dict[str, JsonValue]] = {"version": 1}
    training_identities: ClassVar[frozenset[str]] = frozenset()

    def adapt(self, support: Support) -> NearestHead:
        """Keep the support."""
        return NearestHead(support)


class MeanFrame:
    """Show the mean of the support frames: what minimises the squared error without looking at the driver."""

    name: ClassVar[str] = "mean-frame"
    title: ClassVar[str] = "Mean of the source frames"
    config: ClassVar[dict[str, JsonValue]] = {"version": 1}
    training_identities: ClassVar[frozenset[str]] = frozenset()

    def adapt(self, support: Support) -> StillHead:
        """Average the support frames."""
        return StillHead(support.frames.mean(axis=0, dtype=np.float64).round().astype(np.uint8))
