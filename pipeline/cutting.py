"""The second look at a clip: the frames are cut out, with landmarks and quality."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from jaxtyping import Float, UInt8

from pipeline.backends import load_backend
from pipeline.clip_frames import ClipFrames
from pipeline.config import PipelineConfig
from pipeline.deadline import Deadline
from pipeline.faces import Face
from pipeline.follow import BATCH_FRAMES, FollowedClip
from pipeline.iris import load_iris
from pipeline.landmarks import eye_openness, mouth_openness, transform
from pipeline.quality import sharpness
from pipeline.recognition import Likeness, load_recogniser
from pipeline.track import face_side_px
from pipeline.video import RawFrame

BATCH_BYTES = 512 << 20
"""Of decoded frames that wait for their batch."""


def cut_clip(followed: FollowedClip, config: PipelineConfig) -> Iterator[ClipFrames]:
    """Yield the frames of a followed clip in batches of up to 64, fewer where they are large."""
    deadline = Deadline(config)
    likeness = Likeness(load_recogniser()) if config.identity_every else None
    batch: list[RawFrame] = []
    for raw in followed.frames(config):
        deadline.check()
        batch.append(raw)
        if len(batch) >= min(BATCH_FRAMES, BATCH_BYTES // raw.size_bytes):
            yield _cut_batch(batch, followed, config, likeness)
            batch = []
    if batch:
        yield _cut_batch(batch, followed, config, likeness)


def _cut_batch(
    batch: list[RawFrame], followed: FollowedClip, config: PipelineConfig, likeness: Likeness | None
) -> ClipFrames:
    size, framing = config.size_px, followed.framing
    slots = [raw.index for raw in batch]
    faces = _refined(batch, followed, config)
    images = np.empty((len(batch), size, size, 3), np.uint8)
    for image, raw in zip(images, batch, strict=True):
        image[:] = framing.cut(followed.reader, raw, size)
    affines = np.stack([framing.affine(slot, size) for slot in slots])
    points = _column(faces, lambda face: face.points, (68, 2))
    irises, gaze_deg = _gaze(batch, faces, affines, followed, config)
    return ClipFrames(
        clip=followed.clip,
        size_px=size,
        crop=affines.astype(np.float32),
        pad=np.array([framing.pad(slot) for slot in slots], np.float32),
        images=images,
        landmarks=np.stack([transform(*pair) for pair in zip(points, affines, strict=True)]).astype(np.float32),
        landmark_scores=_column(faces, lambda face: face.point_scores, (68,)),
        box=_column(faces, lambda face: face.box, (4,)),
        det_score=_column(faces, lambda face: face.score),
        face_px=_column(faces, lambda face: face_side_px(face.box)),
        sharpness=_sharpness(images, faces, affines),
        pose_deg=_column(faces, lambda face: face.pose_deg, (3,)),
        eye_openness=eye_openness(points),
        mouth_openness=mouth_openness(points),
        irises=irises,
        gaze_deg=gaze_deg,
        identity_similarity=_similarity(batch, faces, followed, config, likeness),
        searched=config.backend != "none",
        ok=np.array([face is not None for face in faces]),
        frame=np.array(slots, np.int32),
        pts_s=np.array([raw.pts_s for raw in batch]),
        source_frame=np.array([raw.source_frame for raw in batch], np.int32),
    )


def _refined(batch: list[RawFrame], followed: FollowedClip, config: PipelineConfig) -> list[Face | None]:
    """Return the face of each frame with the points that are stored; None where it was not found."""
    backend = load_backend(config.backend, config.detector)
    if not backend.refines:
        return [followed.faces.get(raw.index) for raw in batch]
    seen = [raw for raw in batch if raw.index in followed.faces]
    refined = backend.refine(
        [followed.reader.picture(raw) for raw in seen], [followed.faces[raw.index] for raw in seen]
    )
    by_slot = {raw.index: face for raw, face in zip(seen, refined, strict=True)}
    return [by_slot.get(raw.index) for raw in batch]


def _gaze(
    batch: list[RawFrame],
    faces: Sequence[Face | None],
    affines: Float[np.ndarray, "frames 2 3"],
    followed: FollowedClip,
    config: PipelineConfig,
) -> tuple[Float[np.ndarray, "frames 2 2"], Float[np.ndarray, "frames 2"]]:
    irises = np.full((len(batch), 2, 2), np.nan, np.float32)
    gaze_deg = np.full((len(batch), 2), np.nan, np.float32)
    if config.gaze:
        network = load_iris()
        for row, (raw, face) in enumerate(zip(batch, faces, strict=True)):
            if face is not None:
                gaze = network(followed.reader.picture(raw), face.points)
                irises[row] = transform(gaze.irises, affines[row])
                gaze_deg[row] = gaze.yaw_deg, gaze.pitch_deg
    return irises, gaze_deg


def _similarity(
    batch: list[RawFrame],
    faces: Sequence[Face | None],
    followed: FollowedClip,
    config: PipelineConfig,
    likeness: Likeness | None,
) -> Float[np.ndarray, " frames"]:
    values = np.full(len(batch), np.nan, np.float32)
    if likeness is not None:
        for row, (raw, face) in enumerate(zip(batch, faces, strict=True)):
            if face is not None and raw.index % config.identity_every == 0:
                values[row] = likeness(followed.reader.picture(raw), face.points)
    return values


def _column(
    faces: Sequence[Face | None], value: Callable[[Face], float | np.ndarray], shape: tuple[int, ...] = ()
) -> Float[np.ndarray, "frames ..."]:
    """Return a value of each face, NaN where there is none."""
    nothing = np.full(shape, np.nan)
    return np.stack([np.asarray(value(face)) if face else nothing for face in faces]).astype(np.float32)


def _sharpness(
    images: UInt8[np.ndarray, "frames size size 3"],
    faces: Sequence[Face | None],
    affines: Float[np.ndarray, "frames 2 3"],
) -> Float[np.ndarray, " frames"]:
    values = [
        sharpness(image, transform(face.box.reshape(2, 2), affine).reshape(4)) if face else np.nan
        for image, face, affine in zip(images, faces, affines, strict=True)
    ]
    return np.array(values, np.float32)
