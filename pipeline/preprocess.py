"""Manifest in, dataset out: plan, make what is missing, write down what there is."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from manifests.samples import resolve
from manifests.schema import Manifest
from pipeline.card import card_text
from pipeline.config import PipelineConfig
from pipeline.dataset_info import DatasetInfo, summarise
from pipeline.engine import run_here, run_on_dask, warm_up
from pipeline.index import write_index
from pipeline.layout import DatasetLayout
from pipeline.plan import Plan, expected_frames, make_plan
from pipeline.progress import Progress, ProgressHook, silent
from pipeline.quarantine import build_in_child, quarantine
from pipeline.records import ShardRecord, read_record, shard_is_whole
from pipeline.shards import ShardJob
from pipeline.verdicts import ClipRejected, RejectReason
from pipeline.video import probe
from weights.errors import HeadshotError
from weights.files import publish_text

ASK_FILES_UP_TO = 2000
"""Beyond so many clips the files are not asked for their length before the work starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreprocessReport:
    """How a run ended."""

    info: DatasetInfo
    shards_made: int
    shards_reused: int
    quarantined: tuple[str, ...]
    """Shards whose worker died and whose clips were then tried one by one."""


def preprocess(
    manifest: Manifest,
    clip_folder: Path,
    out: Path,
    config: PipelineConfig,
    *,
    workers: int | None = None,
    replace: bool = False,
    progress: ProgressHook = silent,
) -> PreprocessReport:
    """Turn the clips of a manifest into the dataset `out`, or finish what an earlier run began.

    A clip that cannot be used is a row in `rejects.parquet` with its reason; nothing else is lost by it. The bytes of
    a shard depend on the manifest, the config and the videos alone: not on the number of workers, nor on how often
    the run was interrupted.

    Args:
        manifest: The clips.
        clip_folder: Where their videos lie.
        out: Dataset folder.
        config: What to do.
        workers: Processes; None for one per core, 0 for this process. Where DASK_SCHEDULER_ADDRESS is set (and
            `workers` is not 0), the workers of that cluster are used.
        replace: Allow shards of another manifest or config in `out` to be replaced.
        progress: Told how far the run is.

    Raises:
        HeadshotError: `out` holds another dataset, another run is at work there, weights cannot be had, or a shard
            could not be made for a reason outside its clips.
    """
    layout = DatasetLayout(out.resolve())
    layout.root.mkdir(parents=True, exist_ok=True)
    with _only_run_in(layout.root):
        plan = make_plan(manifest, config)
        _adopt(layout, plan, replace)
        jobs = [_job(plan, index, clip_folder.resolve(), layout) for index in range(len(plan.shards))]
        missing = [job for job in jobs if not _is_done(layout, job)]
        quarantined = _make(missing, layout, plan, workers, progress)
        info = _finish(layout, plan)
    return PreprocessReport(
        info=info,
        shards_made=len(missing),
        shards_reused=len(jobs) - len(missing),
        quarantined=tuple(quarantined),
    )


def _adopt(layout: DatasetLayout, plan: Plan, replace: bool) -> None:
    """Clear away what killed runs left; make sure the folder holds this dataset and no other."""
    for path in layout.stale_files():
        path.unlink(missing_ok=True)
    text = plan.model_dump_json(indent=1) + "\n"
    if layout.plan.is_file() and layout.plan.read_text(encoding="utf-8") == text:
        return
    if layout.plan.exists() and not replace:
        raise HeadshotError(
            f"{layout.root} holds a dataset that was made from another manifest or with other settings; "
            "give another folder, or say that it may be replaced (--replace)"
        )
    names = {shard.name for shard in plan.shards}
    for path in layout.files_of_shards():
        if path.stem not in names:
            path.unlink()
    for path in (layout.info, layout.index, layout.rejects, layout.card):
        path.unlink(missing_ok=True)
    publish_text(layout.plan, text)


def _make(
    jobs: list[ShardJob], layout: DatasetLayout, plan: Plan, workers: int | None, progress: ProgressHook
) -> list[str]:
    """Make the shards; return the names of those that needed quarantine."""
    if not jobs:
        return []
    warm_up(plan.config.backend)
    lengths = {job.plan.name: _length(job) for job in jobs}
    ordered = sorted(jobs, key=lambda job: -lengths[job.plan.name])
    meter = _Meter(layout, plan, jobs, sum(lengths.values()), progress)
    outcomes = (
        run_here(ordered, meter.add_frames)
        if workers == 0
        else run_on_dask(ordered, workers, meter.add_frames)
    )
    lost = []
    for outcome in outcomes:
        if outcome.error is None:
            meter.add_shard(outcome.job.plan.name)
        else:
            lost.append(outcome)
    for outcome in lost:
        _rescue(outcome.job, outcome.error or "")
        meter.add_shard(outcome.job.plan.name)
    return [outcome.job.plan.name for outcome in lost]


