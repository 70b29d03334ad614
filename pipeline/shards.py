"""Write one shard: frames to Parquet, verified, indexed, and only then recorded."""

import json
import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from manifests.samples import resolve
from manifests.schema import Clip
from pipeline.clip_frames import ClipFrames
from pipeline.clip_work import FollowedClip, FrameCount, cut_clip, follow_clip
from pipeline.config import PipelineConfig
from pipeline.faces import load_backend
from pipeline.images import encode
from pipeline.layout import DatasetLayout
from pipeline.offsets import IMAGE_BYTES, locate_images
from pipeline.plan import ShardPlan
from pipeline.records import ClipRecord, RejectRecord, ShardRecord, write_record
from pipeline.schema import COLUMNS, IMAGE, NAME_COLUMNS, SHARD_SCHEMA, to_table
from pipeline.track import face_side_px
from pipeline.verdicts import ClipRejected, Reject, RejectReason
from weights.errors import HeadshotError
from weights.files import publish, sha256_of
from weights.registry import find_entry

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardJob:
    """All a worker needs to know to make one shard."""

    plan: ShardPlan
    config: PipelineConfig
    clip_folder: Path
    root: Path
    condemned: Mapping[str, Reject]
    """Clips that took a process down before: key and verdict."""


def build_shard(job: ShardJob, on_frames: FrameCount = lambda _: None) -> ShardRecord:
    """Make one shard from its videos and return its record; files appear whole or not at all.

    Making a shard twice, even at the same time, ends with the same bytes.
    """
    started = time.perf_counter()
    layout = DatasetLayout(job.root)
    with publish(layout.shard(job.plan.name)) as temporary:
        clips, rejects = _write_without_failures(job, temporary, on_frames)
        rows = sum(clip.frames for clip in clips)
        offsets = _verified_offsets(temporary, rows)
        digest, size = sha256_of(temporary), temporary.stat().st_size
    with publish(layout.offsets(job.plan.name)) as temporary:
        np.save(temporary, offsets)
    record = ShardRecord(
        name=job.plan.name,
        split=job.plan.split,
        plan_sha256=job.plan.sha256(job.config),
        rows=rows,
        size_bytes=size,
        sha256=digest,
        clips=tuple(clips),
        rejects=tuple(rejects),
        seconds=round(time.perf_counter() - started, 3),
    )
    write_record(layout, record)
    return record


def _write_without_failures(
    job: ShardJob, path: Path, on_frames: FrameCount
) -> tuple[list[ClipRecord], list[RejectRecord]]:
    """Write the shard; where a clip fails half-way through its frames, start again without that clip."""
    while True:
        try:
            return _ClipWriter(job, on_frames).write(path)
        except _FailedHalfway as failure:
            job = replace(job, condemned={**job.condemned, failure.key: failure.verdict})


def _verified_offsets(path: Path, rows: int) -> np.ndarray:
    """Return where the images lie, after reading the whole image column back."""
    offsets = locate_images(path)
    if len(offsets) != rows:
        raise RuntimeError(f"{path}: {rows} rows were written and {len(offsets)} read back")
    return offsets


class _FailedHalfway(Exception):
    """A clip failed after some of its rows were written."""

    def __init__(self, key: str, verdict: Reject) -> None:
        super().__init__(f"{key}: {verdict.reason}: {verdict.detail}")
        self.key = key
        self.verdict = verdict


def shard_metadata(job: ShardJob) -> dict[str, str]:
    """Return what the file says about itself besides its columns."""
    backend = load_backend(job.config.backend)
    return {
        "headshot.config": json.dumps(job.config.model_dump(mode="json"), sort_keys=True),
        "headshot.plan_sha256": job.plan.sha256(job.config),
        "headshot.landmarks": backend.scheme,
        "headshot.weights": json.dumps({weight: find_entry(weight).sha256 for weight in backend.weight_ids}),
    }


