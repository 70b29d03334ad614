"""Clips to the rows of one Parquet file, a row group (or a few) per clip."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from manifests.schema import Clip
from pipeline.backends import load_backend, weights_used
from pipeline.config import PipelineConfig
from pipeline.cutting import cut_clip
from pipeline.follow import FollowedClip, FrameCount, follow_clip
from pipeline.images import encode
from pipeline.jobs import ShardJob
from pipeline.limits import ClipGuard
from pipeline.offsets import IMAGE_BYTES, LANDMARK_VALUES
from pipeline.records import ClipRecord, RejectRecord, SoundRecord
from pipeline.schema import IMAGE, NAME_COLUMNS, SHARD_SCHEMA, to_table
from pipeline.sound_shard import SoundWriter
from pipeline.sound_track import Span, cut_sound
from pipeline.sources import OpenSource, Source
from pipeline.track import face_side_px
from pipeline.verdicts import ClipRejectedError, Reject, RejectReason, withdrawn_on
from pipeline.warm_up import forget_networks
from weights.registry import find_entry


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardPaths:
    """Where a shard is written."""

    shard: Path
    audio: Path | None
    """None where sound was not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenShard:
    """What became of the clips of a shard."""

    clips: tuple[ClipRecord, ...]
    rejects: tuple[RejectRecord, ...]
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    """Of rejects, by key: what there is to see of them."""

    @property
    def rows(self) -> int:
        """Frames of all clips."""
        return sum(clip.frames for clip in self.clips)

    @property
    def sounds(self) -> int:
        """Clips with sound."""
        return sum(1 for clip in self.clips if clip.sound is not None and clip.sound.samples)


class FailedHalfwayError(Exception):
    """A clip failed after some of its rows were written: the file is of no use."""

    def __init__(self, key: str, verdict: Reject) -> None:
        super().__init__(f"{key}: {verdict.reason}: {verdict.detail}")
        self.key = key
        self.verdict = verdict


def write_clips(job: ShardJob, paths: ShardPaths, on_frames: FrameCount, guard: ClipGuard) -> WrittenShard:
    """Write all clips of a shard that can be used to Parquet files.

    Args:
        job: The shard.
        paths: The files.
        on_frames: Told about frames looked at.
        guard: Bounds the work on a clip: on the first look at it, on the second, and on its sound.

    Raises:
        FailedHalfwayError: A clip that could be read at first could not be read again.
    """
    clips: list[ClipRecord] = []
    rejects: list[RejectRecord] = []
    pictures: dict[str, bytes] = {}
    metadata = _metadata(job)
    schema = SHARD_SCHEMA.with_metadata({**(SHARD_SCHEMA.metadata or {}), **metadata})
    with (
        pq.ParquetWriter(paths.shard, schema, **parquet_options(schema)) as parquet,
        SoundWriter(paths.audio, metadata) if paths.audio else nullcontext() as sounds,
        OpenSource(job.clip_folder, job.config) as videos,
    ):
        for clip in job.plan.clips:
            outcome = _judge(job, clip, videos, on_frames, guard)
            if isinstance(outcome, Reject):
                rejects.append(RejectRecord(clip=clip, reason=outcome.reason, detail=outcome.detail))
                if outcome.picture is not None:
                    pictures[clip.key] = outcome.picture
                continue
            place = _Place(
                first_row=sum(record.frames for record in clips),
                row_group=sum(record.row_groups for record in clips),
            )
            clips.append(_write_clip(job, _Files(parquet, sounds), outcome, place, guard))
    return WrittenShard(clips=tuple(clips), rejects=tuple(rejects), pictures=pictures)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    followed: FollowedClip
    source: Source


@dataclass(frozen=True, slots=True)
class _Files:
    frames: pq.ParquetWriter
    sounds: SoundWriter | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    first_row: int
    row_group: int


def _judge(job: ShardJob, clip: Clip, videos: OpenSource, on_frames: FrameCount, guard: ClipGuard) -> _Ready | Reject:
    """Return the clip ready to be cut, or why it is left out."""
    if clip.key in job.condemned:
        return job.condemned[clip.key]
    if clip.withdrawn is not None:
        return withdrawn_on(clip.withdrawn)
    try:
        with guard(job.config):
            source, reader = videos.of(clip)
            return _Ready(followed=follow_clip(reader, clip, job.config, on_frames), source=source)
    except ClipRejectedError as rejected:
        return rejected.verdict
    except Exception as error:  # one bad clip must not take its shard down
        videos.close()
        return _verdict(error, job.config)


