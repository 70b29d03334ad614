"""HDTF's five text files: stretches of a video, and a window around the face in pixels."""

from pathlib import Path

import pytest

from manifests.corpus import ProblemReason
from manifests.hdtf import read_hdtf
from manifests.schema import FileSource
from manifests.videos import VideoFacts, Videos
from tests.manifests.conftest import TERMS, parted, videos_in
from weights.errors import HeadshotError

NOWHERE = Videos(None)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two subsets; Radio7_0 has no window and JaneDoe1 no address, as happens in the published files."""
    files = {
        "RD_annotion_time.txt": "Radio7.mp4 00:20-01:35\nRadio8.mp4 00:30-01:00 01:30-1:02:30 \n\n",
        "RD_video_url.txt": "Radio7 https://www.youtube.com/watch?v=-aaaaaaaaaa\n"
        "Radio8 https://www.youtube.com/watch?v=bbbbbbbbbbb&t=6s\n",
        "RD_crop_wh.txt": "Radio8_0.mp4 412 600 0 600\nRadio8_1.mp4 556 480 12 480\n",
        "RD_resolution.txt": "Radio7.mp4 720\nRadio8.mp4 720\n",
        "RD_crop_ratio.txt": "Radio8_0.mp4 1.2\nRadio8_1.mp4 1.2\n",
        "WDA_annotion_time.txt": "JaneDoe0.mp4 00:05-01:55\nJaneDoe1.mp4 00:05-01:55\n",
        "WDA_video_url.txt": "JaneDoe0 https://www.youtube.com/watch?v=ccccccccccc\n",
        "WDA_crop_wh.txt": "JaneDoe0_0.mp4 300 500 100 500\n",
        "WDA_resolution.txt": "JaneDoe0.mp4 0\nJaneDoe1.mp4 1080\n",
    }
    folder = tmp_path / "HDTF_dataset"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def test_every_stretch_of_every_subset_is_a_clip(corpus: Path) -> None:
    clips, problems = parted(read_hdtf(corpus, NOWHERE, TERMS))

    assert not problems
    assert {key: (clip.start_s, clip.end_s) for key, clip in clips.items()} == {
        "Radio7/Radio7/0": (20, 95),
        "Radio8/Radio8/0": (30, 60),
        "Radio8/Radio8/1": (90, 3750),
        "JaneDoe/JaneDoe0/0": (5, 115),
        "JaneDoe/JaneDoe1/0": (5, 115),
    }
    assert clips["Radio8/Radio8/1"].source_url == "https://www.youtube.com/watch?v=bbbbbbbbbbb&t=6s"
    assert clips["JaneDoe/JaneDoe1/0"].source_url == ""
    assert clips["JaneDoe/JaneDoe1/0"].source == FileSource(path="WDA_JaneDoe1.mp4")
    assert {clip.attributes["subset"] for clip in clips.values()} == {"RD", "WDA"}
    assert {clip.split for clip in clips.values()} == {"train"}


@pytest.mark.parametrize("name", ["Radio8.mp4", "_videos_raw/RD_Radio8.mp4", "bbbbbbbbbbb.webm"])
def test_a_whole_video_is_found_under_each_of_its_names(corpus: Path, tmp_path: Path, name: str) -> None:
    clips, _ = parted(read_hdtf(corpus, videos_in(tmp_path / "videos", name), TERMS))

    assert clips["Radio8/Radio8/1"].source == FileSource(path=name)
    assert clips["Radio8/Radio8/1"].start_s == 90
    assert clips["Radio7/Radio7/0"].source == FileSource(path="RD_Radio7.mp4")


def test_the_window_is_left_width_top_height_at_the_stated_resolution(corpus: Path, tmp_path: Path) -> None:
    videos = videos_in(tmp_path / "videos", "Radio8.mp4", facts=VideoFacts(aspect=16 / 9, fps=30))

    clips, _ = parted(read_hdtf(corpus, videos, TERMS))

    assert clips["Radio8/Radio8/1"].face_box == pytest.approx((556 / 1280, 12 / 720, 1036 / 1280, 492 / 720))


def test_without_window_resolution_or_video_there_is_no_box(corpus: Path, tmp_path: Path) -> None:
    videos = videos_in(tmp_path / "videos", "Radio7.mp4", "JaneDoe0.mp4")

    clips, problems = parted(read_hdtf(corpus, videos, TERMS))

    assert not problems
    assert all(clip.face_box is None for clip in clips.values())


def test_published_cuts_are_taken_whole_and_counted_as_hdtf_counts_them(corpus: Path, tmp_path: Path) -> None:
    (corpus / "RD_crop_wh.txt").write_text("Radio8_1.mp4 556 480 12 480\n")  # so Radio8_1 is the first one cut
    videos = videos_in(tmp_path / "videos", "RD_Radio8_000.mp4", "Radio7_0.mp4")

    clips, _ = parted(read_hdtf(corpus, videos, TERMS))

    assert clips["Radio8/Radio8/1"].source == FileSource(path="RD_Radio8_000.mp4")
    assert (clips["Radio8/Radio8/1"].start_s, clips["Radio8/Radio8/1"].end_s) == (0, 3660)
    assert clips["Radio7/Radio7/0"].source == FileSource(path="Radio7_0.mp4")


def test_broken_stretches_are_counted_and_their_neighbours_land(corpus: Path) -> None:
    (corpus / "RD_annotion_time.txt").write_text(
        "Radio7.mp4 00:20-01:35 01:40-01:30 later 2-3 00:xx-01:00\nRadio9.mp4\n"
    )

    clips, problems = parted(read_hdtf(corpus, NOWHERE, TERMS))

    assert "Radio7/Radio7/0" in clips
    assert [problem.reason for problem in problems] == [ProblemReason.BAD_TIME, *[ProblemReason.MALFORMED] * 4]
    assert problems[0].where.endswith("RD_annotion_time.txt:1")
    assert problems[-1].where.endswith("RD_annotion_time.txt:2")


def test_a_window_that_is_no_window_is_a_problem(corpus: Path, tmp_path: Path) -> None:
    (corpus / "RD_crop_wh.txt").write_text("Radio8_0.mp4 412 0 0 0\nRadio8_1.mp4 556 wide 12 480\n")

    clips, problems = parted(read_hdtf(corpus, videos_in(tmp_path / "videos", "Radio8.mp4"), TERMS))

    assert "Radio8/Radio8/0" not in clips
    assert [problem.reason for problem in problems] == [ProblemReason.BAD_BOX, ProblemReason.MALFORMED]


def test_a_folder_without_times_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match=r"there is no \*_annotion_time\.txt here"):
        list(read_hdtf(tmp_path, NOWHERE, TERMS))


def test_the_published_files_are_read(shared_dir: Path, tmp_path: Path) -> None:
    """The first lines of the real files, under their real names."""
    for part in ("annotion_time", "video_url", "crop_wh", "resolution", "crop_ratio"):
        source = shared_dir / "reference" / "annotations" / f"hdtf_RD_{part}.txt"
        (tmp_path / f"RD_{part}.txt").write_bytes(source.read_bytes())
    videos = videos_in(tmp_path / "videos", "Radio11.mp4")

    clips, problems = parted(read_hdtf(tmp_path, videos, TERMS))

    assert not problems
    assert len(clips) == 7
    clip = clips["Radio11/Radio11/1"]
    assert (clip.start_s, clip.end_s) == (90, 150)
    assert clip.face_box == pytest.approx((557 / 1280, 0, 1035 / 1280, 478 / 720))
