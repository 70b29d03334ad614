"""Manifests made one: nobody twice without being told so, nobody in two splits."""

from pathlib import Path

import pytest

from manifests.merge import Part, merge
from manifests.readers import DEMO, read_manifest
from manifests.schema import Clip, FileSource, Manifest
from weights.errors import HeadshotError


def clip(identity: str, *, video: str = "v", split: str = "train", path: str = "a.mp4") -> Clip:
    return Clip(
        identity=identity,
        video=video,
        clip="c",
        source=FileSource(path=path),
        split=split,
        licence="CC0",
        consent="asked",
    )


def manifest(*clips: Clip, description: str = "") -> Manifest:
    return Manifest(name="one", title="One", description=description, clips=clips)


def merged(*manifests: Manifest, videos: Path | None = None, **options) -> Manifest:
    parts = [Part(manifest=one, videos=videos) for one in manifests]
    return merge(parts, name="both", title="Both", **options)


def test_clips_stay_as_they_are_and_in_order() -> None:
    one, other = manifest(clip("ann"), clip("bob"), description="First."), manifest(clip("eve"), description="Second.")
    both = merged(one, other)
    assert both.clips == one.clips + other.clips
    assert (both.name, both.title, both.description) == ("both", "Both", "First.\n\nSecond.")


def test_paths_become_absolute_and_videos_of_packages_stay(tmp_path: Path) -> None:
    parts = [
        Part(manifest=manifest(clip("ann")), videos=tmp_path / "one"),
        Part(manifest=manifest(clip("bob"), clip("eve", path="/there/b.mp4")), videos=tmp_path / "two"),
        Part(manifest=read_manifest(DEMO), videos=tmp_path / "three"),
    ]
    both = merge(parts, name="both", title="Both")
    paths = [one.source.path for one in both.clips[:3]]
    assert paths == [str(tmp_path / "one/a.mp4"), str(tmp_path / "two/a.mp4"), "/there/b.mp4"]
    assert both.clips[3:] == read_manifest(DEMO).clips


def test_one_name_in_two_manifests_may_be_two_people() -> None:
    one, other = manifest(clip("person1")), manifest(clip("person1", video="w"))
    with pytest.raises(HeadshotError, match=r"identity person1 is in more than one.*--same-people"):
        merged(one, other)
    assert len(merged(one, other, same_people=True).clips) == 2


def test_a_clip_in_two_manifests_is_refused_whoever_it_is() -> None:
    with pytest.raises(HeadshotError, match="clip ann/v/c is in more than one"):
        merged(manifest(clip("ann")), manifest(clip("ann")), same_people=True)


def test_nobody_gets_into_two_splits() -> None:
    one, other = manifest(clip("ann")), manifest(clip("ann", video="w", split="test"))
    with pytest.raises(HeadshotError, match=r"identity ann is in different splits.*--move ann=test"):
        merged(one, other, same_people=True)
    both = merged(one, other, same_people=True, move={"ann": "test"})
    assert {one.split for one in both.clips} == {"test"}


def test_moving_somebody_who_is_not_there_is_refused() -> None:
    with pytest.raises(HeadshotError, match="--move zoe"):
        merged(manifest(clip("ann")), manifest(clip("bob")), move={"zoe": "test"})
