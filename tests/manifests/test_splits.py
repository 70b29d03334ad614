"""People are divided by a hash: disjoint, in proportion, and the same again tomorrow."""

import random
from collections import Counter
from typing import Any

import pytest

from manifests.schema import Clip, FileSource, Manifest
from manifests.splits import SplitRule, attributes_to_balance, split_manifest
from weights.errors import HeadshotError

RULE = SplitRule(val=0.1, test=0.2, seed=3)


def person(name: str, clips: int = 2, **fields: Any) -> list[Clip]:
    given = {"split": "train", "licence": "", "consent": "", **fields}
    return [
        Clip(identity=name, video=f"v{i}", clip="c", source=FileSource(path=f"{name}-{i}.mp4"), **given)
        for i in range(clips)
    ]


def people(*names: str, **fields: Any) -> Manifest:
    return manifest([clip for name in names for clip in person(name, **fields)])


def manifest(clips: list[Clip]) -> Manifest:
    return Manifest(name="m", title="M", clips=tuple(clips))


def many(count: int) -> list[str]:
    return [f"id{number:05d}" for number in range(count)]


def split_of(divided: Manifest) -> dict[str, str]:
    """Return the split of every person, who must have one only."""
    found: dict[str, set[str]] = {}
    for clip in divided.clips:
        found.setdefault(clip.identity, set()).add(clip.split)
    assert all(len(splits) == 1 for splits in found.values())
    return {identity: splits.pop() for identity, splits in found.items()}


@pytest.mark.parametrize("count", [10, 97, 1000])
def test_everybody_is_in_one_split_and_shares_are_exact_to_a_person(count: int) -> None:
    counts = Counter(split_of(split_manifest(people(*many(count)), RULE)).values())

    assert sum(counts.values()) == count
    assert counts["test"] == pytest.approx(0.2 * count, abs=0.5)
    assert counts["val"] == pytest.approx(0.1 * count, abs=1)


def test_a_split_depends_neither_on_the_order_nor_on_the_splits_before() -> None:
    clips = list(people(*many(200)).clips)
    shuffled = random.Random(1).sample(clips, len(clips))
    before = [clip.model_copy(update={"split": "test"}) for clip in shuffled]

    one = split_manifest(manifest(clips), RULE)
    two = split_manifest(manifest(before), RULE)

    assert split_of(one) == split_of(two)
    assert one.sha256() == two.sha256()
    assert [clip.key for clip in two.clips] == [clip.key for clip in before]


def test_another_seed_divides_otherwise() -> None:
    one = split_of(split_manifest(people(*many(200)), RULE))
    two = split_of(split_manifest(people(*many(200)), SplitRule(val=0.1, test=0.2, seed=4)))

    assert sum(one[name] != two[name] for name in one) > 40


def test_who_is_added_moves_hardly_anybody() -> None:
    before = split_of(split_manifest(people(*many(200)), RULE))
    for newcomer in range(200, 230):
        after = split_of(split_manifest(people(*many(200), f"id{newcomer:05d}"), RULE))
        assert sum(before[name] != after[name] for name in before) <= 2

    doubled = split_of(split_manifest(people(*many(400)), RULE))
    assert sum(before[name] != doubled[name] for name in before) <= 20


def test_every_split_gets_its_share_of_every_value() -> None:
    clips = [clip for name in many(60) for clip in person(f"f{name}", attributes={"gender": "f"})]
    clips += [clip for name in many(20) for clip in person(f"m{name}", attributes={"gender": "m"})]

    divided = split_of(split_manifest(manifest(clips), SplitRule(val=0.1, test=0.2, seed=0, balance=("gender",))))

    counts = Counter((name[0], split) for name, split in divided.items())
    assert counts[("f", "test")] == pytest.approx(12, abs=1)
    assert counts[("m", "test")] == pytest.approx(4, abs=1)
    assert counts[("f", "val")] == pytest.approx(6, abs=1)
    assert counts[("m", "val")] == pytest.approx(2, abs=1)


@pytest.mark.parametrize("seed", range(5))
def test_shares_are_kept_over_many_groups_that_are_too_small_to_divide(seed: int) -> None:
    clips = [
        clip
        for group in range(50)
        for name in range(3)
        for clip in person(f"g{group}-{name}", attributes={"group": str(group)})
    ]

    counts = Counter(
        split_of(split_manifest(manifest(clips), SplitRule(val=0, test=0.1, seed=seed, balance=("group",)))).values()
    )

    assert counts["test"] == pytest.approx(15, abs=1)


def test_a_newcomer_moves_nobody_of_another_group() -> None:
    clips = [clip for name in many(60) for clip in person(f"f{name}", attributes={"gender": "f"})]
    clips += [clip for name in many(20) for clip in person(f"m{name}", attributes={"gender": "m"})]
    rule = SplitRule(val=0.1, test=0.2, seed=0, balance=("gender",))

    before = split_of(split_manifest(manifest(clips), rule))
    after = split_of(split_manifest(manifest([*clips, *person("new", attributes={"gender": "m"})]), rule))

    assert all(after[name] == split for name, split in before.items() if name.startswith("f"))


def test_a_person_counts_as_what_most_of_the_clips_say() -> None:
    mixed = person("ann", 2, attributes={"mood": "glad"}) + [
        clip.model_copy(update={"video": "other", "attributes": {"mood": "sad"}}) for clip in person("ann", 1)
    ]
    glad = [clip for name in many(9) for clip in person(name, attributes={"mood": "glad"})]

    rule = SplitRule(val=0, test=0.5, seed=0, balance=("mood",))

    assert Counter(split_of(split_manifest(manifest(glad + mixed), rule)).values()) == {"train": 5, "test": 5}


def test_people_can_stay_where_they_are() -> None:
    clips = [clip for name in many(20) for clip in person(name)]
    clips += [clip for name in many(10) for clip in person(f"kept-{name}", split="test")]

    divided = split_of(split_manifest(manifest(clips), SplitRule(val=0.2, test=0, seed=0, keep=frozenset({"test"}))))

    assert {name for name, split in divided.items() if split == "test"} == {f"kept-{name}" for name in many(10)}
    assert Counter(divided.values()) == {"train": 16, "val": 4, "test": 10}


def test_attributes_to_balance_are_those_that_everybody_has_in_few_values() -> None:
    clips = [
        clip
        for number, name in enumerate(many(20))
        for clip in person(
            name,
            attributes={"gender": "fm"[number % 2], "birthday": str(number), "planet": "earth"}
            | ({"pet": "cd"[number % 2]} if number else {}),
        )
    ]

    assert attributes_to_balance(manifest(clips)) == ("gender",)
    assert attributes_to_balance(people(*many(3))) == ()


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (SplitRule(val=0.6, test=0.5, seed=0), "leave nothing for train"),
        (SplitRule(val=0, test=0.1, seed=0), "a share of 0.1 of 3 people is nobody for test"),
        (
            SplitRule(val=0, test=0.5, seed=0, balance=("gender",)),
            "no clip has the attribute 'gender'; there are: none",
        ),
    ],
)
def test_what_cannot_be_is_refused(rule: SplitRule, said: str) -> None:
    with pytest.raises(HeadshotError, match=said):
        split_manifest(people("ann", "bob", "cleo"), rule)
