"""People into train, val and test: by a hash of their name, so that a split outlives the manifest it was made for."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from manifests.schema import Clip, Manifest, Split
from weights.errors import HeadshotError

MOST_VALUES = 8
"""An attribute with more values than this makes groups that are too small to balance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRule:
    """How people are to be divided."""

    val: float
    """Share of the people, 0 to 1."""
    test: float
    seed: int
    balance: tuple[str, ...] = ()
    """Attributes whose values each split gets its share of."""
    keep: frozenset[Split] = frozenset()
    """People of these splits stay there; shares are of the others."""


def split_manifest(manifest: Manifest, rule: SplitRule) -> Manifest:
    """Return the manifest with its people divided anew.

    In each group of people with equal attributes, people are sorted by a hash of seed and name; the first are `test`,
    the next `val`, the rest `train`. So the order of the clips changes nothing, and a person who joins a group moves at
    most two others, both of that group: those at its two borders. Shares come out as near as whole people allow, over
    all groups together; for that, groups are rounded differently, which a new group may shift.

    Raises:
        HeadshotError: The shares are impossible, an attribute is unknown, or a split that was asked for stays empty.
    """
    if rule.val < 0 or rule.test < 0 or rule.val + rule.test > 1:
        raise HeadshotError(f"shares of {rule.val} for val and {rule.test} for test leave nothing for train")
    kept: dict[str, Split] = {clip.identity: clip.split for clip in manifest.clips if clip.split in rule.keep}
    values = _values(manifest.clips, rule.balance)
    groups: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for identity in dict.fromkeys(clip.identity for clip in manifest.clips):
        if identity not in kept:
            groups[tuple(values[name][identity] for name in rule.balance)].append(identity)
    split_of = kept | _divided(groups, rule)
    for name, share in (("val", rule.val), ("test", rule.test)):
        if share and name not in split_of.values():
            raise HeadshotError(
                f"manifest {manifest.name}: a share of {share} of {len(split_of)} people is nobody for {name}; ask for "
                "a larger share, or for 0"
            )
    clips = tuple(_moved(clip, split_of) for clip in manifest.clips)
    return Manifest.model_validate({**dict(manifest), "clips": clips})


def attributes_to_balance(manifest: Manifest) -> tuple[str, ...]:
    """Return the attributes that everybody has and that have two to eight values."""
    people = {clip.identity for clip in manifest.clips}
    found = []
    for name in sorted({name for clip in manifest.clips for name in clip.attributes}):
        values = _values(manifest.clips, [name])[name]
        if all(values[identity] for identity in people) and 2 <= len(set(values.values())) <= MOST_VALUES:
            found.append(name)
    return tuple(found)


def _divided(groups: dict[tuple[str, ...], list[str]], rule: SplitRule) -> dict[str, Split]:
    """Return the split of everybody in these groups of people."""
    split_of: dict[str, Split] = {}
    ranked = sorted(groups, key=lambda group: _hash(rule.seed, "group", *group))
    for rank, group in enumerate(ranked):
        # Rounded up in as many groups as it is rounded down in: with one group, as usual.
        rounding = (rank + 0.5) / len(ranked)
        people = sorted(groups[group], key=lambda identity: _hash(rule.seed, "person", identity))
        test = int(len(people) * rule.test + rounding)
        held_out = max(test, int(len(people) * (rule.test + rule.val) + rounding))
        for position, identity in enumerate(people):
            split_of[identity] = "test" if position < test else "val" if position < held_out else "train"
    return split_of


def _values(clips: Sequence[Clip], names: Collection[str]) -> dict[str, dict[str, str]]:
    """Return for each attribute the value most clips of a person have, empty where they have none.

    Raises:
        HeadshotError: No clip has such an attribute.
    """
    counts: dict[str, defaultdict[str, Counter[str]]] = {name: defaultdict(Counter) for name in names}
    known = {name for clip in clips for name in clip.attributes}
    for name in names:
        if name not in known:
            raise HeadshotError(f"no clip has the attribute {name!r}; there are: {', '.join(sorted(known)) or 'none'}")
        for clip in clips:
            counts[name][clip.identity][clip.attributes.get(name, "")] += 1
    return {
        name: {identity: min(of_one, key=lambda value: (-of_one[value], value)) for identity, of_one in people.items()}
        for name, people in counts.items()
    }


def _moved(clip: Clip, split_of: dict[str, Split]) -> Clip:
    split = split_of[clip.identity]
    return clip if clip.split == split else clip.model_copy(update={"split": split})


def _hash(seed: int, *words: str) -> bytes:
    return hashlib.sha256("\0".join((str(seed), *words)).encode()).digest()