def _write_clip(job: ShardJob, files: _Files, ready: _Ready, place: _Place, guard: ClipGuard) -> ClipRecord:
    frames = usable = groups = 0
    times: list[float] = []
    sound = None
    try:
        with guard(job.config):
            for part in _regroup(_tables(job, ready.followed), job.config.row_group_frames):
                files.frames.write_table(part, row_group_size=len(part))
                times += part["pts_s"][0].as_py(), part["pts_s"][-1].as_py()
                frames += len(part)
                usable += int(np.count_nonzero(part["ok"].to_numpy()))
                groups += 1
        if files.sounds is not None:
            with guard(job.config):
                span = Span.of_frames(ready.followed.clip, times[0], times[-1], job.config)
                sound = _write_sound(job, files.sounds, ready, span)
    except MemoryError as error:  # also where rows are written
        raise FailedHalfwayError(ready.followed.clip.key, _verdict(error, job.config)) from error
    followed, info = ready.followed, ready.followed.reader.info
    return ClipRecord(
        clip=followed.clip,
        first_row=place.first_row,
        frames=frames,
        usable_frames=usable,
        row_group=place.row_group,
        row_groups=groups,
        width_px=info.width_px,
        height_px=info.height_px,
        source_fps=None if np.isnan(info.fps) else info.fps,
        codec=info.codec,
        rotation_deg=info.rotation_deg,
        colour_rule=info.colour_rule,
        source_sha256=ready.source.sha256,
        interlaced=info.interlaced,
        crop_side_px=round(followed.framing.side_px()),
        pad=round(followed.framing.pad(followed.first_slot), 4),
        face_px=_median_face_px(followed),
        scenes=followed.scenes,
        faces_compared=followed.faces_compared,
        note=followed.watch.note(),
        sound=sound,
    )


def _write_sound(job: ShardJob, sounds: SoundWriter, ready: _Ready, span: Span) -> SoundRecord:
    clip = ready.followed.clip
    cut = cut_sound(ready.source.path, ready.followed.reader.origin_s, span, job.config)
    if cut.samples:
        sounds.add(clip, cut, start_s=cut.start_s - span.start_s)
    return SoundRecord(samples=cut.samples, rate_hz=cut.rate_hz, flaw=cut.flaw, detail=cut.detail)


def _median_face_px(followed: FollowedClip) -> float | None:
    sides = [face_side_px(face.box) for face in followed.faces.values()]
    return round(float(np.median(sides)), 1) if sides else None


def _tables(job: ShardJob, followed: FollowedClip) -> Iterator[pa.Table]:
    try:
        for batch in cut_clip(followed, job.config):
            yield to_table(batch, [encode(image, job.config) for image in batch.images], job.config)
    except Exception as error:  # one bad clip must not take its shard down
        raise FailedHalfwayError(followed.clip.key, _verdict(error, job.config)) from error


def _regroup(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Yield the same rows in tables of `rows` rows, the last one shorter."""
    waiting = SHARD_SCHEMA.empty_table()
    for table in tables:
        waiting = pa.concat_tables([waiting, table])
        while len(waiting) >= rows:
            yield waiting.slice(0, rows)
            waiting = waiting.slice(rows)
    if len(waiting):
        yield waiting


def _verdict(error: Exception, config: PipelineConfig) -> Reject:
    if isinstance(error, ClipRejectedError):
        return error.verdict
    forget_networks()
    if isinstance(error, MemoryError):
        limit = f"{config.clip_memory_mib} MiB, see `--clip-memory`"
        return Reject(
            reason=RejectReason.FAILED,
            detail=f"asked for more memory than a clip may take ({limit}): it is too large, or damaged",
        )
    return Reject(reason=RejectReason.FAILED, detail=f"{type(error).__name__}: {error}")


def _metadata(job: ShardJob) -> dict[str, str]:
    """Return what the file says about itself besides its columns."""
    backend = load_backend(job.config.backend, job.config.detector)
    return {
        "headshot.config": json.dumps(job.config.model_dump(mode="json"), sort_keys=True),
        "headshot.plan_sha256": job.plan.sha256(job.config),
        "headshot.landmarks": backend.scheme,
        "headshot.weights": json.dumps({weight: find_entry(weight).sha256 for weight in weights_used(job.config)}),
    }


def parquet_options(schema: pa.Schema) -> dict[str, Any]:
    """Return how the columns of a shard are stored.

    Images and points are left as they are, so that those of a row are one run of bytes: images are compressed
    already, and points hardly can be. Everything else is small. Options per column go by the path of the leaf.
    """
    leaves = {
        f"{field.name}.list.element" if pa.types.is_fixed_size_list(field.type) else field.name: "zstd"
        for field in schema
        if field.type != IMAGE
    }
    return {
        "compression": {**leaves, IMAGE_BYTES: "none", "image.path": "zstd", LANDMARK_VALUES: "none"},
        "use_dictionary": list(NAME_COLUMNS),
        "write_page_index": True,
        "write_page_checksum": True,
        "store_schema": True,
    }
