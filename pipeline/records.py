"""What is written down about a finished shard: `records/<shard>.json`, the proof that it is done."""

from typing import Literal

from manifests.schema import Clip, Record, Sha256
from pipeline.files import Files, LocalFiles
from pipeline.layout import NAMES, DatasetLayout
from pipeline.verdicts import RejectReason, SoundFlaw
from pipeline.versions import SCHEMA_VERSION
from weights.files import publish_text


class SoundRecord(Record):
    """What became of the sound of a clip."""

    samples: int
    """0 where there is no sound."""
    rate_hz: int
    flaw: SoundFlaw | None
    """Why there is none, or why it ends early."""
    detail: str

    @property
    def seconds(self) -> float:
        """Length."""
        return self.samples / self.rate_hz if self.samples else 0.0


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
    scenes: int
    """Stretches that are kept; what lies between them shows others."""
    faces_compared: int
    """How many faces were embedded to tell who is who; 0 where there was no doubt."""
    note: str
    sound: SoundRecord | None = None
    """None where sound was not asked for."""


class RejectRecord(Record):
    """A clip that is not, and why."""

    clip: Clip
    reason: RejectReason
    detail: str


class AudioFile(Record):
    """The file with the sound of a shard."""

    rows: int
    size_bytes: int
    sha256: Sha256


class ShardRecord(Record):
    """A finished shard. The file exists and has this size and hash, or the shard is not done."""

    schema_version: Literal[4] = SCHEMA_VERSION
    name: str
    split: str
    plan_sha256: Sha256
    rows: int
    size_bytes: int
    sha256: Sha256
    clips: tuple[ClipRecord, ...]
    rejects: tuple[RejectRecord, ...]
    audio: AudioFile | None = None
    """None where sound was not asked for."""
    seconds: float
    """Time it took; not part of the shard."""


def read_record(layout: DatasetLayout, shard: str) -> ShardRecord | None:
    """Return the record of a shard, None where there is none or it was written by another version."""
    return record_among(LocalFiles(layout.root), shard)


def record_among(files: Files, shard: str) -> ShardRecord | None:
    """Return the same of a dataset in a folder or in object storage."""
    try:
        return ShardRecord.model_validate_json(files.read(NAMES.record(shard).as_posix()))
    except (FileNotFoundError, ValueError):
        return None


def write_record(layout: DatasetLayout, record: ShardRecord) -> None:
    """Write the record: the shard is done from here on."""
    publish_text(layout.record(record.name), record.model_dump_json(indent=1) + "\n")


def shard_is_whole(layout: DatasetLayout, record: ShardRecord) -> bool:
    """Return whether the files the record speaks of exist with the right size."""
    return whole_among(LocalFiles(layout.root), record)


def whole_among(files: Files, record: ShardRecord) -> bool:
    """Return the same of a dataset in a folder or in object storage."""
    sizes = {NAMES.shard(record.name): record.size_bytes}
    if record.audio is not None:
        sizes[NAMES.audio(record.name)] = record.audio.size_bytes
    whole = all(files.size_bytes(path.as_posix()) == size for path, size in sizes.items())
    return whole and files.size_bytes(NAMES.offsets(record.name).as_posix()) is not None
