"""The first look at a clip: who is meant, where the face is in each frame, and what is to be cut."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from manifests.schema import Clip
from pipeline.backends import load_backend
from pipeline.config import PipelineConfig
from pipeline.crop import around_box
from pipeline.faces import Face
from pipeline.framing import FixedSquare, Framing, frame_faces
from pipeline.track import Track, Tracker, pick_person
from pipeline.verdicts import ClipRejectedError, RejectReason
from pipeline.video import RawFrame, VideoInfo, VideoReader

BATCH_FRAMES = 64
KEPT_BYTES = 192 << 20
"""Decoded frames of a short clip are kept up to this size, so that it is decoded once, not twice."""

FrameCount = Callable[[int], None]
"""Told now and then how many more frames were looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedClip:
    """A clip after the first look, with the open video to cut it from."""

    clip: Clip
    reader: VideoReader
    faces: dict[int, Face]
    """Face per time slot; empty where no network was asked for."""
    framing: Framing
    first_slot: int
    last_slot: int
    note: str
    """What is worth knowing about the source; empty if nothing is."""
    kept: tuple[RawFrame, ...] | None
    """All frames of the clip, where they fit in memory."""

    def frames(self, config: PipelineConfig) -> Iterator[RawFrame]:
        """Yield the frames from the first to the last sight of the person."""
        again: Iterable[RawFrame] = (
            self.reader.frames(self.clip.start_s, self.clip.end_s, config.fps) if self.kept is None else self.kept
        )
        for raw in again:
            if raw.index > self.last_slot:
                return
            if raw.index >= self.first_slot:
                yield raw


