"""What is written down about a finished shard: `records/<shard>.json`, the proof that it is done."""

from pathlib import Path
from typing import Literal

from manifests.schema import Clip, Record, Sha256
from pipeline.layout import DatasetLayout
from pipeline.verdicts import RejectReason
from weights.files import publish_text


class ClipRecord(Record):
    """A clip that is in a shard."""

    clip: Clip
    first_row: int
    """Position in the shard."""
    frames: int
    usable_frames: int
    row_group: int
    """The first one; a long clip has several."""
    row_groups: int
    width_px: int
    height_px: int
    """Of the upright source with square pixels."""
    source_fps: float | None
    codec: str
    rotation_deg: int
    interlaced: bool
    colour_rule: str
    source_sha256: Sha256
    crop_side_px: int
    """Side of the crop in source pixels."""
    pad: float
    face_px: float | None
    """Median over the usable frames."""
    note: str


class RejectRecord(Record):
    """A clip that is not, and why."""

    clip: Clip
    reason: RejectReason
    detail: str


class ShardRecord(Record):
    """A finished shard. The file exists and has this size and hash, or the shard is not done."""

    schema_version: Literal[1] = 1
    name: str
    split: str
    plan_sha256: Sha256
    rows: int
    size_bytes: int
    sha256: Sha256
    clips: tuple[ClipRecord, ...]
    rejects: tuple[RejectRecord, ...]
    seconds: float
    """Time it took; not part of the shard."""


def read_record(layout: DatasetLayout, shard: str) -> ShardRecord | None:
    """Return the record of a shard, None where there is none or it was written by another version."""
    path = layout.record(shard)
    if not path.is_file():
        return None
    try:
        return ShardRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except ValueError:
        return None


def write_record(layout: DatasetLayout, record: ShardRecord) -> None:
    """Write the record: the shard is done from here on."""
    publish_text(layout.record(record.name), record.model_dump_json(indent=1) + "\n")


def shard_is_whole(layout: DatasetLayout, record: ShardRecord) -> bool:
    """Return whether the files the record speaks of exist with the right size."""
    paths: tuple[Path, Path] = layout.shard(record.name), layout.offsets(record.name)
    return all(path.is_file() for path in paths) and paths[0].stat().st_size == record.size_bytes
