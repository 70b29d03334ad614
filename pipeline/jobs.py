"""One unit of work: a shard of a plan, and where its videos and the dataset lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import PipelineConfig
from pipeline.plan import ShardPlan
from pipeline.verdicts import Reject


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardJob:
    """All a worker needs to know to make one shard."""

    plan: ShardPlan
    config: PipelineConfig
    clip_folder: Path
    root: Path
    condemned: Mapping[str, Reject]
    """Clips that took a process down before: key and verdict."""