def follow_clip(
    reader: VideoReader, clip: Clip, config: PipelineConfig, on_frames: FrameCount = lambda _: None
) -> FollowedClip:
    """Return who is meant in a clip and how it is to be cropped.

    Raises:
        ClipRejectedError: With the reason, if the clip cannot be used.
    """
    watch = _Watch(reader, clip, config)
    if config.backend == "none":
        faces: dict[int, Face] = {}
        slots = watch.slots(on_frames, lambda *_: None)
        framing: Framing = _given_square(clip, reader.info)
        first, last = slots[0], slots[-1]
    else:
        tracker = Tracker(load_backend(config.backend), config)
        shrink = max(1, max(reader.info.width_px, reader.info.height_px) // config.follow_px)
        slots = watch.slots(
            on_frames, lambda row, raw: tracker.step(row, reader.picture(raw, exact_colour=False, shrink=shrink))
        )
        person = _person(tracker.tracks(), slots, clip, reader.info, shrink, config)
        faces = {slots[row]: face for row, face in zip(person.rows, person.faces, strict=True)}
        framing = frame_faces(faces, reader.info, config)
        first, last = min(faces), max(faces)
    return FollowedClip(
        clip=clip,
        reader=reader,
        faces=faces,
        framing=framing,
        first_slot=first,
        last_slot=last,
        note=watch.note(),
        kept=watch.kept(),
    )


@dataclass(slots=True)
class _Watch:
    """One pass over the frames of a clip, with its limits."""

    reader: VideoReader
    clip: Clip
    config: PipelineConfig
    _kept: list[RawFrame] | None = field(default_factory=list)
    _kept_bytes: int = 0
    _last_pts_s: float = 0.0

    def slots(self, on_frames: FrameCount, look: Callable[[int, RawFrame], None]) -> list[int]:
        """Show every frame to `look` and return the time slots that have one."""
        deadline = Deadline(self.config)
        slots: list[int] = []
        for raw in self.reader.frames(self.clip.start_s, self.clip.end_s, self.config.fps):
            look(len(slots), raw)
            slots.append(raw.index)
            self._keep(raw)
            deadline.check()
            if len(slots) % BATCH_FRAMES == 0:
                on_frames(BATCH_FRAMES)
        on_frames(len(slots) % BATCH_FRAMES)
        if not slots:
            raise ClipRejectedError(
                RejectReason.NO_VIDEO,
                f"no frame between {self.clip.start_s} s and the end; the video lasts "
                f"{self.reader.info.duration_s:.2f} s",
            )
        if len(slots) < self.config.min_frames:
            raise ClipRejectedError(RejectReason.TOO_SHORT, f"{len(slots)} frames; {self.config.min_frames} are needed")
        return slots

    def kept(self) -> tuple[RawFrame, ...] | None:
        """Return all frames, None if they were too many to keep."""
        return None if self._kept is None else tuple(self._kept)

    def note(self) -> str:
        """Return what is worth knowing about the source."""
        duration_s = self.reader.info.duration_s
        expected_s = duration_s if self.clip.end_s is None else min(self.clip.end_s, duration_s)
        if self._last_pts_s < expected_s - 0.5:  # never true where the duration is NaN
            return f"frames end at {self._last_pts_s:.2f} s of {expected_s:.2f} s: the file is truncated or damaged"
        return ""

    def _keep(self, raw: RawFrame) -> None:
        self._last_pts_s = raw.pts_s
        if self._kept is None:
            return
        self._kept_bytes += sum(plane.buffer_size for plane in raw.frame.planes)
        self._kept.append(raw)
        if self._kept_bytes > KEPT_BYTES:
            self._kept = None


def _person(
    tracks: list[Track], slots: list[int], clip: Clip, info: VideoInfo, shrink: int, config: PipelineConfig
) -> Track:
    """Return the track of the person who is meant, in pixels of the source."""
    if shrink > 1:
        times = (info.width_px / (info.width_px // shrink), info.height_px / (info.height_px // shrink))
        for track in tracks:
            track.faces = [face.enlarged(*times) for face in track.faces]
    person = pick_person(tracks, _hint(clip, info), config)
    _check_person(person, len(slots), config)
    return person


def _given_square(clip: Clip, info: VideoInfo) -> FixedSquare:
    box = _hint(clip, info)
    if box is None:
        raise ClipRejectedError(
            RejectReason.NO_FACE, "the manifest has no face_box for it, and no network was asked to find the face"
        )
    return FixedSquare(around_box(box, info.width_px, info.height_px), info)


def _hint(clip: Clip, info: VideoInfo) -> np.ndarray | None:
    if clip.face_box is None:
        return None
    scale = np.array([info.width_px, info.height_px] * 2, np.float32)
    return np.asarray(clip.face_box, np.float32) * scale


def _check_person(person: Track, frames: int, config: PipelineConfig) -> None:
    found, span = len(person.rows), person.rows[-1] - person.rows[0] + 1
    if found < config.min_frames:
        raise ClipRejectedError(
            RejectReason.FACE_LOST,
            f"no face is seen in more than {found} of the {frames} frames; {config.min_frames} are needed",
        )
    if found < config.min_usable * span:
        raise ClipRejectedError(
            RejectReason.FACE_LOST,
            f"between its first and last sight the face is seen in {found} of {span} frames; "
            f"{config.min_usable:.0%} are needed",
        )
    if person.face_px() < config.min_face_px:
        raise ClipRejectedError(
            RejectReason.FACE_TOO_SMALL,
            f"the side of the face is {person.face_px():.0f} source pixels; {config.min_face_px:.0f} are needed",
        )


class Deadline:
    """Gives up on a clip that takes too long. A decoder stuck in one call is stopped from outside instead."""

    def __init__(self, config: PipelineConfig) -> None:
        self._limit_s = config.clip_timeout_s
        self._end = time.monotonic() + self._limit_s

    def check(self) -> None:
        """Raise `ClipRejectedError` once the time is over."""
        if time.monotonic() > self._end:
            raise ClipRejectedError(RejectReason.TIMEOUT, f"still working on it after {self._limit_s:.0f} s")
