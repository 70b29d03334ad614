"""Make one shard: write, read back, index, hash, publish, and only then record it."""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from manifests.schema import Clip
from pipeline.config import PipelineConfig
from pipeline.cutting import cut_clip
from pipeline.follow import FrameCount, follow_clip
from pipeline.images import encode, one_opencv_thread
from pipeline.jobs import ShardJob
from pipeline.layout import DatasetLayout
from pipeline.limits import ClipGuard, guarded, unguarded
from pipeline.offsets import locate_rows
from pipeline.picture_shard import write_pictures
from pipeline.plan import ShardPlan
from pipeline.records import AudioFile, ShardRecord, write_record
from pipeline.shard_writer import FailedHalfwayError, ShardPaths, WrittenShard, write_clips
from pipeline.sound_shard import count_sounds
from pipeline.sound_track import Span, cut_sound
from pipeline.sources import OpenSource
from pipeline.warm_up import load_networks
from weights.files import publish, sha256_of

_logger = logging.getLogger(__name__)


def build_shard(job: ShardJob, on_frames: FrameCount = lambda _: None, guard: ClipGuard = unguarded) -> ShardRecord:
    """Make one shard from its videos and return its record; files appear whole or not at all.

    Making a shard twice, even at the same time, ends with the same bytes.

    Args:
        job: The shard.
        on_frames: Told about frames looked at.
        guard: Bounds the work on each clip; `guarded` in a process that may die.
    """

    def write(paths: ShardPaths) -> WrittenShard:
        return _write_without_failures(job, paths, on_frames, guard)

    with one_opencv_thread():
        return commit_shard(DatasetLayout(job.root), job.plan, job.config, write)


def commit_shard(
    layout: DatasetLayout, plan: ShardPlan, config: PipelineConfig, write: Callable[[ShardPaths], WrittenShard]
) -> ShardRecord:
    """Let `write` write a shard under temporary names; read it back, index, hash and publish it, then record it."""
    started = time.perf_counter()
    with ExitStack() as published:
        temporary = published.enter_context(publish(layout.shard(plan.name)))
        sound = published.enter_context(publish(layout.audio(plan.name))) if config.audio else None
        written = write(ShardPaths(shard=temporary, audio=sound))
        offsets = _verified_offsets(temporary, written.rows)
        digest, size = sha256_of(temporary), temporary.stat().st_size
        audio = None if sound is None else _verified_audio(sound, written.sounds)
    with publish(layout.offsets(plan.name)) as temporary:
        np.save(temporary, offsets)
    write_pictures(layout.pictures(plan.name), written.pictures, {clip.key: clip for clip in plan.clips})
    record = ShardRecord(
        name=plan.name,
        split=plan.split,
        plan_sha256=plan.sha256(config),
        rows=written.rows,
        size_bytes=size,
        sha256=digest,
        clips=written.clips,
        rejects=written.rejects,
        audio=audio,
        seconds=round(time.perf_counter() - started, 3),
    )
    write_record(layout, record)
    return record


def try_clip(job: ShardJob, clip: Clip) -> None:
    """Do all the work on one clip and throw the result away: the question is whether the process survives."""
    load_networks(job.config)  # their memory is not the clip's
    try:
        with OpenSource(job.clip_folder, job.config) as videos:
            with guarded(job.config):
                source, reader = videos.of(clip)
                followed = follow_clip(reader, clip, job.config)
            with guarded(job.config):
                times: list[float] = []
                for batch in cut_clip(followed, job.config):
                    times += batch.pts_s.tolist()
                    for image in batch.images:
                        encode(image, job.config)
            if job.config.audio:
                with guarded(job.config):
                    span = Span.of_frames(clip, times[0], times[-1], job.config)
                    cut_sound(source.path, reader.origin_s, span, job.config)
    except Exception as error:  # an exception is a verdict that `build_shard` finds by itself
        _logger.info("%s in quarantine: %s", clip.key, error)


def _write_without_failures(job: ShardJob, paths: ShardPaths, on_frames: FrameCount, guard: ClipGuard) -> WrittenShard:
    """Write the shard; where a clip fails half-way through its frames, start again without that clip."""
    while True:
        try:
            return write_clips(job, paths, on_frames, guard)
        except FailedHalfwayError as failure:
            job = replace(job, condemned={**job.condemned, failure.key: failure.verdict})


def _verified_offsets(path: Path, rows: int) -> np.ndarray:
    """Return where the images lie, after reading the whole image column back."""
    offsets = locate_rows(path)
    if len(offsets) != rows:
        raise RuntimeError(f"{path}: {rows} rows were written and {len(offsets)} read back")
    return offsets


def _verified_audio(path: Path, rows: int) -> AudioFile:
    """Return what is to be recorded of a file of sound, after reading all of it back."""
    found = count_sounds(path)
    if found != rows:
        raise RuntimeError(f"{path}: the sound of {rows} clips was written, that of {found} read back")
    return AudioFile(rows=rows, size_bytes=path.stat().st_size, sha256=sha256_of(path))
