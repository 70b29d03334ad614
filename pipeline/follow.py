"""The first look at a clip: who is meant, where the face is in each frame, and what is to be cut."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice

import numpy as np
from jaxtyping import Float

from manifests.schema import Clip
from pipeline.backends import load_backend
from pipeline.config import PipelineConfig
from pipeline.crop import around_box
from pipeline.deadline import Deadline
from pipeline.faces import Face
from pipeline.framing import FixedSquare, Framing, frame_faces
from pipeline.people import Person, people_in, pick_person
from pipeline.portraits import Portraits
from pipeline.reject_picture import LONG_SIDE_PX, UNSEEN, boxes_in, draw, telling_row
from pipeline.track import Track, Tracker
from pipeline.verdicts import ClipRejectedError, RejectReason
from pipeline.video import RawFrame, VideoInfo, VideoReader

_logger = logging.getLogger(__name__)

BATCH_FRAMES = 64
KEPT_BYTES = 512 << 20
"""Decoded frames of a short clip are kept up to this size, so that it is decoded once, not twice."""
KEPT_SHARE = 1 / 8
"""... and up to this share of the memory there is for each core, and of what a clip may take."""
FRAME_OVERHEAD_BYTES = 8 << 10
"""What a kept frame takes beside its pixels; it counts where pictures are tiny."""

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
    last_slot: int | None
    """None for whatever the last one will be."""
    absent: tuple[range, ...]
    """Slots in between that are left out, because another scene lies there."""
    faces_compared: int
    """How many were embedded to tell who is who; 0 where there was no doubt."""
    watch: "Watch"
    kept: Iterable[RawFrame] | None
    """All frames of the clip, to be used once; None where they are to be decoded again."""

    def frames(self, config: PipelineConfig) -> Iterator[RawFrame]:
        """Yield the frames from the first to the last sight of the person, without scenes that show others."""
        again = self.reader.frames(self.clip.start_s, self.clip.end_s, config.fps) if self.kept is None else self.kept
        for raw in again:
            if self.last_slot is not None and raw.index > self.last_slot:
                return
            if raw.index >= self.first_slot and not any(raw.index in slots for slots in self.absent):
                yield raw

    @property
    def scenes(self) -> int:
        """Stretches of the clip that are kept."""
        return len(self.absent) + 1


def follow_clip(
    reader: VideoReader, clip: Clip, config: PipelineConfig, on_frames: FrameCount = lambda _: None
) -> FollowedClip:
    """Return who is meant in a clip and how it is to be cropped.

    Raises:
        ClipRejectedError: With the reason, if the clip cannot be used, and with a picture where there is one.
    """
    watch = Watch(reader, clip, config, on_frames)
    seen = _Seen(_Keeper(config))
    try:
        if config.backend == "none":
            return _as_given(reader, clip, config, watch)
        return _follow(reader, clip, config, watch, seen)
    except ClipRejectedError as rejected:
        if config.reject_pictures:
            picture = _reject_picture(reader, clip, config, seen, rejected.verdict.reason)
            rejected.verdict = replace(rejected.verdict, picture=picture)
        raise


@dataclass(slots=True)
class _Seen:
    """What the first pass has seen so far."""

    keeper: "_Keeper"
    slots: list[int] = field(default_factory=list)
    """Of each frame."""
    tracks: Callable[[], list[Track]] = list
    """Returns the faces that were followed, in source pixels."""


def _follow(reader: VideoReader, clip: Clip, config: PipelineConfig, watch: "Watch", seen: _Seen) -> FollowedClip:
    tracker = Tracker(load_backend(config.backend, config.detector), config)
    shrink = max(1, max(reader.info.width_px, reader.info.height_px) // config.follow_px)
    slots, keeper = seen.slots, seen.keeper
    seen.tracks = lambda: _in_source_pixels(tracker.tracks(), reader.info, shrink)
    for row, raw in enumerate(watch.frames()):
        tracker.step(row, reader.picture(raw, exact_colour=False, shrink=shrink))
        slots.append(raw.index)
        keeper.add(raw)
    portraits = Portraits(
        lambda rows: (
            (row, reader.picture(raw)) for row, raw in _frames_again(rows, reader, clip, config, keeper.frames)
        )
    )
    tracks = seen.tracks()
    people = people_in(tracks, portraits) if config.recognise else [Person((track,)) for track in tracks]
    person = pick_person(people, _hint(clip, reader.info), config).framed_alike()
    _check_person(person, len(slots), config)
    faces = {slots[row]: face for scene in person.scenes for row, face in zip(scene.rows, scene.faces, strict=True)}
    return FollowedClip(
        clip=clip,
        reader=reader,
        faces=faces,
        framing=frame_faces(faces, reader.info, config),
        first_slot=min(faces),
        last_slot=max(faces),
        absent=tuple(range(slots[rows.start - 1] + 1, slots[rows.stop]) for rows in person.absent()),
        faces_compared=portraits.compared,
        watch=watch,
        kept=keeper.frames,
    )


def _as_given(reader: VideoReader, clip: Clip, config: PipelineConfig, watch: "Watch") -> FollowedClip:
    """Return a clip whose crop the manifest gives: there is nothing to look for, so it is decoded once."""
    box = _hint(clip, reader.info)
    if box is None:
        raise ClipRejectedError(
            RejectReason.NO_FACE, "the manifest has no face_box for it, and no network was asked to find the face"
        )
    frames = watch.frames()
    opening = list(islice(frames, config.min_frames))  # a clip that is too short is known before a row is written
    return FollowedClip(
        clip=clip,
        reader=reader,
        faces={},
        framing=FixedSquare(around_box(box, reader.info.width_px, reader.info.height_px), reader.info),
        first_slot=0,
        last_slot=None,
        absent=(),
        faces_compared=0,
        watch=watch,
        kept=chain(opening, frames),
    )


class Watch:
    """The first pass over the frames of a clip, with its limits."""

    def __init__(self, reader: VideoReader, clip: Clip, config: PipelineConfig, on_frames: FrameCount) -> None:
        self._reader, self._clip, self._config, self._on_frames = reader, clip, config, on_frames
        self._last_pts_s = 0.0

    def frames(self) -> Iterator[RawFrame]:
        """Yield the frames of the clip; raise `ClipRejectedError` where they are too few or take too long."""
        deadline, count = Deadline(self._config), 0
        for raw in self._reader.frames(self._clip.start_s, self._clip.end_s, self._config.fps):
            yield raw
            count += 1
            self._last_pts_s = raw.pts_s
            deadline.check()
            if count % BATCH_FRAMES == 0:
                self._on_frames(BATCH_FRAMES)
        self._on_frames(count % BATCH_FRAMES)
        if not count:
            raise ClipRejectedError(
                RejectReason.NO_VIDEO,
                f"no frame between {self._clip.start_s} s and the end; the video lasts "
                f"{self._reader.info.duration_s:.2f} s",
            )
        if count < self._config.min_frames:
            raise ClipRejectedError(RejectReason.TOO_SHORT, f"{count} frames; {self._config.min_frames} are needed")

    def note(self) -> str:
        """Return what is worth knowing about the source once it was read; empty if nothing is."""
        duration_s = self._reader.info.duration_s
        expected_s = duration_s if self._clip.end_s is None else min(self._clip.end_s, duration_s)
        if self._last_pts_s < expected_s - 0.5:  # never true where the duration is NaN
            return f"frames end at {self._last_pts_s:.2f} s of {expected_s:.2f} s: the file is truncated or damaged"
        return ""


class _Keeper:
    """Keeps decoded frames while they are few enough."""

    def __init__(self, config: PipelineConfig) -> None:
        self.frames: list[RawFrame] | None = []
        self._bytes = 0
        machine_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (os.cpu_count() or 1)
        self._limit = min(KEPT_BYTES, KEPT_SHARE * machine_bytes, KEPT_SHARE * config.clip_memory_mib * 2**20)

    def add(self, raw: RawFrame) -> None:
        if self.frames is None:
            return
        self.frames.append(raw)
        self._bytes += raw.size_bytes + FRAME_OVERHEAD_BYTES
        if self._bytes > self._limit:
            self.frames = None


def _in_source_pixels(tracks: Sequence[Track], info: VideoInfo, shrink: int) -> list[Track]:
    if shrink == 1:
        return list(tracks)
    times = tuple(side_px / max(1, side_px // shrink) for side_px in (info.width_px, info.height_px))
    return [replace(track, faces=[face.enlarged(*times) for face in track.faces]) for track in tracks]


def _reject_picture(
    reader: VideoReader, clip: Clip, config: PipelineConfig, seen: _Seen, reason: RejectReason
) -> bytes | None:
    """Return a picture of the frame that shows why a clip is left out; None where no frame can be had."""
    if reason in UNSEEN:
        return None
    hint = None if clip.face_box is None else np.asarray(clip.face_box, np.float32)
    frames = len(seen.slots) or 1
    if reason is RejectReason.NO_FACE and hint is not None:
        frames = min(frames, round(config.fps) + 1)  # the first second is where the hint counts
    info = reader.info
    try:
        tracks = seen.tracks()
        row = telling_row(tracks, frames, reason)
        sides = np.array([info.width_px, info.height_px] * 2, np.float32)
        shrink = max(1, max(info.width_px, info.height_px) // (2 * LONG_SIDE_PX))
        for _, raw in _frames_again({row}, reader, clip, config, seen.keeper.frames or None):
            rgb = reader.picture(raw, exact_colour=False, shrink=shrink)
            return draw(rgb, [box / sides for box in boxes_in(tracks, row)], hint)
    except Exception as error:  # the verdict is there already, and stays what it is without a picture
        _logger.info("no picture of %s: %s", clip.key, error)
    return None


def _frames_again(
    rows: set[int], reader: VideoReader, clip: Clip, config: PipelineConfig, kept: list[RawFrame] | None
) -> Iterator[tuple[int, RawFrame]]:
    """Yield some frames of the clip again, decoding as far as the last of them where frames were not kept."""
    deadline = Deadline(config)
    frames = reader.frames(clip.start_s, clip.end_s, config.fps) if kept is None else kept
    for row, raw in zip(range(max(rows) + 1), frames, strict=False):
        deadline.check()
        if row in rows:
            yield row, raw


def _hint(clip: Clip, info: VideoInfo) -> Float[np.ndarray, " 4"] | None:
    if clip.face_box is None:
        return None
    scale = np.array([info.width_px, info.height_px] * 2, np.float32)
    return np.asarray(clip.face_box, np.float32) * scale


def _check_person(person: Person, frames: int, config: PipelineConfig) -> None:
    found = len(person.rows)
    span = sum(scene.rows[-1] - scene.rows[0] + 1 for scene in person.scenes)
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
