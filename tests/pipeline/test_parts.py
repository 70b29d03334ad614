"""Several runs make parts of one dataset at the same time, without a scheduler; faces are discs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import claim
from pipeline.layout import DatasetLayout
from pipeline.parts import Part
from pipeline.preprocess import PreprocessReport
from pipeline.progress import Progress
from pipeline.status import status, verify
from pipeline.verdicts import RejectReason
from tests.pipeline.conftest import SMALL, manifest_of, run
from weights.errors import HeadshotError
from weights.files import TEMPORARY_MARK, sha256_of

pytestmark = pytest.mark.usefixtures("discs_are_faces")


@pytest.fixture
def run_part(videos: list[Path], tmp_path: Path) -> Callable[..., PreprocessReport]:
    """Make a part of the dataset of Ann, Bob and Eve, which has three shards."""

    def made(text: str, **options: object) -> PreprocessReport:
        return run(manifest_of(*videos), tmp_path / "data", part=Part.parse(text), **options)

    return made


def hashes(folder: Path) -> dict[str, str]:
    """Return the hash of every file but the records, which hold times."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.parent.name != "records")
    return {str(path.relative_to(folder)): sha256_of(path) for path in files}


def test_parts_make_the_bytes_of_a_whole_run_and_the_last_one_finishes(
    made: Path, tmp_path: Path, run_part: Callable[..., PreprocessReport]
) -> None:
    reports = [run_part(f"{number}/3") for number in (3, 1, 2)]
    assert [report.shards_made for report in reports] == [1, 1, 1]
    assert [report.info is None for report in reports] == [True, True, False]
    assert hashes(tmp_path / "data") == hashes(made)
    assert verify(tmp_path / "data") == ()


def test_a_part_without_shards_of_its_own_does_nothing(run_part: Callable[..., PreprocessReport]) -> None:
    report = run_part("4/4")
    assert (report.shards_made, report.shards_reused, report.info) == (0, 0, None)


def test_parts_run_at_the_same_time_and_whoever_ends_last_finishes(
    made: Path, tmp_path: Path, run_part: Callable[..., PreprocessReport]
) -> None:
    """The second part runs from start to end while the first one is at work."""
    inner: list[PreprocessReport] = []

    def start_the_other(_: Progress) -> None:
        if not inner:
            inner.append(run_part("2/2"))

    outer = run_part("1/2", progress=start_the_other)
    assert inner[0].info is None
    assert outer.info is not None
    assert hashes(tmp_path / "data") == hashes(made)


def test_a_plain_run_finishes_what_parts_left_and_clears_away_what_they_lost(
    made: Path, tmp_path: Path, videos: list[Path], run_part: Callable[..., PreprocessReport]
) -> None:
    run_part("2/3")
    layout = DatasetLayout(tmp_path / "data")
    lost = layout.root / "data" / f".train-00000-of-00003{TEMPORARY_MARK}0.parquet"
    lost.write_text("being written by another part, or left by one that was killed")
    run_part("3/3")
    assert lost.exists()
    assert not status(layout.root).finished
    report = run(manifest_of(*videos), layout.root)
    assert (report.shards_made, report.shards_reused) == (1, 2)
    assert hashes(layout.root) == hashes(made)


def test_a_whole_run_and_a_part_exclude_each_other(
    tmp_path: Path, videos: list[Path], run_part: Callable[..., PreprocessReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim, "WAIT_FOR_PARTS_S", 0.0)

    def start_whole(_: Progress) -> None:
        run(manifest_of(*videos), tmp_path / "data")

    def start_part(_: Progress) -> None:
        run_part("1/2")

    with pytest.raises(HeadshotError, match="another run is at work"):
        run_part("2/2", progress=start_whole)
    with pytest.raises(HeadshotError, match="another run is at work"):
        run(manifest_of(*videos), tmp_path / "data", progress=start_part)


def test_a_part_of_another_dataset_is_refused(tmp_path: Path, run_part: Callable[..., PreprocessReport]) -> None:
    run_part("1/3")
    with pytest.raises(HeadshotError, match="another manifest or with other settings"):
        run_part("2/3", config=SMALL.model_copy(update={"size_px": 48}))


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "-1/3", "1/0"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(HeadshotError, match="--part"):
        Part.parse(text)


def test_clips_rejected_for_a_reason_are_tried_again_when_asked(tmp_path: Path, videos: list[Path]) -> None:
    hasty = SMALL.model_copy(update={"clip_timeout_s": 1e-9})
    out = tmp_path / "data"
    run(manifest_of(*videos), out, hasty)
    unasked = run(manifest_of(*videos), out)
    assert (unasked.shards_made, unasked.info.rejects_by_reason) == (0, {"timeout": 3})
    other = run(manifest_of(*videos), out, retry={RejectReason.CRASHED})
    assert other.shards_made == 0
    asked = run(manifest_of(*videos), out, retry={RejectReason.TIMEOUT})
    assert (asked.shards_made, asked.info.rejects_by_reason) == (3, {})
