"""TalkingHead-1KH's lists: frames of a chunk, both ends included, and pixels of a reference picture."""

from pathlib import Path

import pytest

from manifests.corpus import ProblemReason, Terms
from manifests.schema import FileSource
from manifests.talkinghead1kh import LICENCE, read_talkinghead1kh
from manifests.videos import VideoFacts, Videos
from tests.manifests.conftest import TERMS, parted, videos_in

NOWHERE = Videos(None)
LINE = "--Y9imYnfBw_0000,720,1280,1015,1107,480,24,832,360\n"
TUBE = "--Y9imYnfBw_0000_S1015_E1107_L480_T24_R832_B360.mp4"
KEY = "x.--Y9imYnfBw/x.--Y9imYnfBw_0000/S1015_E1107_L480_T24_R832_B360"


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    folder = tmp_path / "data_list"
    folder.mkdir()
    (folder / "train_video_tubes.txt").write_text(LINE)
    (folder / "val_video_tubes.txt").write_text("A2800grpOzU_0002,1080,1920,812,1407,227,7,1139,919\n")
    (folder / "train_video_ids.txt").write_text("--Y9imYnfBw\n")
    return folder


def test_frames_of_a_chunk_become_seconds_at_its_own_rate(lists: Path, tmp_path: Path) -> None:
    videos = videos_in(tmp_path / "v", "1min_clips/--Y9imYnfBw_0000.mp4", facts=VideoFacts(aspect=16 / 9, fps=29.97))

    clips, problems = parted(read_talkinghead1kh(lists, videos, TERMS))

    clip = clips[KEY]
    assert not problems
    assert clip.source == FileSource(path="1min_clips/--Y9imYnfBw_0000.mp4")
    assert (clip.start_s, clip.end_s) == pytest.approx((1015 / 29.97, 1108 / 29.97))
    assert clip.face_box == pytest.approx((480 / 1280, 24 / 720, 832 / 1280, 360 / 720))
    assert clip.source_url == "https://www.youtube.com/watch?v=--Y9imYnfBw"


def test_tubes_cut_by_the_corpus_own_script_are_taken_whole(lists: Path, tmp_path: Path) -> None:
    clips, _ = parted(read_talkinghead1kh(lists, videos_in(tmp_path / "v", f"train/cropped_clips/{TUBE}"), TERMS))

    clip = clips[KEY]
    assert clip.source == FileSource(path=f"train/cropped_clips/{TUBE}")
    assert (clip.start_s, clip.end_s, clip.face_box) == (0, None, None)


@pytest.mark.parametrize("facts", [None, VideoFacts(aspect=1, fps=None)])
def test_without_a_frame_rate_no_time_is_guessed(lists: Path, tmp_path: Path, facts: VideoFacts | None) -> None:
    videos = videos_in(tmp_path / "v", "--Y9imYnfBw_0000.mp4", facts=facts)

    for found in (videos, NOWHERE):
        clips, _ = parted(read_talkinghead1kh(lists, found, TERMS))
        assert clips[KEY].source == FileSource(path=TUBE)
        assert (clips[KEY].start_s, clips[KEY].end_s) == (0, None)


def test_the_list_says_the_split_and_the_corpus_the_licence(lists: Path) -> None:
    clips, _ = parted(read_talkinghead1kh(lists, NOWHERE, Terms()))

    assert {clip.identity: clip.split for clip in clips.values()} == {"x.--Y9imYnfBw": "train", "A2800grpOzU": "val"}
    assert {clip.licence for clip in clips.values()} == {LICENCE}
    assert {clip.consent for clip in clips.values()} == {""}


def test_broken_lines_are_counted_with_their_number(lists: Path) -> None:
    (lists / "train_video_tubes.txt").write_text(
        LINE
        + "--Y9imYnfBw_0000,720,1280,1015,1107,480,24,832\n"
        + "--Y9imYnfBw_0000,720,1280,ten,1107,480,24,832,360\n\n"
        + "--Y9imYnfBw_0000,720,1280,1107,1015,480,24,832,360\n"
        + "--Y9imYnfBw_0000,720,1280,1015,1107,480,24,480,360\n"
        + "nochunk,720,1280,1015,1107,480,24,832,360\n"
    )

    clips, problems = parted(read_talkinghead1kh(lists / "train_video_tubes.txt", NOWHERE, TERMS))

    assert list(clips) == [KEY]
    assert [(int(problem.where.rpartition(":")[2]), problem.reason) for problem in problems] == [
        (2, ProblemReason.MALFORMED),
        (3, ProblemReason.MALFORMED),
        (5, ProblemReason.BAD_TIME),
        (6, ProblemReason.BAD_BOX),
        (7, ProblemReason.MALFORMED),
    ]
