"""The statistics page says what is in the index and the frames, and nothing else gets in; faces are discs."""

import re
from pathlib import Path

import numpy as np
import pytest

from pipeline.layout import DatasetLayout
from pipeline.store import Store
from pipeline.verdicts import RejectReason
from reports import dataset_sample
from reports.dataset_page import DatasetPage, build_dataset_page, compose, render
from reports.dataset_sample import FrameSample, pose_grid, spread, typical_face
from reports.media import Media
from reports.reject_list import REASONS
from tests.pipeline.conftest import clip_of, disc_frames, discs_for_faces, encode_video, manifest_of, run

HOSTILE = "<img src=x onerror=alert(1)>"


def small_dataset(root: Path) -> Path:
    """Make a dataset of two people to train on and one to test on; a fourth has no video."""
    films = [
        encode_video(root / f"{name}.mp4", disc_frames(20 + 10 * number, [(60 + 9 * number, 60, 22 + number)]))
        for number, name in enumerate(("ann", "bob", "cy"))
    ]
    clips = [
        clip_of(films[0], licence="CC-BY-4.0", credit=HOSTILE),
        clip_of(films[1], licence=HOSTILE),
        clip_of(films[2], split="test", consent=""),
        clip_of(root / "absent.mp4"),
    ]
    manifest = manifest_of(*clips).model_copy(update={"title": f"Discs {HOSTILE}", "description": "Three discs."})
    with discs_for_faces():
        run(manifest, root / "data")
    return root / "data"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Not to be changed."""
    return Store.open(small_dataset(tmp_path_factory.mktemp("page")))


@pytest.fixture(scope="module")
def page(store: Store) -> DatasetPage:
    return compose(store, Media())


def test_everybody_is_shown_once_in_their_split_with_their_frames(page: DatasetPage) -> None:
    shown = {group.split: [(face.identity, face.frames) for face in group.faces] for group in page.faces}
    assert shown == {"train": [("ann", 20), ("bob", 30)], "test": [("cy", 40)]}
    assert [(row.name, row.count, row.percent) for row in page.people] == [
        ("cy", 40, 100),
        ("bob", 30, 75),
        ("ann", 20, 50),
    ]


def test_rejects_and_licences_are_those_of_the_dataset(page: DatasetPage) -> None:
    assert [(row.name, row.count) for row in page.rejects] == [("missing source", 1)]
    assert [(row.use.licence, row.use.clips, row.use.frames) for row in page.licences] == [
        ("CC0", 1, 40),
        (HOSTILE, 1, 30),
        ("CC-BY-4.0", 1, 20),
    ]
    assert [row.address for row in page.licences][1] == ""


def test_histograms_count_every_clip_and_every_frame(page: DatasetPage, store: Store) -> None:
    def counted(name: str) -> int:
        (one,) = (one for one in (*page.clip_histograms, *page.frame_histograms) if one.title == name)
        return sum(int(re.search(r": ([\d,]+) ", bar.text)[1].replace(",", "")) for bar in one.bars)  # type: ignore[index]

    assert (counted("Face size"), counted("Length"), counted("Padding")) == (3, 3, 3)
    assert counted("Yaw") == counted("Sharpness") == store.info.usable_frames == 90


def test_the_typical_face_is_the_one_of_median_sharpness(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real = Store.frames
    monkeypatch.setattr(
        Store, "frames", lambda self, clip, rows, size: (asked.extend(rows), real(self, clip, rows, size))[1]
    )
    clip = store.clip("ann/video/full")
    assert typical_face(store, clip.key, Media())
    sharpness = store.column(clip, "sharpness")
    assert np.sum(sharpness < sharpness[asked[0]]) == pytest.approx(10, abs=1)


def test_pose_shares_sum_to_one_and_each_picture_is_of_its_direction(store: Store) -> None:
    sample = FrameSample.of(store, [clip.key for clip in store.clips])
    turned = np.array([-60.0, -30, 0, 0, 30, 60, 0, np.nan] * 20)[: len(sample)]
    posed = dataset_sample.FrameSample(
        keys=sample.keys,
        clip=sample.clip,
        row=sample.row,
        yaw_deg=turned,
        pitch_deg=np.where(turned == 30, -40.0, 0.0),
        roll_deg=sample.roll_deg,
        sharpness=sample.sharpness,
    )
    cells = {cell.name: cell for line in pose_grid(store, posed, Media()) for cell in line}
    assert sum(cell.share for cell in cells.values()) == pytest.approx(np.isfinite(turned).mean())
    seen = {name for name, cell in cells.items() if cell.picture}
    assert seen == {"far left, level", "left, level", "straight ahead", "right, far up", "far right, level"}


def test_however_large_the_dataset_a_bounded_number_of_clips_is_opened(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    real = Store.column
    monkeypatch.setattr(Store, "column", lambda self, clip, name: (opened.append(clip.key), real(self, clip, name))[1])
    keys = [clip.key for clip in store.clips]
    sample = FrameSample.of(store, [keys[number % 3] for number in range(100_000)], most=5)
    assert len(opened) == 5 * len({"yaw_deg", "pitch_deg", "roll_deg", "sharpness"})
    assert len(sample.keys) == 5
    assert spread(range(1000), 3) == [0, 500, 999]


def test_the_file_needs_nothing_and_lets_nothing_in(store: Store, page: DatasetPage) -> None:
    html = render(page)
    assert HOSTILE not in html
    assert "<script" not in html
    links = set(re.findall(r'(?:src|href)="(?!data:|#)([^"]+)"', html))
    assert links == {
        "https://creativecommons.org/licenses/by/4.0/",
        "https://creativecommons.org/publicdomain/zero/1.0/",
    }
    assert "default-src 'none'" in html
    assert str(store.root) not in html, "paths of the machine stay on it"


def test_a_dataset_without_any_clip_has_a_page_too(tmp_path: Path) -> None:
    with discs_for_faces():
        run(manifest_of(tmp_path / "absent.mp4"), tmp_path / "data")
    html = build_dataset_page(tmp_path / "data").read_text()
    assert "No clip has a face." in html


def test_a_change_of_the_dataset_removes_the_page_that_is_no_longer_true(tmp_path: Path) -> None:
    root = small_dataset(tmp_path)
    page = build_dataset_page(root)
    with discs_for_faces():
        run(manifest_of(tmp_path / "ann.mp4"), root, replace=True)
    assert not page.exists()
    assert page == DatasetLayout(root).statistics


def test_every_reason_for_a_reject_is_explained() -> None:
    assert set(REASONS) == {str(reason) for reason in RejectReason}