class _ClipWriter:
    """Works through the clips of a shard, one row group (or a few) per clip."""

    def __init__(self, job: ShardJob, on_frames: FrameCount) -> None:
        self._job = job
        self._config = job.config
        self._on_frames = on_frames

    def write(self, path: Path) -> tuple[list[ClipRecord], list[RejectRecord]]:
        clips: list[ClipRecord] = []
        rejects: list[RejectRecord] = []
        metadata = {**(SHARD_SCHEMA.metadata or {}), **shard_metadata(self._job)}
        with pq.ParquetWriter(path, SHARD_SCHEMA.with_metadata(metadata), **_parquet_options()) as parquet:
            for clip in self._job.plan.clips:
                outcome = self._judge(clip)
                if isinstance(outcome, Reject):
                    rejects.append(RejectRecord(clip=clip, reason=outcome.reason, detail=outcome.detail))
                    continue
                followed, source_sha256 = outcome
                groups = sum(record.row_groups for record in clips)
                rows = sum(record.frames for record in clips)
                written = self._write_clip(parquet, followed)
                clips.append(_clip_record(followed, written, source_sha256, first_row=rows, row_group=groups))
        return clips, rejects

    def _judge(self, clip: Clip) -> tuple[FollowedClip, str] | Reject:
        """Return the clip ready to be cut and the hash of its file, or why it is left out."""
        if clip.key in self._job.condemned:
            return self._job.condemned[clip.key]
        if clip.withdrawn is not None:
            return Reject(reason=RejectReason.WITHDRAWN, detail=f"withdrawn on {clip.withdrawn.isoformat()}")
        try:
            video = _source(clip, self._job.clip_folder)
            digest = _checked_sha256(clip, video)
            return follow_clip(video, clip, self._config, self._on_frames), digest
        except Exception as error:  # one bad clip must not take its shard down
            return _verdict(error)

    def _write_clip(self, parquet: pq.ParquetWriter, followed: FollowedClip) -> "_Written":
        frames = usable = groups = 0
        for part in _regroup(self._tables(followed), self._config.row_group_frames):
            parquet.write_table(part, row_group_size=len(part))
            frames += len(part)
            usable += int(np.count_nonzero(part["ok"].to_numpy()))
            groups += 1
        return _Written(frames=frames, usable=usable, groups=groups)

    def _tables(self, followed: FollowedClip) -> Iterator[pa.Table]:
        try:
            for batch in cut_clip(followed, self._config):
                yield to_table(batch, [encode(image, self._config) for image in batch.images], self._config)
        except Exception as error:  # one bad clip must not take its shard down
            raise _FailedHalfway(followed.clip.key, _verdict(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    frames: int
    usable: int
    groups: int


def _regroup(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Yield the same rows in tables of `rows` rows, the last one shorter."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= rows:
            merged = pa.concat_tables(waiting)
            yield merged.slice(0, rows)
            waiting = [merged.slice(rows)]
    merged = pa.concat_tables(waiting) if waiting else SHARD_SCHEMA.empty_table()
    if len(merged):
        yield merged


def _verdict(error: Exception) -> Reject:
    if isinstance(error, ClipRejected):
        return error.verdict
    return Reject(reason=RejectReason.FAILED, detail=f"{type(error).__name__}: {error}")


def _source(clip: Clip, clip_folder: Path) -> Path:
    try:
        return resolve(clip, clip_folder)
    except HeadshotError as error:
        raise ClipRejected(RejectReason.MISSING_SOURCE, str(error)) from error


def _checked_sha256(clip: Clip, video: Path) -> str:
    if not video.is_file():
        raise ClipRejected(RejectReason.MISSING_SOURCE, f"{video} does not exist")
    digest = sha256_of(video)
    if clip.source.sha256 not in (None, digest):
        raise ClipRejected(
            RejectReason.SOURCE_CHANGED,
            f"{video.name} has sha256 {digest[:12]}..., the manifest says {clip.source.sha256[:12]}...; "
            "fetch it again, or correct the manifest",
        )
    return digest


def _clip_record(
    followed: FollowedClip, written: _Written, source_sha256: str, first_row: int, row_group: int
) -> ClipRecord:
    info = followed.info
    return ClipRecord(
        clip=followed.clip,
        first_row=first_row,
        frames=written.frames,
        usable_frames=written.usable,
        row_group=row_group,
        row_groups=written.groups,
        width_px=info.width_px,
        height_px=info.height_px,
        source_fps=None if np.isnan(info.fps) else info.fps,
        codec=info.codec,
        rotation_deg=info.rotation_deg,
        colour_rule=info.colour_rule,
        source_sha256=source_sha256,
        crop_side_px=followed.square.side,
        pad=round(followed.pad, 4),
        face_px=round(float(np.median([face_side_px(face.box) for face in followed.faces.values()])), 1),
        note=followed.note,
    )


def _parquet_options() -> dict[str, Any]:
    """Return how columns are stored.

    Images are left as they are (they are compressed already) so that each is one run of bytes; everything else is
    small. Options per column go by the path of the leaf.
    """
    leaves = {
        f"{name}.list.element" if pa.types.is_fixed_size_list(kind) else name: "zstd"
        for name, kind in COLUMNS
        if kind != IMAGE
    }
    return {
        "compression": {**leaves, IMAGE_BYTES: "none", "image.path": "zstd"},
        "use_dictionary": list(NAME_COLUMNS),
        "write_page_index": True,
        "write_page_checksum": True,
        "store_schema": True,
    }


def try_clip(job: ShardJob, clip: Clip) -> None:
    """Do all the work on one clip and throw the result away: the question is whether the process survives."""
    try:
        followed = follow_clip(_source(clip, job.clip_folder), clip, job.config)
        for batch in cut_clip(followed, job.config):
            for image in batch.images:
                encode(image, job.config)
    except Exception as error:  # an exception is a verdict that `build_shard` finds by itself
        _logger.info("%s in quarantine: %s", clip.key, error)
