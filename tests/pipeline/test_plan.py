"""The plan is a pure function of manifest and config."""

from pathlib import Path

import pytest

from manifests.schema import Clip, FileSource, Manifest
from pipeline.config import PipelineConfig
from pipeline.plan import make_plan


def manifest(count: int, *, length_s: float | None = None, split: str = "train") -> Manifest:
    clips = [
        Clip.model_validate(
            {
                "identity": f"p{index:04d}",
                "video": "v",
                "clip": "c",
                "source": FileSource(path=f"{index}.mp4"),
                "end_s": length_s,
                "split": split,
                "licence": "CC0",
                "consent": "drawn",
            }
        )
        for index in range(count)
    ]
    return Manifest(name="tests", title="Tests", clips=tuple(clips))


@pytest.mark.parametrize("count", [1, 7, 8, 9, 100])
@pytest.mark.parametrize("length_s", [None, 3.0, 400.0])
def test_every_clip_is_in_exactly_one_shard_in_order(count: int, length_s: float | None) -> None:
    plan = make_plan(manifest(count, length_s=length_s), PipelineConfig())
    keys = [clip.key for shard in plan.shards for clip in shard.clips]
    assert keys == sorted(clip.key for clip in manifest(count).clips)
    assert all(shard.clips for shard in plan.shards)


def test_the_order_of_the_manifest_does_not_matter() -> None:
    ordered = manifest(30)
    shuffled = ordered.model_copy(update={"clips": ordered.clips[::-1]})
    assert make_plan(ordered, PipelineConfig()) == make_plan(shuffled, PipelineConfig())


def test_shards_have_about_the_size_that_is_asked_for() -> None:
    plan = make_plan(manifest(1000, length_s=8.0), PipelineConfig(shard_frames=10_000))
    frames = [len(shard.clips) * 200 for shard in plan.shards]
    assert len(plan.shards) == 20
    assert max(frames) <= 1.1 * min(frames)


def test_a_small_split_still_has_work_for_several_processes() -> None:
    assert len(make_plan(manifest(20, length_s=2.0), PipelineConfig()).shards) == 8
    assert len(make_plan(manifest(3), PipelineConfig()).shards) == 3


def test_shards_are_named_by_split_position_and_count() -> None:
    both = manifest(3).clips + tuple(
        clip.model_copy(update={"identity": f"t{index}"}) for index, clip in enumerate(manifest(2, split="test").clips)
    )
    plan = make_plan(Manifest(name="tests", title="Tests", clips=both), PipelineConfig())
    assert [shard.name for shard in plan.shards] == [
        *(f"train-{index:05d}-of-00003" for index in range(3)),
        *(f"test-{index:05d}-of-00002" for index in range(2)),
    ]


def test_a_shard_is_asked_for_anew_when_anything_that_decides_its_bytes_changes() -> None:
    config = PipelineConfig()
    (shard,) = make_plan(manifest(1), config).shards
    (other,) = make_plan(manifest(1, length_s=5.0), config).shards
    assert shard.sha256(config) == shard.sha256(PipelineConfig())
    assert shard.sha256(config) != other.sha256(config)
    assert shard.sha256(config) != shard.sha256(PipelineConfig(jpeg_quality=90))


def test_a_plan_survives_its_file(tmp_path: Path) -> None:
    plan = make_plan(manifest(5), PipelineConfig())
    (tmp_path / "plan.json").write_text(plan.model_dump_json())
    assert type(plan).model_validate_json((tmp_path / "plan.json").read_text()) == plan
