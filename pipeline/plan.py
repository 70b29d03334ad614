"""Which clip goes into which shard: decided by manifest and config alone, so that every machine agrees."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Literal

from manifests.schema import Clip, FileSource, Manifest, Record, Sha256, Split
from pipeline.config import PipelineConfig
from pipeline.files import Files, LocalFiles
from pipeline.layout import NAMES, DatasetLayout
from pipeline.versions import SCHEMA_VERSION, parse
from weights.errors import HeadshotError


class ShardPlan(Record):
    """The clips of one shard, in the order of its rows."""

    name: str
    """Such as `train-00000-of-00003`."""
    split: Split
    clips: tuple[Clip, ...]

    def sha256(self, config: PipelineConfig) -> str:
        """Return the hash of all that decides the bytes of the shard, the source videos aside."""
        content = [
            SCHEMA_VERSION,
            self.name,
            config.model_dump(mode="json"),
            [clip.model_dump(mode="json") for clip in self.clips],
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class Plan(Record):
    """A whole dataset before it is made."""

    schema_version: Literal[4] = SCHEMA_VERSION
    name: str
    title: str
    description: str
    manifest_sha256: Sha256
    config: PipelineConfig
    shards: tuple[ShardPlan, ...]


def read_plan(layout: DatasetLayout) -> Plan:
    """Return the plan of the dataset in a folder.

    Raises:
        HeadshotError: There is no dataset, or one that this version cannot read.
    """
    return plan_among(LocalFiles(layout.root))


def plan_among(files: Files) -> Plan:
    """Return the plan of the dataset in a folder or in object storage.

    Raises:
        HeadshotError: There is no dataset, or one that this version cannot read.
    """
    name = NAMES.plan.as_posix()
    try:
        text = files.read(name)
    except FileNotFoundError:
        raise HeadshotError(f"{files} holds no dataset (no {name}); make one with `headshot preprocess`") from None
    except OSError as error:
        raise HeadshotError(f"{files} cannot be read: {error}") from error
    return parse(Plan, text, f"{files}/{name}")


def make_plan(manifest: Manifest, config: PipelineConfig, withdrawn: Mapping[str, date] | None = None) -> Plan:
    """Return the plan: clips sorted by key, cut into runs of about `shard_frames` frames, per split.

    Args:
        manifest: The clips.
        config: What to do with them.
        withdrawn: People who withdrew after the manifest was written, and the day. They change no other clip's shard.
    """
    shards: list[ShardPlan] = []
    for split in ("train", "val", "test"):
        clips = sorted((clip for clip in manifest.clips if clip.split == split), key=lambda clip: clip.key)
        runs = list(_runs(clips, config))
        shards += [
            ShardPlan(
                name=f"{split}-{index:05d}-of-{len(runs):05d}",
                split=split,
                clips=tuple(as_planned(clip, withdrawn or {}) for clip in run),
            )
            for index, run in enumerate(runs)
        ]
    return Plan(
        name=manifest.name,
        title=manifest.title,
        description=manifest.description,
        manifest_sha256=manifest.sha256(),
        config=config,
        shards=tuple(shards),
    )


def withdraw(plan: Plan, identity: str, day: date) -> Plan:
    """Return the plan as it would have been, had the person withdrawn before."""
    shards = (
        shard.model_copy(update={"clips": tuple(as_planned(clip, {identity: day}) for clip in shard.clips)})
        for shard in plan.shards
    )
    return plan.model_copy(update={"shards": tuple(shards)})


def as_planned(clip: Clip, withdrawn: Mapping[str, date]) -> Clip:
    """Return what a plan says of a clip: everything, or of somebody who withdrew no more than its key and the day."""
    day = withdrawn.get(clip.identity, clip.withdrawn)
    if day is None:
        return clip
    return Clip(
        identity=clip.identity,
        video=clip.video,
        clip=clip.clip,
        source=FileSource(path=""),
        split=clip.split,
        licence="",
        consent="",
        withdrawn=day,
    )


def expected_frames(clip: Clip, config: PipelineConfig) -> float:
    """Return how many frames the manifest lets expect of a clip."""
    length_s = config.assumed_clip_s if clip.end_s is None else clip.end_s - clip.start_s
    return length_s * config.fps


def _runs(clips: list[Clip], config: PipelineConfig) -> Iterator[list[Clip]]:
    """Cut the clips into runs of like length: the clip in the middle of the i-th of n equal stretches opens run i."""
    if not clips:
        return
    sizes = [expected_frames(clip, config) for clip in clips]
    total = sum(sizes)
    count = min(len(clips), max(config.min_shards, round(total / config.shard_frames)))
    run: list[Clip] = []
    done = 0.0
    filled = 0
    for position, (clip, size) in enumerate(zip(clips, sizes, strict=True)):
        run.append(clip)
        done += size
        clips_left, runs_left = len(clips) - position - 1, count - filled - 1
        full = done >= total * (filled + 1) / count - 1e-9
        if runs_left and (clips_left == runs_left or (full and clips_left > runs_left)):
            yield run
            run, filled = [], filled + 1
    yield run
