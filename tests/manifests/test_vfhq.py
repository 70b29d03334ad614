"""VFHQ's text files: everything in pixels and frames, the frames in the name."""

from pathlib import Path

import pytest

from manifests.corpus import ProblemReason
from manifests.schema import FileSource
from manifests.vfhq import read_vfhq
from manifests.videos import Videos
from tests.manifests.conftest import TERMS, parted, videos_in

NOWHERE = Videos(None)
NAME = "Clip+_-91aaaaaaa+P1+C2+F1537-1825"
KEY = "x._-91aaaaaaa-P1/x._-91aaaaaaa/P1-C2-F1537-1825"
HEAD = "Video ID: _-91aaaaaaa\nH: 1080\nW: 1920\nFPS: 23.976\n\nFRAME INDEX X0 Y0 W H [Landmarks (5 Points)]\n\n"
ROWS = (
    "001538 00000000 480.0 270.5 384 432.0 570.1 400.2 700.3 401.4 640.5 500.6 590.7 600.8 690.9 601.0\n"
    "001539 00000000 481.0 271.5 384 432.0 570.1 400.2 700.3 401.4 640.5 500.6 590.7 600.8 690.9 601.0\n"
)
CROP = "CROP X0 Y0 X1 Y1: 240 108 1200 972\n"


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.txt"
    path.write_text(text)
    return path


def test_a_clip_is_what_lies_between_the_frames_of_its_name(tmp_path: Path) -> None:
    write(tmp_path, NAME, HEAD + ROWS + CROP)

    clips, problems = parted(read_vfhq(tmp_path, NOWHERE, TERMS))

    clip = clips[KEY]
    assert not problems
    assert (clip.start_s, clip.end_s) == pytest.approx((1538 / 23.976, 1825 / 23.976))
    assert clip.face_box == pytest.approx((0.25, 270.5 / 1080, 0.45, 702.5 / 1080))
    assert clip.source == FileSource(path="_-91aaaaaaa.mp4")
    assert clip.source_url == "https://www.youtube.com/watch?v=_-91aaaaaaa"
    assert clip.split == "train"


def test_without_a_row_the_window_of_the_clip_says_who_is_meant(tmp_path: Path) -> None:
    write(tmp_path, NAME, HEAD + CROP)

    clips, _ = parted(read_vfhq(tmp_path, NOWHERE, TERMS))

    assert clips[KEY].face_box == pytest.approx((0.125, 0.1, 0.625, 0.9))


def test_several_people_of_a_video_are_several_identities(tmp_path: Path) -> None:
    write(tmp_path, "Clip+aaaaaaaaaaa+P0+C0+F10-90", HEAD + ROWS + CROP)
    write(tmp_path, "Clip+aaaaaaaaaaa+P1+C0+F10-90", HEAD + ROWS + CROP)

    clips, _ = parted(read_vfhq(tmp_path, NOWHERE, TERMS))

    assert {clip.identity for clip in clips.values()} == {"aaaaaaaaaaa-P0", "aaaaaaaaaaa-P1"}


def test_a_folder_called_test_is_the_test_split(tmp_path: Path) -> None:
    write(tmp_path / "Test", "Clip+aaaaaaaaaaa+P0+C0+F10-90", HEAD + ROWS + CROP)
    write(tmp_path / "Train", "Clip+bbbbbbbbbbb+P0+C0+F10-90", HEAD + ROWS + CROP)

    clips, _ = parted(read_vfhq(tmp_path, NOWHERE, TERMS))

    assert {clip.identity: clip.split for clip in clips.values()} == {
        "aaaaaaaaaaa-P0": "test",
        "bbbbbbbbbbb-P0": "train",
    }


def test_whole_videos_go_before_cut_clips(tmp_path: Path) -> None:
    write(tmp_path / "meta", NAME, HEAD + ROWS + CROP)

    cut, _ = parted(read_vfhq(tmp_path / "meta", videos_in(tmp_path / "v", f"{NAME}.mp4"), TERMS))
    whole, _ = parted(read_vfhq(tmp_path / "meta", videos_in(tmp_path / "v", "_-91aaaaaaa.webm"), TERMS))

    assert cut[KEY].source == FileSource(path=f"{NAME}.mp4")
    assert (cut[KEY].start_s, cut[KEY].face_box) == (0, None)
    assert cut[KEY].end_s == pytest.approx(287 / 23.976)
    assert whole[KEY].source == FileSource(path="_-91aaaaaaa.webm")


def test_broken_files_are_counted_with_a_reason(tmp_path: Path) -> None:
    good = HEAD + ROWS + CROP
    write(tmp_path, "Clip+noframes+P0+C0", good)
    write(tmp_path, "Clip+backwards+P0+C0+F90-10", good)
    write(tmp_path, "Clip+norate+P0+C0+F10-90", good.replace("FPS", "Rate"))
    write(tmp_path, "Clip+still+P0+C0+F10-90", good.replace("23.976", "0"))
    write(tmp_path, "Clip+nobox+P0+C0+F10-90", HEAD)
    write(tmp_path, "Clip+words+P0+C0+F10-90", good.replace("1080", "high"))
    (tmp_path / "Clip+bytes+P0+C0+F10-90.txt").write_bytes(b"\xff\x00")

    clips, problems = parted(read_vfhq(tmp_path, NOWHERE, TERMS))

    assert not clips
    assert {Path(problem.where).name.split("+")[1]: problem.reason for problem in problems} == {
        "noframes": ProblemReason.MALFORMED,
        "backwards": ProblemReason.BAD_TIME,
        "norate": ProblemReason.MALFORMED,
        "still": ProblemReason.BAD_TIME,
        "nobox": ProblemReason.BAD_BOX,
        "words": ProblemReason.MALFORMED,
        "bytes": ProblemReason.UNREADABLE,
    }
