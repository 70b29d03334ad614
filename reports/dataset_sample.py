"""A look into a dataset of any size: a bounded number of its frames, spread evenly over people and clips."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
from jaxtyping import Float, Int

from pipeline.store import Store
from reports.media import Media
from reports.pictures import Picture, picture

MOST_CLIPS = 200
"""Clips whose frames are counted for poses and sharpness."""
MOST_FACES = 240
"""People who are shown."""
FACE_PX = 96
YAW_EDGES = (-45.0, -25.0, -8.0, 8.0, 25.0, 45.0)
PITCH_EDGES = (-25.0, -8.0, 8.0, 25.0)
YAW_NAMES = ("far left", "left", "a little left", "ahead", "a little right", "right", "far right")
PITCH_NAMES = ("far up", "up", "level", "down", "far down")

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSample:
    """The usable frames of some clips."""

    keys: tuple[str, ...]
    """Of the clips."""
    clip: Int[np.ndarray, " frames"]
    """Which of them a frame belongs to."""
    row: Int[np.ndarray, " frames"]
    yaw_deg: Float[np.ndarray, " frames"]
    pitch_deg: Float[np.ndarray, " frames"]
    roll_deg: Float[np.ndarray, " frames"]
    sharpness: Float[np.ndarray, " frames"]

    @classmethod
    def of(cls, store: Store, keys: Sequence[str], most: int = MOST_CLIPS) -> Self:
        """Read the frames of up to `most` of the clips, evenly spread over the list."""
        chosen = tuple(spread(keys, most))
        clips = [store.clip(key) for key in chosen]
        rows = [store.usable_rows(clip) for clip in clips]

        def joined(name: str) -> np.ndarray:
            parts = [store.column(clip, name)[own] for clip, own in zip(clips, rows, strict=True)]
            return np.concatenate([np.empty(0, np.float32), *parts])

        return cls(
            keys=chosen,
            clip=np.repeat(np.arange(len(clips)), [len(own) for own in rows]),
            row=np.concatenate([np.empty(0, np.int64), *rows]),
            yaw_deg=joined("yaw_deg"),
            pitch_deg=joined("pitch_deg"),
            roll_deg=joined("roll_deg"),
            sharpness=joined("sharpness"),
        )

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoseCell:
    """Where heads are turned: how often, and one of them."""

    name: str
    share: float
    """Of the sampled frames."""
    picture: Picture | None


def spread(items: Sequence[Item], most: int) -> list[Item]:
    """Return up to `most` items at even distances."""
    if len(items) <= most:
        return list(items)
    return [items[int(place)] for place in np.linspace(0, len(items) - 1, most).round()]


def typical_face(store: Store, key: str, media: Media) -> Picture | None:
    """Return the face of median sharpness in a clip: neither its best frame nor its worst. None where it has none."""
    clip = store.clip(key)
    rows = store.usable_rows(clip)
    if not len(rows):
        return None
    sharpness = store.column(clip, "sharpness")[rows]
    middle = rows[np.argsort(sharpness, kind="stable")[len(rows) // 2]]
    return picture(store.frames(clip, [int(middle)], FACE_PX)[0], f"face of {clip.identity}", media)


def pose_grid(store: Store, sample: FrameSample, media: Media) -> tuple[tuple[PoseCell, ...], ...]:
    """Return rows from up to down, each from left to right: share of frames, and the frame nearest to the middle."""
    columns = np.digitize(sample.yaw_deg, YAW_EDGES)
    lines = np.digitize(sample.pitch_deg, PITCH_EDGES)
    measured = np.isfinite(sample.yaw_deg) & np.isfinite(sample.pitch_deg)
    return tuple(
        tuple(
            _cell(store, sample, np.flatnonzero(measured & (lines == line) & (columns == column)), up, side, media)
            for column, side in enumerate(YAW_NAMES)
        )
        for line, up in enumerate(PITCH_NAMES)
    )


def _cell(
    store: Store, sample: FrameSample, inside: Int[np.ndarray, " frames"], up: str, side: str, media: Media
) -> PoseCell:
    name = {("level", "ahead"): "straight ahead"}.get((up, side), f"{side}, {up}")
    if not len(inside):
        return PoseCell(name=name, share=0.0, picture=None)
    poses = np.stack([sample.yaw_deg[inside], sample.pitch_deg[inside]], axis=1)
    best = inside[np.argmin(np.linalg.norm(poses - np.median(poses, axis=0), axis=1))]
    clip = store.clip(sample.keys[sample.clip[best]])
    face = store.frames(clip, [int(sample.row[best])], FACE_PX)[0]
    return PoseCell(
        name=name, share=len(inside) / len(sample), picture=picture(face, f"{clip.identity}, {name}", media)
    )
