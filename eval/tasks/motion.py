"""How far a frame is from what a system was shown: pose and face shape together, in three strata."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from pipeline.store import ClipEntry, Store
from weights.record import Record

Stratum = Literal["near", "middle", "far"]
STRATA: tuple[Stratum, ...] = ("near", "middle", "far")


class StrataBounds(Record):
    """Where the strata of motion begin and end; the same for every person, system and number of shots."""

    near_below: float
    """A distance below this is `near`: a frame that is shown resembles it, and a copy does."""
    far_from: float
    """A distance of at least this is `far`; what lies between is `middle`."""

    def of(self, distances: Float[np.ndarray, " frames"]) -> tuple[Stratum, ...]:
        """Return the stratum of each distance."""
        return tuple(STRATA[code] for code in self.codes(distances))

    def codes(self, distances: Float[np.ndarray, " frames"]) -> Int[np.ndarray, " frames"]:
        """Return the place in `STRATA` of each distance."""
        return np.asarray(np.digitize(distances, (self.near_below, self.far_from)))


BOUNDS = StrataBounds(near_below=0.05, far_from=0.1)
"""A turn of the head by 3 and by 6 degrees. Set once, without looking at any score: in calm clips the middle frame of
the second half lies 0.01 to 0.04 from the first half, in other recordings of the same person 0.03 to 0.15."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """Pose and shape of the faces in some frames."""

    pose_rad: Float[np.ndarray, "frames 3"]
    """Yaw, pitch, roll."""
    shape: Float[np.ndarray, "frames 68 2"]
    """Landmarks around their mean, with a root mean square distance from it of 1 (Kendall's pre-shape)."""

    @classmethod
    def of(cls, pose_deg: Float[np.ndarray, "frames 3"], landmarks: Float[np.ndarray, "frames 68 2"]) -> "Motion":
        """Return the motion in frames with these poses in degrees and landmarks in pixels of whatever size."""
        centred = landmarks - landmarks.mean(axis=1, keepdims=True)
        radius = np.sqrt(np.mean(np.sum(centred**2, axis=-1), axis=1))[:, None, None]
        return cls(pose_rad=np.radians(pose_deg), shape=centred / radius)

    @classmethod
    def read(cls, store: Store, clip: ClipEntry, rows: Int[np.ndarray, " rows"]) -> "Motion":
        """Return the motion in rows of a clip."""
        pose = np.stack([store.column(clip, f"{axis}_deg")[rows] for axis in ("yaw", "pitch", "roll")], axis=1)
        return cls.of(pose, store.landmarks(clip, rows))

    def take(self, places: Int[np.ndarray, " places"] | Bool[np.ndarray, " frames"]) -> "Motion":
        """Return the motion in some of the frames."""
        return Motion(pose_rad=self.pose_rad[places], shape=self.shape[places])

    def fitted_to(self, other: "Motion") -> "Motion":
        """Return the same movement around another person's mean shape, so that proportions are no distance."""
        return Motion(pose_rad=self.pose_rad, shape=self.shape - self.shape.mean(axis=0) + other.shape.mean(axis=0))

    @property
    def known(self) -> Bool[np.ndarray, " frames"]:
        """Whether pose and shape could be measured."""
        return np.asarray(np.isfinite(self.pose_rad).all(axis=1) & np.isfinite(self.shape).all(axis=(1, 2)))


def distance_to_nearest(query: Motion, support: Motion) -> Float[np.ndarray, " queries"]:
    """Return how far each query frame is from the support frame that is most like it.

    Two frames are apart by `sqrt(p^2 + s^2)`. p is the angle between the poses in radians, as the root of the summed
    squares of the differences in yaw, pitch and roll, which is the angle of the rotation between them to first order.
    s is the root mean square distance between the landmarks after both sets were centred and scaled to unit size. A
    point at unit distance from the axis moves by about the angle when the head turns, so both terms are in one unit
    and need no weights: 0.1 is a turn of the head by 6 degrees, or a face whose points moved by a tenth of its radius.

    Where the face is in the picture and how large plays no part: shifting and scaling a picture takes no model of a
    person. Turning in the picture does count, as in every measure of pose.

    Args:
        query: Frames to be drawn.
        support: Frames that are shown; at least one.

    Source: the normalisation is Kendall 1984, "Shape manifolds, Procrustean metrics, and complex projective
    spaces", without taking out the rotation; the sum with the pose is this benchmark's own.
    """
    return np.asarray(_distances(query, support).min(axis=1))


def nearest_places(query: Motion, support: Motion) -> Int[np.ndarray, " queries"]:
    """Return the place of the support frame that each query frame is nearest to."""
    return np.asarray(_distances(query, support).argmin(axis=1))


def _distances(query: Motion, support: Motion) -> Float[np.ndarray, "queries supports"]:
    turn = np.sum((query.pose_rad[:, None] - support.pose_rad[None]) ** 2, axis=-1)
    gaps = query.shape[:, None] - support.shape[None]  # (queries, supports, 68, 2)
    return np.asarray(np.sqrt(turn + np.mean(np.sum(gaps**2, axis=-1), axis=-1)))


def spread(codes: Int[np.ndarray, " candidates"], count: int) -> Int[np.ndarray, " chosen"]:
    """Return the places of `count` candidates, ascending: as many of each stratum as there are, evenly in time.

    A stratum with fewer candidates than its share gives all of them, and the others share what is left.

    Args:
        codes: The stratum of each candidate; candidates in the order of time.
        count: How many to choose; all where there are not more.
    """
    groups = sorted((np.flatnonzero(codes == code) for code in range(len(STRATA))), key=len)
    chosen: list[Int[np.ndarray, " share"]] = []
    left = count
    for place, group in enumerate(groups):
        share = min(len(group), left // (len(groups) - place))
        chosen.append(group[np.linspace(0, len(group) - 1, share).round().astype(np.int64)])
        left -= share
    return np.sort(np.concatenate(chosen))
