"""How much of a dataset is there, and whether it is still what was written."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.dataset_info import SoundTotals
from pipeline.files import Files, find_files
from pipeline.layout import NAMES
from pipeline.offsets import locate_rows
from pipeline.picture_shard import read_pictures
from pipeline.plan import Plan, plan_among
from pipeline.records import ShardRecord, record_among, whole_among
from pipeline.summary import add_up_sound
from weights.errors import HeadshotError
from weights.files import sha256_of

AT_ONCE = 16
"""Records that are asked for at the same time: object storage answers slowly, but many at once."""


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
    sound: SoundTotals | None
    """None where sound was not asked for."""
    finished: bool
    """The index is written: `Store` opens the dataset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A shard that is not what its record says."""

    shard: str
    detail: str


def status(root: Path | str) -> DatasetStatus:
    """Return how much of the dataset in a folder, or at an address that fsspec knows, is done: from its records alone.

    Raises:
        HeadshotError: There is no dataset, one that this version cannot read, or it cannot be reached.
    """
    files = find_files(root, {})
    plan = plan_among(files)
    done = {record.name: record for record in _done(files, plan)}
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
        sound=add_up_sound(clips) if plan.config.audio else None,
        finished=files.size_bytes(NAMES.info.as_posix()) is not None and len(done) == len(plan.shards),
    )


def verify(root: Path | str) -> tuple[Fault, ...]:
    """Read every shard again and return those that are missing or damaged.

    Checks the hash of each file, that images and points lie where the byte index says, and the number of rows. From
    object storage the shards are copied to this machine, one at a time.

    Raises:
        HeadshotError: There is no dataset, or one that this version cannot read.
    """
    files = find_files(root, {})
    plan = plan_among(files)
    faults = ((shard.name, _fault(files, shard.name, shard.sha256(plan.config))) for shard in plan.shards)
    return tuple(Fault(shard=name, detail=detail) for name, detail in faults if detail)


def _fault(files: Files, name: str, plan_sha256: str) -> str | None:
    try:
        record = record_among(files, name)
        if record is None:
            return "not made yet"
        if record.plan_sha256 != plan_sha256:
            return "made by another plan"
        if not whole_among(files, record):
            return "file missing or of the wrong size"
        with (
            files.on_disk(NAMES.shard(name).as_posix()) as shard,
            files.on_disk(NAMES.offsets(name).as_posix()) as offsets,
        ):
            damage = _damage(record, shard, offsets)
        return damage or _damage_of_sound(files, record) or _damage_of_pictures(files, record)
    except (HeadshotError, OSError, ValueError, EOFError) as error:  # the last two: of a byte index that is none
        return f"cannot be read: {error}"


def _damage(record: ShardRecord, shard: Path, offsets: Path) -> str | None:
    if sha256_of(shard) != record.sha256:
        return f"bytes changed since it was written (sha256 is not {record.sha256[:12]}...)"
    places, stored = locate_rows(shard), np.load(offsets, allow_pickle=False)
    if len(places) != record.rows or not np.array_equal(places, stored):
        return "byte index does not fit"
    return None


def _damage_of_sound(files: Files, record: ShardRecord) -> str | None:
    if record.audio is None:
        return None
    with files.on_disk(NAMES.audio(record.name).as_posix()) as audio:
        if sha256_of(audio) == record.audio.sha256:
            return None
    return f"bytes of its sound changed since it was written (sha256 is not {record.audio.sha256[:12]}...)"


def _damage_of_pictures(files: Files, record: ShardRecord) -> str | None:
    name = NAMES.pictures(record.name).as_posix()
    if files.size_bytes(name) is None:
        return None
    with files.on_disk(name) as pictures:
        unknown = set(read_pictures(pictures)) - {reject.clip.key for reject in record.rejects}
    return f"it has pictures of clips that it did not leave out: {', '.join(sorted(unknown))}" if unknown else None


def _done(files: Files, plan: Plan) -> list[ShardRecord]:
    def whole(shard: str) -> ShardRecord | None:
        record = record_among(files, shard)
        return record if record is not None and whole_among(files, record) else None

    try:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            records = list(threads.map(whole, [shard.name for shard in plan.shards]))
    except OSError as error:
        raise HeadshotError(f"{files} cannot be read: {error}") from error
    return [record for record in records if record is not None]
