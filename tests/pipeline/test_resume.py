"""What runs keep of earlier ones, and what they refuse; faces are discs."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from pipeline.layout import DatasetLayout
from pipeline.progress import Progress
from pipeline.status import status, verify
from pipeline.store import Store
from tests.pipeline.conftest import SMALL, manifest_of, run
from weights.errors import HeadshotError
from weights.files import TEMPORARY_MARK, sha256_of

pytestmark = pytest.mark.usefixtures("discs_are_faces")


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """The dataset of Ann, Bob and Eve, to be changed."""
    return Path(shutil.copytree(made, tmp_path / "data"))


def test_a_second_run_makes_nothing_and_leaves_every_byte(copy: Path, videos: list[Path]) -> None:
    def files() -> dict[Path, tuple[str, int]]:
        return {path: (sha256_of(path), path.stat().st_mtime_ns) for path in copy.rglob("*") if path.is_file()}

    before = files()
    report = run(manifest_of(*videos), copy)
    assert (report.shards_made, report.shards_reused) == (0, 3)
    assert files() == before


def test_only_what_is_missing_is_made_again_with_the_same_bytes(copy: Path, videos: list[Path]) -> None:
    layout = DatasetLayout(copy)
    shards = sorted((copy / "data").iterdir())
    before = [sha256_of(path) for path in shards]
    layout.record(shards[0].stem).unlink()
    shards[1].write_bytes(shards[1].read_bytes()[:-1])
    (copy / "data" / f".{shards[2].stem}{TEMPORARY_MARK}0.parquet").write_text("left by a killed run")
    assert run(manifest_of(*videos), copy).shards_made == 2
    assert [sha256_of(path) for path in shards] == before
    assert not list(layout.stale_files())


def test_a_run_killed_before_the_index_was_written_is_finished(copy: Path, videos: list[Path]) -> None:
    for path in DatasetLayout(copy).files_of_dataset():
        path.unlink()
    assert run(manifest_of(*videos), copy).shards_made == 0
    assert status(copy).finished


def test_a_folder_of_another_dataset_is_refused_unless_it_may_be_replaced(copy: Path, videos: list[Path]) -> None:
    other = SMALL.model_copy(update={"size_px": 48})
    with pytest.raises(HeadshotError, match="another manifest or with other settings"):
        run(manifest_of(videos[0]), copy, other)
    assert run(manifest_of(videos[0]), copy, other, replace=True).info.clips == 1
    assert [path.name for path in (copy / "data").iterdir()] == ["train-00000-of-00001.parquet"]


def test_a_withdrawn_clip_leaves_and_only_its_shard_is_made_again(copy: Path, videos: list[Path]) -> None:
    before = {path.name: sha256_of(path) for path in (copy / "data").iterdir()}
    ann, bob, eve = manifest_of(*videos).clips
    changed = manifest_of(ann, bob.model_copy(update={"withdrawn": date(2025, 6, 30)}), eve)
    report = run(changed, copy, replace=True)
    assert (report.shards_made, report.info.rejects_by_reason) == (1, {"withdrawn": 1})
    assert [clip.identity for clip in Store.open(copy).clips] == ["ann", "eve"]
    kept = [name for name, digest in before.items() if sha256_of(copy / "data" / name) == digest]
    assert len(kept) == 2


def test_two_runs_in_one_folder_are_refused(tmp_path: Path, videos: list[Path]) -> None:
    def start_another(_: Progress) -> None:
        run(manifest_of(videos[0]), tmp_path / "data")

    with pytest.raises(HeadshotError, match="another run is at work"):
        run(manifest_of(videos[0]), tmp_path / "data", progress=start_another)


def test_a_source_that_turns_up_later_is_taken_in(tmp_path: Path, videos: list[Path]) -> None:
    here = [Path(shutil.copy(path, tmp_path)) for path in videos[:2]]
    away = here[1].rename(tmp_path / "elsewhere.mp4")
    first = run(manifest_of(*here), tmp_path / "data")
    assert first.info.rejects_by_reason == {"missing_source": 1}
    away.rename(here[1])
    second = run(manifest_of(*here), tmp_path / "data")
    assert (second.shards_made, second.info.rejects_by_reason, second.info.clips) == (1, {}, 2)


def test_verify_names_the_shard_whose_bytes_changed(copy: Path) -> None:
    assert verify(copy) == ()
    path = sorted((copy / "data").iterdir())[1]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    (fault,) = verify(copy)
    assert fault.shard == path.stem
    assert "bytes changed" in fault.detail


def test_verify_notices_a_byte_index_that_does_not_fit(copy: Path) -> None:
    ann, _, eve = sorted((copy / "offsets").iterdir())
    shutil.copy(ann, eve)
    assert [(fault.shard, fault.detail) for fault in verify(copy)] == [(eve.stem, "byte index does not fit")]


@pytest.mark.parametrize("size", [0, 50, 200])
def test_verify_notices_a_byte_index_that_is_cut_off(copy: Path, size: int) -> None:
    path = sorted((copy / "offsets").iterdir())[0]
    path.write_bytes(path.read_bytes()[:size])
    (fault,) = verify(copy)
    assert fault.shard == path.stem
    assert fault.detail.startswith("cannot be read: ")


def test_status_counts_what_is_done_and_what_is_not(copy: Path) -> None:
    whole = status(copy)
    assert (whole.finished, whole.clips, whole.clips_in_shards, whole.frames) == (True, 3, 3, 110)
    lost = sorted((copy / "records").iterdir())[0]
    lost.unlink()
    partial = status(copy)
    assert (partial.finished, partial.shards_done, partial.clips_pending) == (False, 2, 1)
    assert partial.shards_missing == (lost.stem,)


def test_progress_counts_up_to_the_totals(tmp_path: Path, videos: list[Path]) -> None:
    seen: list[Progress] = []
    run(manifest_of(*videos), tmp_path / "data", progress=seen.append)
    assert [one.frames for one in seen] == sorted(one.frames for one in seen)
    assert (seen[-1].frames, seen[-1].clips, seen[-1].clips_total, seen[-1].shards) == (110, 3, 3, 3)
    assert seen[-1].frames_expected == pytest.approx(110, abs=2)


def test_a_manifest_that_says_the_same_in_other_words_is_taken_and_makes_nothing(
    copy: Path, videos: list[Path]
) -> None:
    report = run(manifest_of(*videos).model_copy(update={"title": "Another title"}), copy)
    assert (report.shards_made, report.info.title) == (0, "Another title")
