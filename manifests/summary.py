"""A manifest in numbers: people, clips and hours of each split, and under what terms."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from manifests.schema import Clip, Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSummary:
    """One split."""

    split: str
    identities: int
    clips: int
    hours: float
    """Of the clips whose end the manifest states."""
    open_ended: int
    """Clips that go to the end of their video, which the manifest does not know."""
    missing: int
    """Clips whose video is not there."""
    withdrawn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestSummary:
    """A whole manifest."""

    splits: tuple[SplitSummary, ...]
    """Those that somebody is in, and `all`."""
    licences: dict[str, int]
    """Clips by licence, the most frequent first."""
    consents: dict[str, int]
    """Clips by what is known of consent, likewise."""
    attributes: dict[str, int]
    """How many values each attribute has."""


def summarise(manifest: Manifest, missing: frozenset[str]) -> ManifestSummary:
    """Return a manifest in numbers.

    Args:
        manifest: The clips.
        missing: Keys of clips whose video is not there.
    """
    clips = manifest.clips
    parts = {split: [clip for clip in clips if clip.split == split] for split in ("train", "val", "test")}
    values = {pair for clip in clips for pair in clip.attributes.items()}
    return ManifestSummary(
        splits=(
            *(_summary(split, part, missing) for split, part in parts.items() if part),
            _summary("all", clips, missing),
        ),
        licences=dict(Counter(clip.licence for clip in clips).most_common()),
        consents=dict(Counter(clip.consent for clip in clips).most_common()),
        attributes=dict(sorted(Counter(name for name, _ in values).items())),
    )


def _summary(split: str, clips: Sequence[Clip], missing: frozenset[str]) -> SplitSummary:
    lengths_s = [clip.end_s - clip.start_s for clip in clips if clip.end_s is not None]
    return SplitSummary(
        split=split,
        identities=len({clip.identity for clip in clips}),
        clips=len(clips),
        hours=sum(lengths_s) / 3600,
        open_ended=len(clips) - len(lengths_s),
        missing=sum(clip.key in missing for clip in clips),
        withdrawn=sum(clip.withdrawn is not None for clip in clips),
    )