def _rescue(job: ShardJob, error: str) -> None:
    """Make a lost shard without the clips that kill their process."""
    verdict = build_in_child(quarantine(job))
    if verdict is not None:
        raise HeadshotError(
            f"shard {job.plan.name} cannot be made ({error}; in a process of its own: {verdict.detail}), although each "
            "of its clips alone can; is the machine out of memory or disk? What is done is kept: run it again"
        )


def _finish(layout: DatasetLayout, plan: Plan) -> DatasetInfo:
    """Write index, rejects, card and, last of all, `dataset.json`."""
    records = [_record(layout, shard.name) for shard in plan.shards]
    info = summarise(plan, records)
    text = info.model_dump_json(indent=1) + "\n"
    if layout.info.is_file() and layout.info.read_text(encoding="utf-8") == text and layout.index.is_file():
        return info
    write_index(layout, records)
    publish_text(layout.card, card_text(info, records))
    publish_text(layout.info, text)
    return info


def _record(layout: DatasetLayout, shard: str) -> ShardRecord:
    record = read_record(layout, shard)
    if record is None:
        raise HeadshotError(f"shard {shard} has no record in {layout.root}; run the same command again")
    return record


def _job(plan: Plan, index: int, clip_folder: Path, layout: DatasetLayout) -> ShardJob:
    return ShardJob(
        plan=plan.shards[index], config=plan.config, clip_folder=clip_folder, root=layout.root, condemned={}
    )


def _is_done(layout: DatasetLayout, job: ShardJob) -> bool:
    """Return whether the shard is there and nothing has changed; a source that turned up since counts as a change."""
    record = read_record(layout, job.plan.name)
    if record is None or record.plan_sha256 != job.plan.sha256(job.config) or not shard_is_whole(layout, record):
        return False
    return not any(
        reject.reason is RejectReason.MISSING_SOURCE and _is_there(job, reject.clip.key)
        for reject in record.rejects
    )


def _is_there(job: ShardJob, key: str) -> bool:
    clip = next(clip for clip in job.plan.clips if clip.key == key)
    try:
        return resolve(clip, job.clip_folder).is_file()
    except HeadshotError:
        return False


def _length(job: ShardJob) -> float:
    """Return about how many frames there are to look at."""
    clips = job.plan.clips
    if len(clips) > ASK_FILES_UP_TO:
        return sum(expected_frames(clip, job.config) for clip in clips)
    return sum(_clip_length(job, index) for index in range(len(clips)))


def _clip_length(job: ShardJob, index: int) -> float:
    clip = job.plan.clips[index]
    try:
        duration_s = probe(resolve(clip, job.clip_folder)).duration_s
    except (ClipRejected, HeadshotError):
        return 0.0
    if duration_s != duration_s:  # the file does not say
        return expected_frames(clip, job.config)
    return (min(clip.end_s or duration_s, duration_s) - min(clip.start_s, duration_s)) * job.config.fps


class _Meter:
    """Adds up what the workers report."""

    def __init__(
        self, layout: DatasetLayout, plan: Plan, jobs: Sequence[ShardJob], frames: float, hook: ProgressHook
    ) -> None:
        self._layout = layout
        self._hook = hook
        self._frames_expected = round(frames)
        self._shards_total = len(jobs)
        self._clips_total = sum(len(job.plan.clips) for job in jobs)
        self._frames = self._clips = self._rejected = self._shards = 0

    def add_frames(self, frames: int) -> None:
        self._frames += frames
        self._show()

    def add_shard(self, name: str) -> None:
        record = _record(self._layout, name)
        self._shards += 1
        self._clips += len(record.clips) + len(record.rejects)
        self._rejected += len(record.rejects)
        self._show()

    def _show(self) -> None:
        self._hook(
            Progress(
                frames=self._frames,
                frames_expected=self._frames_expected,
                clips=self._clips,
                clips_total=self._clips_total,
                rejected=self._rejected,
                shards=self._shards,
                shards_total=self._shards_total,
            )
        )


@contextmanager
def _only_run_in(folder: Path) -> Iterator[None]:
    """Hold a lock on the folder that ends with this process, however that ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise HeadshotError(
            f"another run is at work in {folder}; wait for it, or end it and start this one again"
        ) from error
    try:
        yield
    finally:
        os.close(descriptor)
