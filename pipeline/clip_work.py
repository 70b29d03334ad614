"""All that is done to one clip: find the person, choose the crop, cut the frames.

The video is read twice, once to follow the faces and once to cut, because the crop depends on everything the head
does. Memory therefore does not grow with the length of a clip, except for the landmarks.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from manifests.schema import Clip
from pipeline import quality
from pipeline.backends import load_backend
from pipeline.clip_frames import ClipFrames
from pipeline.config import PipelineConfig
from pipeline.crop import Square, cut, tube
from pipeline.faces import Face
from pipeline.landmarks import transform
from pipeline.track import Track, Tracker, face_side_px, pick_person
from pipeline.verdicts import ClipRejectedError, Reject, RejectReason
from pipeline.video import VideoFrame, VideoInfo, probe, read_frames

BATCH_FRAMES = 64

FrameCount = Callable[[int], None]
"""Told now and then how many more frames were looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedClip:
    """A clip after the first reading: who is meant, and which square to cut."""

    clip: Clip
    video: Path
    info: VideoInfo
    faces: dict[int, Face]
    """Face per time slot, from the first to the last sight of the person."""
    square: Square
    pad: float
    note: str
    """What is worth knowing about the source; empty if nothing is."""


def process_clip(video: Path, clip: Clip, config: PipelineConfig) -> ClipFrames | Reject:
    """Return all frames of a clip in memory, or why it is left out.

    For a clip of a few thousand frames; shards are written batch by batch instead.
    """
    try:
        followed = follow_clip(video, clip, config)
        return ClipFrames.concatenate(list(cut_clip(followed, config)))
    except ClipRejectedError as rejected:
        return rejected.verdict


def follow_clip(
    video: Path, clip: Clip, config: PipelineConfig, on_frames: FrameCount = lambda _: None
) -> FollowedClip:
    """Return who is meant in a clip and how it is to be cropped.

    Raises:
        ClipRejectedError: With the reason, if the clip cannot be used.
    """
    info = probe(video)
    deadline = _Deadline(config)
    tracker = Tracker(load_backend(config.backend), config)
    slots: list[int] = []
    last_pts_s = 0.0
    for frame in read_frames(video, clip.start_s, clip.end_s, config.fps, exact_colour=False):
        tracker.step(len(slots), frame.rgb)
        slots.append(frame.index)
        last_pts_s = frame.pts_s
        deadline.check()
        if len(slots) % BATCH_FRAMES == 0:
            on_frames(BATCH_FRAMES)
    on_frames(len(slots) % BATCH_FRAMES)
    if not slots:
        raise ClipRejectedError(
            RejectReason.NO_VIDEO,
            f"no frame between {clip.start_s} s and the end; the video lasts {info.duration_s:.2f} s",
        )
    if len(slots) < config.min_frames:
        raise ClipRejectedError(RejectReason.TOO_SHORT, f"{len(slots)} frames; {config.min_frames} are needed")
    person = pick_person(tracker.tracks(), _hint(clip, info), config)
    _check_person(person, len(slots), config)
    square = tube(np.stack([face.box for face in person.faces]), info.width_px, info.height_px, config)
    return FollowedClip(
        clip=clip,
        video=video,
        info=info,
        faces={slots[row]: face for row, face in zip(person.rows, person.faces, strict=True)},
        square=square,
        pad=square.pad_fraction(info.width_px, info.height_px),
        note=_note(clip, info, last_pts_s),
    )


def cut_clip(followed: FollowedClip, config: PipelineConfig) -> Iterator[ClipFrames]:
    """Yield the frames of a followed clip in batches of up to 64."""
    first, last = min(followed.faces), max(followed.faces)
    deadline = _Deadline(config)
    batch: list[VideoFrame] = []
    for frame in read_frames(followed.video, followed.clip.start_s, followed.clip.end_s, config.fps):
        deadline.check()
        if frame.index < first:
            continue
        if frame.index > last:
            break
        batch.append(frame)
        if len(batch) == BATCH_FRAMES:
            yield _cut_batch(batch, followed, config)
            batch = []
    if batch:
        yield _cut_batch(batch, followed, config)


def _cut_batch(batch: list[VideoFrame], followed: FollowedClip, config: PipelineConfig) -> ClipFrames:
    size = config.size_px
    affine = followed.square.affine(size)
    faces = _refined(batch, followed, config)
    images = np.stack([cut(frame.rgb, followed.square, size) for frame in batch])
    nan = np.float32(np.nan)
    return ClipFrames(
        clip=followed.clip,
        size_px=size,
        crop=affine,
        pad=followed.pad,
        images=images,
        landmarks=np.stack(
            [transform(face.points, affine) if face else np.full((68, 2), nan) for face in faces]
        ).astype(np.float32),
        landmark_scores=np.stack([face.point_scores if face else np.full(68, nan) for face in faces]).astype(
            np.float32
        ),
        box=np.stack([face.box if face else np.full(4, nan) for face in faces]).astype(np.float32),
        det_score=np.array([face.score if face else nan for face in faces], np.float32),
        face_px=np.array([face_side_px(face.box) if face else nan for face in faces], np.float32),
        sharpness=np.array(
            [
                quality.sharpness(image, transform(face.box.reshape(2, 2), affine).reshape(4)) if face else nan
                for image, face in zip(images, faces, strict=True)
            ],
            np.float32,
        ),
        pose_deg=np.stack([face.pose_deg if face else np.full(3, nan) for face in faces]).astype(np.float32),
        ok=np.array([face is not None for face in faces]),
        frame=np.array([frame.index for frame in batch], np.int32),
        pts_s=np.array([frame.pts_s for frame in batch]),
        source_frame=np.array([frame.source_frame for frame in batch], np.int32),
    )


def _refined(batch: list[VideoFrame], followed: FollowedClip, config: PipelineConfig) -> list[Face | None]:
    """Return the face of each frame with the points that are stored; None where it was not found."""
    seen = [frame for frame in batch if frame.index in followed.faces]
    refined = load_backend(config.backend).refine(
        [frame.rgb for frame in seen], [followed.faces[frame.index] for frame in seen]
    )
    by_slot = {frame.index: face for frame, face in zip(seen, refined, strict=True)}
    return [by_slot.get(frame.index) for frame in batch]


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


def _hint(clip: Clip, info: VideoInfo) -> np.ndarray | None:
    if clip.face_box is None:
        return None
    scale = np.array([info.width_px, info.height_px] * 2, np.float32)
    return np.asarray(clip.face_box, np.float32) * scale


def _note(clip: Clip, info: VideoInfo, last_pts_s: float) -> str:
    expected_s = info.duration_s if clip.end_s is None else min(clip.end_s, info.duration_s)
    if last_pts_s < expected_s - 0.5:  # never true where the duration is NaN
        return f"frames end at {last_pts_s:.2f} s of {expected_s:.2f} s: the file is truncated or damaged"
    return ""


class _Deadline:
    """Gives up on a clip that takes too long. A decoder stuck in one call is stopped by the quarantine instead."""

    def __init__(self, config: PipelineConfig) -> None:
        self._limit_s = config.clip_timeout_s
        self._end = time.monotonic() + self._limit_s

    def check(self) -> None:
        if time.monotonic() > self._end:
            raise ClipRejectedError(RejectReason.TIMEOUT, f"still working on it after {self._limit_s:.0f} s")
