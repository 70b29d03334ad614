"""The eyes: how far they are open and where they look, found anew in a frame."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from eval.features import FeatureCache, Frames
from eval.metrics.geometry import FaceLandmarks, absent
from eval.metrics.measured import Measured
from eval.specs.expression import EYES_SHUT_BELOW, MIN_EYE_PX
from eval.specs.spec import MetricSpec
from pipeline.iris import EYE_CORNERS, WEIGHT_ID, IrisNetwork
from weights.fetch import fetch
from weights.files import sha256_of

NO_EYES = "no_eyes"
TARGET_NO_EYES = "target_no_eyes"
"""There is no face, or its eyes are too small to be looked at."""
TARGET_EYES_OPEN = "target_eyes_open"
"""So there is no blink to be made."""
EYES_SHUT = "eyes_shut"
TARGET_EYES_SHUT = "target_eyes_shut"
"""Shut eyes look nowhere."""


@dataclass(frozen=True, slots=True)
class Eyes:
    """Extracts openness of the right and of the left eye, then yaw and pitch of the gaze in degrees.

    NaN where there is no face or an eye is less than `MIN_EYE_PX` wide.
    """

    network: IrisNetwork
    landmarks: FaceLandmarks
    key: str
    width: int = 4
    VERSION = 1

    @classmethod
    def load(cls, landmarks: FaceLandmarks) -> "Eyes":
        """Load the network for eyes."""
        path = fetch(WEIGHT_ID)
        return cls(IrisNetwork(path), landmarks, f"eyes@{cls.VERSION}-{sha256_of(path)[:12]}+{landmarks.key}")

    def extract(self, frames: Frames, cache: FeatureCache) -> Float[np.ndarray, "frames 4"]:
        """Return a row for each frame."""
        points = self.landmarks.of(frames, cache)
        rows = np.full((len(frames), self.width), np.nan, np.float32)
        for row in np.flatnonzero(eye_width(points) >= MIN_EYE_PX):
            gaze = self.network(np.ascontiguousarray(frames.pixels[row]), points[row])
            rows[row] = *gaze.openness, gaze.yaw_deg, gaze.pitch_deg
        return rows


@dataclass(frozen=True, slots=True)
class EyesMetric:
    """Compares the eyes of generated and target frame."""

    spec: MetricSpec
    eyes: Eyes
    compare: Callable[[Float[np.ndarray, "frames 4"], Float[np.ndarray, "frames 4"]], Float[np.ndarray, " frames"]]
    """NaN where the value has no meaning."""
    pointless: str = TARGET_NO_EYES
    """Reason where the target has eyes, and yet the value has no meaning."""
    impossible: str = NO_EYES
    """Reason where the generated frame has eyes, and yet there is no value."""

    def score(self, generated: Frames, target: Frames, cache: FeatureCache) -> Measured:
        """Return the value of each frame; a target without one is left out for every system."""
        found, wanted = cache.features(self.eyes, generated), cache.features(self.eyes, target)
        values = self.compare(found, wanted)
        missing = {
            self.impossible: np.isnan(values),
            NO_EYES: absent(found),
            self.pointless: np.isnan(self.compare(wanted, wanted)),
            TARGET_NO_EYES: absent(wanted),
        }
        return Measured.of(values, missing)


def eye_width(points: Float[np.ndarray, "frames 68 2"]) -> Float[np.ndarray, " frames"]:
    """Return the width of the narrower eye in pixels."""
    widths = [np.linalg.norm(points[:, first] - points[:, last], axis=-1) for first, last in EYE_CORNERS]
    return np.asarray(np.minimum(*widths))


def openness_error(
    generated: Float[np.ndarray, "frames 4"], target: Float[np.ndarray, "frames 4"]
) -> Float[np.ndarray, " frames"]:
    """Return how far the openness of the eyes is off, as the mean of both eyes, so that a wink is an error."""
    return np.asarray(np.abs(generated[:, :2].astype(np.float64) - target[:, :2]).mean(axis=1))


def shut(eyes: Float[np.ndarray, "frames 4"]) -> Bool[np.ndarray, " frames"]:
    """Return whether the eyes are shut, on the mean of both; False where there are none."""
    return np.asarray(eyes[:, :2].mean(axis=1) < EYES_SHUT_BELOW)


def blink_agreement(
    generated: Float[np.ndarray, "frames 4"], target: Float[np.ndarray, "frames 4"]
) -> Float[np.ndarray, " frames"]:
    """Return 1 where both have their eyes shut or both have them open, else 0; NaN where there are no eyes."""
    return np.where(absent(generated) | absent(target), np.nan, shut(generated) == shut(target))


def blink_recall(
    generated: Float[np.ndarray, "frames 4"], target: Float[np.ndarray, "frames 4"]
) -> Float[np.ndarray, " frames"]:
    """Return `blink_agreement` in frames in which the target has its eyes shut, else NaN."""
    return np.where(shut(target), blink_agreement(generated, target), np.nan)


def gaze_error(
    generated: Float[np.ndarray, "frames 4"], target: Float[np.ndarray, "frames 4"]
) -> Float[np.ndarray, " frames"]:
    """Return the angle between the directions of gaze in degrees; NaN where either has its eyes shut.

    Directions are relative to the head, so that a head turned wrongly is not counted twice.
    """
    one, other = gaze_vector(generated[:, 2:]), gaze_vector(target[:, 2:])
    sine, cosine = np.linalg.norm(np.cross(one, other), axis=1), np.sum(one * other, axis=1)
    return np.where(shut(generated) | shut(target), np.nan, np.degrees(np.arctan2(sine, cosine)))


def gaze_vector(angles_deg: Float[np.ndarray, "frames 2"]) -> Float[np.ndarray, "frames 3"]:
    """Return unit vectors to the right, down and ahead for yaw and pitch in degrees."""
    yaw, pitch = np.radians(angles_deg.astype(np.float64)).T
    return np.stack([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)], axis=1)


EYES_METRICS: dict[str, Callable[[MetricSpec, Eyes], EyesMetric]] = {
    "openness.eyes": lambda spec, eyes: EyesMetric(spec, eyes, openness_error),
    "blink.agreement": lambda spec, eyes: EyesMetric(spec, eyes, blink_agreement),
    "blink.recall": lambda spec, eyes: EyesMetric(spec, eyes, blink_recall, TARGET_EYES_OPEN),
    "gaze.angular": lambda spec, eyes: EyesMetric(spec, eyes, gaze_error, TARGET_EYES_SHUT, EYES_SHUT),
}
"""The metrics by their id."""
