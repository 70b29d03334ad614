"""The statistics page says what is in the index and the frames, and nothing else gets in; faces are discs."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from pipeline.layout import DatasetLayout
from pipeline.store import RejectRow, Store
from pipeline.takedown import take_out
from pipeline.takedown_notes import begin
from pipeline.verdicts import RejectReason
from reports import dataset_sample, takedown
from reports.dataset_page import DatasetPage, build_dataset_page, compose, render
from reports.dataset_sample import FrameSample, pose_grid, spread, typical_face
from reports.media import Media
from reports.reject_list import MOST_OF_A_REASON, NOT_KEPT, REASONS, rejects_by_reason, without_folders
from tests.pipeline.conftest import clip_of, disc_frames, discs_for_faces, encode_video, manifest_of, run

HOSTILE = "<img src=x onerror=alert(1)>"


def small_dataset(root: Path) -> Path:
    """Make a dataset of two people to train on and one to test on; three more clips cannot be used."""
    pair = encode_video(root / "pair.mp4", disc_frames(20, [(60, 60, 22), (140, 60, 22)]))
    text = root / "text.mp4"
    text.write_text("not a video " * 100)
    films = [
        encode_video(root / f"{name}.mp4", disc_frames(20 + 10 * number, [(60 + 9 * number, 60, 22 + number)]))
        for number, name in enumerate(("ann", "bob", "cy"))
    ]
    clips = [
        clip_of(films[0], licence="CC-BY-4.0", credit=HOSTILE),
        clip_of(films[1], licence=HOSTILE),
        clip_of(films[2], split="test", consent=""),
        clip_of(root / "absent.mp4"),
        clip_of(pair),
        clip_of(text),
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
    counted = [(row.name, row.count) for row in page.rejects]
    assert counted == [("ambiguous face", 1), ("missing source", 1), ("unreadable", 1)]
    assert [(row.use.licence, row.use.clips, row.use.frames) for row in page.licences] == [
        ("CC0", 1, 40),
        (HOSTILE, 1, 30),
        ("CC-BY-4.0", 1, 20),
    ]
    assert [row.address for row in page.licences][1] == ""


def test_a_clip_that_was_left_out_is_shown_or_it_is_said_why_not(page: DatasetPage) -> None:
    shown = {group.title: group.clips[0] for group in page.left_out}
    pair = shown["ambiguous face"]
    assert pair.picture
    assert (pair.clip, pair.picture.width, pair.picture.height, pair.instead) == ("pair/video/full", 160, 96, "")
    assert pair.picture.alt.startswith("a frame of pair/video/full: several people")
    assert "two people" in pair.detail
    assert (shown["unreadable"].picture, shown["missing source"].picture) == (None, None)
    html = render(page)
    for words in (pair.picture.uri, pair.picture.alt, "not one frame can be decoded", "there is no video"):
        assert words in html


def test_of_many_rejects_some_of_each_reason_are_shown_and_nobody_who_left_is_named(store: Store) -> None:
    def reject(number: int, reason: str) -> RejectRow:
        named = {"identity": "ann", "split": "train", "detail": HOSTILE, "licence": "", "source_url": ""}
        return RejectRow(key=f"{reason}/{number}", reason=reason, **named)

    rows = [reject(number, "no_face") for number in range(5_000)]
    rows += [reject(0, "too_short"), reject(0, "withdrawn")]
    many = dataclasses.replace(store, rejects=rows)
    groups = rejects_by_reason(many, Media())
    assert [(group.title, len(group.clips)) for group in groups] == [("no face", MOST_OF_A_REASON), ("too short", 1)]
    assert groups[0].note == "12 of 5,000 are shown"
    assert {one.instead for group in groups for one in group.clips} == {NOT_KEPT}


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        ("no video at /home/ann b/films/a.mp4; correct it", "no video at a.mp4; correct it"),
        ("Invalid data: '/data/a.mp4'", "Invalid data: 'a.mp4'"),
        ("clips/a.mp4 is not a video", "clips/a.mp4 is not a video"),
        ("seen in 5 / 60 / 7 frames", "seen in 5 / 60 / 7 frames"),
    ],
)
def test_folders_of_the_machine_are_not_shown(detail: str, shown: str) -> None:
    assert without_folders(detail) == shown


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
    assert str(Path(store.root).parent) not in html, "paths of the machine stay on it"


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


def test_whoever_leaves_is_not_shown_among_the_rejects_any_more(tmp_path: Path) -> None:
    root = small_dataset(tmp_path)
    page = build_dataset_page(root)
    assert "pair/video/full" in page.read_text()
    with discs_for_faces():
        take_out(root, begin(root, "pair"))
    changes = takedown.take_out(tmp_path / "no report", tmp_path / "no run", root)
    assert [change.what for change in changes] == ["statistics page, written again"]
    html = page.read_text()
    assert "pair/video" not in html
    assert "absent/video/full" in html


def test_every_reason_for_a_reject_is_explained() -> None:
    assert set(REASONS) == {str(reason) for reason in RejectReason}
