"""How much of a dataset is there, and whether it is still what was written."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.layout import DatasetLayout
from pipeline.offsets import locate_rows
from pipeline.plan import Plan, read_plan
from pipeline.records import ShardRecord, read_record, shard_is_whole
from weights.errors import HeadshotError
from weights.files import sha256_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetStatus:
    """What is done and what is not."""

    name: str
    shards: int
    shards_done: int
    shards_missing: tuple[str, ...]
    clips: int
    """Planned."""
    clips_in_shards: int
    clips_pending: int
    rejects_by_reason: dict[str, int]
    frames: int
    usable_frames: int
    finished: bool
    """The index is written: `Store` opens the dataset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A shard that is not what its record says."""

    shard: str
    detail: str


def status(out: Path) -> DatasetStatus:
    """Return how much of the dataset in `out` is done, from the records alone.

    Raises:
        HeadshotError: There is no dataset.
    """
    layout = DatasetLayout(out)
    plan = read_plan(layout)
    done = {record.name: record for record in _done(layout, plan)}
    clips = [clip for record in done.values() for clip in record.clips]
    rejects = [reject for record in done.values() for reject in record.rejects]
    planned = sum(len(shard.clips) for shard in plan.shards)
    return DatasetStatus(
        name=plan.name,
        shards=len(plan.shards),
        shards_done=len(done),
        shards_missing=tuple(shard.name for shard in plan.shards if shard.name not in done),
        clips=planned,
        clips_in_shards=len(clips),
        clips_pending=planned - len(clips) - len(rejects),
        rejects_by_reason=dict(sorted(Counter(str(reject.reason) for reject in rejects).items())),
        frames=sum(clip.frames for clip in clips),
        usable_frames=sum(clip.usable_frames for clip in clips),
        finished=layout.info.is_file() and len(done) == len(plan.shards),
    )


def verify(out: Path) -> tuple[Fault, ...]:
    """Read every shard again and return those that are missing or damaged.

    Checks the hash of each file, that images and points lie where the byte index says, and the number of rows.

    Raises:
        HeadshotError: There is no dataset.
    """
    layout = DatasetLayout(out)
    plan = read_plan(layout)
    faults = ((shard.name, _fault(layout, shard.name, shard.sha256(plan.config))) for shard in plan.shards)
    return tuple(Fault(shard=name, detail=detail) for name, detail in faults if detail)


def _fault(layout: DatasetLayout, name: str, plan_sha256: str) -> str | None:
    record = read_record(layout, name)
    if record is None:
        return "not made yet"
    if record.plan_sha256 != plan_sha256:
        return "made by another plan"
    return _damage(layout, record)


def _damage(layout: DatasetLayout, record: ShardRecord) -> str | None:
    name = record.name
    if not shard_is_whole(layout, record):
        return "file missing or of the wrong size"
    if sha256_of(layout.shard(name)) != record.sha256:
        return f"bytes changed since it was written (sha256 is not {record.sha256[:12]}...)"
    try:
        places = locate_rows(layout.shard(name))
    except (HeadshotError, OSError) as error:
        return f"cannot be read: {error}"
    stored = np.load(layout.offsets(name), allow_pickle=False)
    if len(places) != record.rows or not np.array_equal(places, stored):
        return "byte index does not fit"
    return None


def _done(layout: DatasetLayout, plan: Plan) -> list[ShardRecord]:
    records = (read_record(layout, shard.name) for shard in plan.shards)
    return [record for record in records if record is not None and shard_is_whole(layout, record)]
