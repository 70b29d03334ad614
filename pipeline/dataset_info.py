"""`dataset.json`: what a dataset is, what it was made from and with."""

from typing import Literal

from manifests.schema import Record, Sha256
from pipeline.config import PipelineConfig
from pipeline.records import AudioFile
from pipeline.versions import SCHEMA_VERSION


class WeightUse(Record):
    """A network the dataset was made with, or that stood by for clips with more than one scene."""

    id: str
    title: str
    sha256: str
    licence: str


class ShardSummary(Record):
    """A file of the dataset."""

    name: str
    split: str
    rows: int
    size_bytes: int
    sha256: Sha256
    audio: AudioFile | None = None


class SoundTotals(Record):
    """The sound of a dataset."""

    clips: int
    """That have some."""
    seconds: float
    flaws: dict[str, int]
    """Clips without sound, or with sound that ends early, by reason."""


class DatasetInfo(Record):
    """The dataset as a whole."""

    schema_version: Literal[4] = SCHEMA_VERSION
    name: str
    title: str
    description: str
    manifest_sha256: Sha256
    config: PipelineConfig
    scheme: str
    """Name of the landmark scheme; scores of different schemes are never compared."""
    weights: tuple[WeightUse, ...]
    shards: tuple[ShardSummary, ...]
    clips: int
    frames: int
    usable_frames: int
    clips_per_split: dict[str, int]
    identities_per_split: dict[str, int]
    rejects_by_reason: dict[str, int]
    sound: SoundTotals | None = None
    """None where sound was not asked for."""
