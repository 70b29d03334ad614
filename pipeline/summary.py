"""Finished shards added up to what the dataset says about itself."""

from collections import Counter
from collections.abc import Iterable, Sequence

from pipeline.backends import load_backend, weights_used
from pipeline.dataset_info import DatasetInfo, ShardSummary, SoundTotals, WeightUse
from pipeline.plan import Plan
from pipeline.records import ClipRecord, ShardRecord
from weights.registry import find_entry


def summarise(plan: Plan, records: Sequence[ShardRecord]) -> DatasetInfo:
    """Return what the finished shards amount to."""
    backend = load_backend(plan.config.backend, plan.config.detector)
    return add_up(plan, records, backend.scheme, map(_weight_use, weights_used(plan.config)))


def add_up(plan: Plan, records: Sequence[ShardRecord], scheme: str, weights: Iterable[WeightUse]) -> DatasetInfo:
    """Return the same where scheme and networks are known, without loading any."""
    clips = [clip for record in records for clip in record.clips]
    people = {(clip.clip.split, clip.clip.identity) for clip in clips}
    return DatasetInfo(
        name=plan.name,
        title=plan.title,
        description=plan.description,
        manifest_sha256=plan.manifest_sha256,
        config=plan.config,
        scheme=scheme,
        weights=tuple(weights),
        shards=tuple(
            ShardSummary.model_validate(record.model_dump(include=set(ShardSummary.model_fields))) for record in records
        ),
        clips=len(clips),
        frames=sum(clip.frames for clip in clips),
        usable_frames=sum(clip.usable_frames for clip in clips),
        clips_per_split=_sorted_counts(clip.clip.split for clip in clips),
        identities_per_split=_sorted_counts(split for split, _ in people),
        rejects_by_reason=_sorted_counts(reject.reason for record in records for reject in record.rejects),
        sound=add_up_sound(clips) if plan.config.audio else None,
    )


def add_up_sound(clips: Iterable[ClipRecord]) -> SoundTotals:
    """Return how much sound there is, and why there is not more."""
    sounds = [clip.sound for clip in clips if clip.sound is not None]
    return SoundTotals(
        clips=sum(1 for sound in sounds if sound.samples),
        seconds=round(sum(sound.seconds for sound in sounds), 3),
        flaws=_sorted_counts(sound.flaw for sound in sounds if sound.flaw is not None),
    )


def _weight_use(weight_id: str) -> WeightUse:
    entry = find_entry(weight_id)
    return WeightUse(id=entry.id, title=entry.title, sha256=entry.sha256, licence=entry.licence)


def _sorted_counts(values: Iterable[object]) -> dict[str, int]:
    return dict(sorted(Counter(str(value) for value in values).items()))
