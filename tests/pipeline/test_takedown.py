"""A person leaves a dataset: every byte of their pictures goes, everybody else's stays; faces are discs."""

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from manifests.schema import Manifest
from pipeline import shards, takedown, takedown_notes
from pipeline.layout import DatasetLayout
from pipeline.plan import read_plan
from pipeline.status import status, verify
from pipeline.store import Store
from pipeline.takedown import take_out
from pipeline.takedown_notes import begin, finish, traces
from pipeline.takedown_videos import videos_of
from pipeline.traces import scan
from pipeline.withdrawals import read_withdrawals
from tests.pipeline.conftest import clip_of, discs_for_faces, manifest_of, run
from tests.pipeline.takedowns import PEOPLE, TOGETHER, hashes, killed_at, make_people, marked, without
from weights.errors import HeadshotError

pytestmark = pytest.mark.usefixtures("discs_are_faces")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Four people. Not to be changed."""
    return make_people(tmp_path_factory.mktemp("films"))


@pytest.fixture(scope="module")
def manifest(films: dict[str, Path]) -> Manifest:
    """Ann, Bobby and Cy to train on, Dora to test on; Bobby is credited by a name that must not stay."""
    changes = {"bobby": {"credit": "Robert the Disc", "consent": "by letter"}, "dora": {"split": "test"}}
    return manifest_of(*(clip_of(path, **changes.get(name, {})) for name, path in films.items()))


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> Path:
    """A dataset in which Ann, Bobby and Cy share a shard. Not to be changed."""
    out = tmp_path_factory.mktemp("untouched") / "data"
    with discs_for_faces():
        run(manifest, out, TOGETHER)
    return out


@pytest.fixture
def data(tmp_path: Path, untouched: Path) -> Path:
    """The same dataset, to be changed."""
    return Path(shutil.copytree(untouched, tmp_path / "data"))


def pictures(root: Path, identity: str) -> list[bytes]:
    store = Store.open(root)
    return [
        image for clip in store.clips if clip.identity == identity for image in store.encoded(clip, range(clip.frames))
    ]


def test_a_person_in_the_middle_of_a_shard_goes_and_the_others_stay_as_they_are(data: Path, untouched: Path) -> None:
    before = Store.open(untouched)
    removed = pictures(untouched, "bobby")
    changes = {change.what: (change.files, change.rows) for change in without(data, "bobby")}
    assert changes["shards"] == (1, len(removed)) == (1, 32)
    after = Store.open(data)
    assert [clip.identity for clip in after.clips] == ["ann", "cy", "dora"]
    for clip in after.clips:
        old, rows = before.clip(clip.key), range(clip.frames)
        assert after.encoded(clip, rows) == before.encoded(old, rows)
        np.testing.assert_array_equal(after.landmarks(clip, rows), before.landmarks(old, rows))
        np.testing.assert_array_equal(after.column(clip, "source_frame"), before.column(old, "source_frame"))
    assert verify(data) == ()
    other = "data/test-00000-of-00001.parquet"
    assert hashes(data)[other] == hashes(untouched)[other]
    assert (after.info.clips, after.info.frames) == (3, before.info.frames - 32)


def test_no_byte_of_a_removed_picture_is_found_again_and_every_one_was_there_before(
    data: Path, untouched: Path
) -> None:
    removed = pictures(untouched, "bobby")
    begun = begin(data, "bobby")
    left = traces(data, "bobby")
    assert scan([data], left).found == (data / "data/train-00000-of-00001.parquet",)
    take_out(data, begun)
    result = scan([data], left)
    assert result.found == ()
    assert result.files > 10
    everything = b"".join(path.read_bytes() for path in sorted(data.rglob("*")) if path.is_file())
    for image in removed:  # the plain way, against which the scan is held
        middle = len(image) // 2
        assert image[middle : middle + 32] not in everything


def test_only_the_name_stays_so_that_the_person_stays_away(data: Path) -> None:
    without(data, "bobby")
    finish(data, "bobby")
    named = {path.name for path in data.rglob("*") if path.is_file() and b"bobby" in path.read_bytes()}
    assert named == {"plan.json", "train-00000-of-00001.json", "rejects.parquet", "withdrawn.json"}
    assert not any(b"Robert" in path.read_bytes() for path in data.rglob("*") if path.is_file())
    (reject,) = Store.open(data).rejects
    assert (reject.key, reject.reason) == ("bobby/video/full", "withdrawn")
    assert status(data).rejects_by_reason == {"withdrawn": 1}


def test_what_is_left_is_what_preprocessing_makes_of_a_manifest_that_marks_the_person(
    data: Path, manifest: Manifest, tmp_path: Path
) -> None:
    without(data, "bobby")
    day = read_withdrawals(DatasetLayout(data))["bobby"]
    run(marked(manifest, "bobby", day), tmp_path / "anew", TOGETHER)
    shard = "data/train-00000-of-00001.parquet"
    assert hashes(data)[shard] == hashes(tmp_path / "anew")[shard]
    assert read_plan(DatasetLayout(data)).shards == read_plan(DatasetLayout(tmp_path / "anew")).shards


def test_the_old_manifest_does_not_bring_the_person_back(data: Path, manifest: Manifest) -> None:
    without(data, "bobby")
    finish(data, "bobby")
    before = hashes(data)
    assert run(manifest, data, TOGETHER).shards_made == 0
    assert hashes(data) == before


def test_a_manifest_that_marks_the_person_is_taken_without_making_anything(data: Path, manifest: Manifest) -> None:
    without(data, "bobby")
    finish(data, "bobby")
    report = run(marked(manifest, "bobby", date(2025, 6, 30)), data, TOGETHER)
    assert (report.shards_made, report.info.clips) == (0, 3)
    assert verify(data) == ()


def test_whatever_is_made_anew_is_made_without_the_person(data: Path, manifest: Manifest) -> None:
    without(data, "bobby")
    finish(data, "bobby")
    report = run(manifest, data, TOGETHER.model_copy(update={"size_px": 48}), replace=True)
    assert report.shards_made == 2
    assert {clip.identity for clip in Store.open(data).clips} == {"ann", "cy", "dora"}


def test_the_only_person_of_a_shard_leaves_an_empty_shard(data: Path) -> None:
    without(data, "dora")
    assert {clip.identity for clip in Store.open(data).clips} == {"ann", "bobby", "cy"}
    assert pq.read_metadata(data / "data/test-00000-of-00001.parquet").num_rows == 0
    assert verify(data) == ()


def test_one_after_the_other_all_can_leave(data: Path) -> None:
    for name in PEOPLE:
        without(data, name)
        finish(data, name)
        assert verify(data) == ()
    assert list(Store.open(data).clips) == []
    assert set(read_withdrawals(DatasetLayout(data))) == set(PEOPLE)


def test_twice_is_harmless(data: Path) -> None:
    without(data, "bobby")
    finish(data, "bobby")
    before = hashes(data)
    assert without(data, "bobby") == ()
    finish(data, "bobby")
    assert hashes(data) == before


STEPS: tuple[tuple[object, str, int], ...] = (
    (takedown_notes, "add_withdrawal", 1),
    (takedown_notes, "publish", 1),
    (takedown_notes, "publish_text", 1),
    (takedown, "write_without", 1),
    (shards, "_verified_offsets", 1),
    (shards, "publish", 2),
    (shards, "write_record", 1),
    (takedown, "publish_text", 1),
    (takedown, "write_description", 1),
    ("pipeline.description", "publish_text", 2),
    ("pipeline.description", "publish_text", 3),
)
"""Where it is killed: a function, and at which call of it."""


@pytest.mark.parametrize(("module", "function", "call"), STEPS, ids=lambda part: getattr(part, "__name__", str(part)))
def test_killed_at_any_step_the_same_command_finishes_the_job(
    data: Path, tmp_path: Path, module: object, function: str, call: int
) -> None:
    reference = Path(shutil.copytree(data, tmp_path / "reference"))
    without(reference, "bobby")
    finish(reference, "bobby")
    with pytest.MonkeyPatch.context() as patch:
        place = f"{module}.{function}" if isinstance(module, str) else f"{module.__name__}.{function}"  # type: ignore[attr-defined]
        patch.setattr(place, killed_at(call, place))
        with pytest.raises(KeyboardInterrupt):
            without(data, "bobby")
    again = begin(data, "bobby")
    left = traces(data, "bobby")
    assert len(left) > 0, "the pictures' traces outlive the kill"
    assert [clip.credit for clip in again.clips] == ["Robert the Disc"], "and so does where the videos lie"
    take_out(data, again)
    assert scan([data], left).found == ()
    finish(data, "bobby")
    assert verify(data) == ()
    assert without_times(data) == without_times(reference)


def without_times(root: Path) -> dict[str, str]:
    """Hash everything but the records, which say how long it took."""
    return {name: digest for name, digest in hashes(root).items() if not name.startswith("records/")}


def test_between_the_steps_no_other_run_may_touch_the_dataset(data: Path, manifest: Manifest) -> None:
    begin(data, "bobby")
    with pytest.raises(HeadshotError, match=r"takedown of bobby .* was not finished"):
        run(manifest, data, TOGETHER)
    with pytest.raises(HeadshotError, match=r"takedown of bobby .* was not finished"):
        begin(data, "cy")


def test_a_damaged_shard_of_the_person_is_dropped_and_made_again_without_them(data: Path, manifest: Manifest) -> None:
    shard = DatasetLayout(data).shard("train-00000-of-00001")
    shard.write_bytes(shard.read_bytes()[:-1000])
    changes = {change.what: change.files for change in without(data, "bobby")}
    assert changes["unfinished or damaged shards, dropped"] == 2
    finish(data, "bobby")
    assert [fault.detail for fault in verify(data)] == ["not made yet"]
    assert run(manifest, data, TOGETHER).shards_made == 1
    assert {clip.identity for clip in Store.open(data).clips} == {"ann", "cy", "dora"}


def test_a_dataset_of_another_version_is_not_taken_apart(data: Path) -> None:
    record = DatasetLayout(data).record("test-00000-of-00001")
    record.write_text(record.read_text().replace('"colour_rule"', '"color_rule"'))
    before = hashes(data)
    with pytest.raises(HeadshotError, match="made by another version"):
        begin(data, "bobby")
    assert hashes(data) == before


def test_an_unfinished_dataset_is_cut_and_finished_later(data: Path, manifest: Manifest) -> None:
    layout = DatasetLayout(data)
    layout.record("test-00000-of-00001").unlink()
    layout.info.unlink()
    without(data, "bobby")
    finish(data, "bobby")
    assert not layout.index.exists()
    report = run(manifest, data, TOGETHER)
    assert (report.shards_made, report.info.clips) == (1, 3)


def test_somebody_who_was_only_rejected_leaves_too(tmp_path: Path, films: dict[str, Path]) -> None:
    manifest = manifest_of(films["ann"], clip_of(tmp_path / "nobody.mp4", credit="Nobody Inc."))
    run(manifest, tmp_path / "data", TOGETHER)
    without(tmp_path / "data", "nobody")
    finish(tmp_path / "data", "nobody")
    assert status(tmp_path / "data").rejects_by_reason == {"withdrawn": 1}
    assert b"Nobody Inc." not in b"".join(
        path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()
    )
    assert run(manifest, tmp_path / "data", TOGETHER).shards_made == 0


def test_a_stranger_is_an_error_that_names_who_is_there(data: Path) -> None:
    with pytest.raises(HeadshotError, match=r"nobody is called 'bobbi' .* the dataset has bobby and 3 more"):
        begin(data, "bobbi")
    assert not DatasetLayout(data).withdrawals.exists()
    assert begin(data, "bobbi", known=True).clips == ()


def test_only_videos_that_show_nobody_else_may_be_deleted(tmp_path: Path, films: dict[str, Path]) -> None:
    folder = tmp_path / "videos"
    shutil.copytree(films["ann"].parent, folder)
    shared = clip_of(Path("ann.mp4"), identity="bobby", clip="shared")
    own, outside = clip_of(Path("bobby.mp4")), clip_of(films["cy"], identity="bobby", clip="outside")
    manifest = manifest_of(clip_of(Path("ann.mp4")), own, shared, outside)
    data = tmp_path / "videos" / "data"
    run(manifest, data, TOGETHER)
    found = videos_of(data, begin(data, "bobby"), folder)
    assert found.own == (folder / "bobby.mp4",)
    assert len(found.others) == 2
    assert "shows somebody else" in found.others[0] + found.others[1]
    assert f"is not in {folder}" in found.others[0] + found.others[1]
