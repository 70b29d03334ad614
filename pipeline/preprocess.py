"""Manifest in, dataset out: plan, make what is missing, write down what there is."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from manifests.schema import Manifest
from pipeline.backends import weights_used
from pipeline.claim import Claim, adopt, claimed, is_done
from pipeline.clusters import Cluster, default_cluster
from pipeline.config import PipelineConfig
from pipeline.dataset_info import DatasetInfo
from pipeline.description import info_text, write_description
from pipeline.engine import Engine, open_engine
from pipeline.jobs import ShardJob
from pipeline.layout import DatasetLayout
from pipeline.lengths import ASK_UP_TO_CLIPS, planned_length
from pipeline.parts import Part
from pipeline.picture_shard import remove_pictures
from pipeline.plan import Plan, make_plan
from pipeline.progress import Meter, ProgressHook, silent
from pipeline.quarantine import build_in_child, quarantine
from pipeline.records import ShardRecord, read_record
from pipeline.summary import summarise
from pipeline.takedown_notes import refuse_half_done
from pipeline.verdicts import RejectReason
from pipeline.withdrawals import read_withdrawals
from weights.errors import HeadshotError
from weights.fetch import fetch


@dataclass(frozen=True, slots=True, kw_only=True)
class PreprocessReport:
    """How a run ended."""

    info: DatasetInfo | None
    """None where other parts are still to be made."""
    shards_made: int
    shards_reused: int
    quarantined: tuple[str, ...]
    """Shards whose worker died, and whose clips were then tried one by one."""


def preprocess(
    manifest: Manifest,
    clip_folder: Path,
    out: Path,
    config: PipelineConfig,
    *,
    workers: int | None = None,
    cluster: Cluster | None = None,
    part: Part | None = None,
    retry: Collection[RejectReason] = (),
    replace: bool = False,
    progress: ProgressHook = silent,
    announce: Callable[[str], None] = lambda _: None,
) -> PreprocessReport:
    """Turn the clips of a manifest into the dataset `out`, or finish what an earlier run began.

    A clip that cannot be used is a row in `rejects.parquet` with its reason; nothing else is lost by it. The bytes
    of a shard depend on manifest, config and videos alone: not on the number of workers, nor on how often the run
    was interrupted.

    Args:
        manifest: The clips.
        clip_folder: Where their videos lie.
        out: Dataset folder.
        config: What to do.
        workers: 0 for this process; else Dask: the cluster that `DASK_SCHEDULER_ADDRESS` names, or that many
            processes on this machine (None for one per core).
        cluster: Where Dask workers come from instead.
        part: Make only these shards, beside other runs that make the other parts in the same folder. The last one to
            end, or a run without a part after all of them, writes what concerns the dataset as a whole.
        retry: Make shards again in which a clip was rejected for one of these reasons.
        replace: Allow a dataset of another manifest or config in `out` to be replaced.
        progress: Told how far the run is.
        announce: Told where the run can be watched.

    Whoever has left the dataset (`headshot takedown`) stays out, also where the manifest does not say so.

    Raises:
        HeadshotError: `out` holds another dataset, another run is at work there, a takedown was not finished, weights
            cannot be had, or a shard cannot be made for a reason outside its clips.
    """
    layout = DatasetLayout(out.resolve())
    layout.root.mkdir(parents=True, exist_ok=True)
    with claimed(layout.root, part) as claim:
        refuse_half_done(layout)
        if part is None:
            layout.remove_stale_files()  # of runs that were killed
        plan = make_plan(manifest, config, read_withdrawals(layout))
        adopt(layout, plan, replace)
        if not config.reject_pictures:
            remove_pictures(layout)
        jobs = [
            ShardJob(plan=shard, config=config, clip_folder=clip_folder.resolve(), root=layout.root, condemned={})
            for shard in plan.shards
        ]
        own = jobs if part is None else part.of(jobs)
        missing = [job for job in own if not is_done(layout, job, retry)]
        where = None if workers == 0 else cluster or default_cluster(workers)
        quarantined = _make(missing, layout, where, progress, announce)
        info = None
        if part is None or _was_last(claim, layout, jobs):
            info = _finish(layout, plan, changed=bool(missing) or part is not None)
            layout.remove_stale_files()  # of workers that died meanwhile
    return PreprocessReport(
        info=info,
        shards_made=len(missing),
        shards_reused=len(own) - len(missing),
        quarantined=tuple(quarantined),
    )


def _was_last(claim: Claim, layout: DatasetLayout, jobs: list[ShardJob]) -> bool:
    """Return whether no other part is at work and none is missing; then the folder is this run's alone."""
    return claim.alone() and all(is_done(layout, job) for job in jobs)


def _make(
    jobs: list[ShardJob],
    layout: DatasetLayout,
    cluster: Cluster | None,
    progress: ProgressHook,
    announce: Callable[[str], None],
) -> list[str]:
    """Make the shards; return the names of those that needed quarantine."""
    if not jobs:
        return []
    for weight_id in weights_used(jobs[0].config):
        fetch(weight_id)  # weights that cannot be had are an error before any work starts
    meter = Meter(jobs, progress)
    lost = []
    with open_engine(cluster, jobs, announce) as engine:
        lengths = _lengths(engine, jobs)
        meter.expect_frames(round(sum(lengths.values())))
        longest_first = sorted(jobs, key=lambda job: -lengths[job.plan.name])
        for outcome in engine.run(longest_first, meter.add_frames):
            if outcome.error is not None:
                lost.append(outcome)
                continue
            meter.add_shard(_record(layout, outcome.job.plan.name))
    for outcome in lost:
        _rescue(outcome.job, outcome.error)
        meter.add_shard(_record(layout, outcome.job.plan.name))
    return [outcome.job.plan.name for outcome in lost]


def _lengths(engine: Engine, jobs: list[ShardJob]) -> dict[str, float]:
    ask = sum(len(job.plan.clips) for job in jobs) <= ASK_UP_TO_CLIPS
    lengths = engine.measure(jobs) if ask else None
    if lengths is None:
        lengths = [planned_length(job) for job in jobs]
    return {job.plan.name: length for job, length in zip(jobs, lengths, strict=True)}


def _rescue(job: ShardJob, error: str | None) -> None:
    """Make a lost shard without the clips that kill their process."""
    verdict = build_in_child(quarantine(job))
    if verdict is not None:
        raise HeadshotError(
            f"shard {job.plan.name} cannot be made ({error}; in a process of its own: {verdict.detail}), although "
            "each of its clips alone can; is memory or disk space short? What is done is kept: run it again"
        )


def _finish(layout: DatasetLayout, plan: Plan, *, changed: bool) -> DatasetInfo:
    """Write what describes the dataset as a whole; nothing if all that is there already."""
    records = [_record(layout, shard.name) for shard in plan.shards]
    info = summarise(plan, records)
    if changed or not layout.is_finished_as(info_text(info)):
        layout.info.unlink(missing_ok=True)
        layout.statistics.unlink(missing_ok=True)
        write_description(layout, info, records)
    return info


def _record(layout: DatasetLayout, shard: str) -> ShardRecord:
    record = read_record(layout, shard)
    if record is None:
        raise HeadshotError(f"shard {shard} has no record in {layout.root}; run the same command again")
    return record
