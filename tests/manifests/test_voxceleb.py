"""VoxCeleb's txt trees: 25 frames a second, pixels at 360 lines in version 1, fractions in version 2."""

from pathlib import Path

import pytest

from manifests.corpus import ProblemReason, gather
from manifests.schema import FileSource
from manifests.videos import VideoFacts, Videos
from manifests.voxceleb import held_out_identities, read_voxceleb
from tests.manifests.conftest import TERMS, parted, videos_in
from weights.errors import HeadshotError

HEADER = (
    "Identity  : \t{identity}\nReference : \t{video}\nOffset    : \t-2\n"
    "FV Conf   : \t18.021\t(1)\nASD Conf  : \t5.110\n\n"
)
COLUMNS = "FRAME \tX \tY \tW \tH \n"
PIXELS = [(2316, 180, 90, 120, 120), (2317, 181, 91, 120, 120), (2340, 200, 95, 126, 126)]
FRACTIONS = [(245, 0.392, 0.223, 0.253, 0.451), (246, 0.391, 0.222, 0.253, 0.451), (470, 0.359, 0.207, 0.26, 0.463)]
NOWHERE = Videos(None)


def utterance(root: Path, place: str, rows: list[tuple[float, ...]], header: str = HEADER) -> Path:
    """Write a text file as the authors publish it: every cell but the last of a row ends in a blank and a tab."""
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    identity, video = Path(place).parts[-3:-1]
    table = "".join(f"{frame:06d} \t" + " \t".join(map(str, box)) + "\n" for frame, *box in rows)
    path.write_text(header.format(identity=identity, video=video) + COLUMNS + table)
    return path


def test_the_first_and_the_last_frame_belong_to_the_stretch(tmp_path: Path) -> None:
    utterance(tmp_path, "id10661/lSI69L4DidQ/0000001.txt", PIXELS)

    clips, problems = parted(read_voxceleb(tmp_path, 1, NOWHERE, TERMS))

    (clip,) = clips.values()
    assert not problems
    assert clip.key == "id10661/lSI69L4DidQ/0000001"
    assert (clip.start_s, clip.end_s) == (2316 / 25, 2341 / 25)
    assert clip.source == FileSource(path="lSI69L4DidQ.mp4")
    assert clip.source_url == "https://www.youtube.com/watch?v=lSI69L4DidQ"
    assert (clip.licence, clip.consent, clip.credit) == ("for research", "not known", "the authors")


@pytest.mark.parametrize(("aspect", "width"), [(16 / 9, 640), (4 / 3, 480)])
def test_boxes_of_version_1_are_pixels_of_a_picture_360_high_and_as_wide_as_the_video_says(
    tmp_path: Path, aspect: float, width: float
) -> None:
    utterance(tmp_path / "txt", "id10661/abc/1.txt", PIXELS)
    videos = videos_in(tmp_path / "videos", "deep/abc.webm", facts=VideoFacts(aspect=aspect, fps=None))

    clips, _ = parted(read_voxceleb(tmp_path / "txt", 1, videos, TERMS))

    clip = clips["id10661/abc/1"]
    assert clip.source == FileSource(path="deep/abc.webm")
    assert clip.face_box == pytest.approx((180 / width, 90 / 360, 300 / width, 210 / 360))


def test_without_the_video_a_box_of_version_1_is_not_guessed(tmp_path: Path) -> None:
    utterance(tmp_path, "id10661/abc/1.txt", PIXELS)

    clips, _ = parted(read_voxceleb(tmp_path, 1, NOWHERE, TERMS))

    assert clips["id10661/abc/1"].face_box is None


def test_boxes_of_version_2_are_fractions_of_the_first_frame(tmp_path: Path) -> None:
    utterance(tmp_path, "id00012/abc/00001.txt", FRACTIONS)

    clips, _ = parted(read_voxceleb(tmp_path, 2, NOWHERE, TERMS))

    assert clips["id00012/abc/00001"].face_box == pytest.approx((0.392, 0.223, 0.645, 0.674))


def test_a_box_that_reaches_over_the_edge_ends_there(tmp_path: Path) -> None:
    utterance(tmp_path, "id00012/abc/00001.txt", [(0, -0.01, 0.5, 0.4, 0.6), (90, 0, 0, 1, 1)])

    clips, _ = parted(read_voxceleb(tmp_path, 2, NOWHERE, TERMS))

    assert clips["id00012/abc/00001"].face_box == pytest.approx((0, 0.5, 0.39, 1))


def test_the_cut_utterances_of_the_official_download_are_taken_whole(tmp_path: Path) -> None:
    utterance(tmp_path / "txt", "id00012/abc/00001.txt", FRACTIONS)
    videos = videos_in(tmp_path / "videos", "dev/mp4/id00012/abc/00001.mp4", "dev/mp4/id00017/abc/00001.mp4")

    clips, _ = parted(read_voxceleb(tmp_path / "txt", 2, videos, TERMS))

    clip = clips["id00012/abc/00001"]
    assert clip.source == FileSource(path="dev/mp4/id00012/abc/00001.mp4")
    assert (clip.start_s, clip.end_s, clip.face_box) == (0, 226 / 25, None)


def test_a_whole_video_goes_before_its_cut_utterances(tmp_path: Path) -> None:
    utterance(tmp_path / "txt", "id00012/abc/00001.txt", FRACTIONS)
    videos = videos_in(tmp_path / "videos", "mp4/id00012/abc/00001.mp4", "whole/abc.mkv")

    clips, _ = parted(read_voxceleb(tmp_path / "txt", 2, videos, TERMS))

    clip = clips["id00012/abc/00001"]
    assert clip.source == FileSource(path="whole/abc.mkv")
    assert clip.start_s == 245 / 25
    assert clip.face_box is not None


def test_test_identities_are_those_of_the_authors(tmp_path: Path) -> None:
    for identity in ("id10269", "id10270", "id10309", "id10310"):
        utterance(tmp_path / "1", f"{identity}/abc/1.txt", PIXELS)
    for identity in ("id00017", "id00018", "id09017"):
        utterance(tmp_path / "2", f"{identity}/abc/1.txt", FRACTIONS)

    one, _ = parted(read_voxceleb(tmp_path / "1", 1, NOWHERE, TERMS))
    two, _ = parted(read_voxceleb(tmp_path / "2", 2, NOWHERE, TERMS))

    assert [clip.split for clip in one.values()] == ["train", "test", "test", "train"]
    assert [clip.split for clip in two.values()] == ["test", "train", "test"]
    assert (len(held_out_identities(1)), len(held_out_identities(2))) == (40, 118)


def test_the_table_of_people_gives_gender_nationality_and_split(tmp_path: Path) -> None:
    utterance(tmp_path, "txt/id10001/abc/1.txt", PIXELS)
    utterance(tmp_path, "txt/id10002/abc/1.txt", PIXELS)
    (tmp_path / "vox1_meta.csv").write_text(
        "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\nid10001\tA._Nobody\tf\tNorway\ttest\n"
    )

    clips, _ = parted(read_voxceleb(tmp_path, 1, NOWHERE, TERMS))

    assert clips["id10001/abc/1"].attributes == {"gender": "f", "nationality": "Norway"}
    assert clips["id10001/abc/1"].split == "test"
    assert clips["id10002/abc/1"].attributes == {}
    assert clips["id10002/abc/1"].split == "train"


def test_the_table_of_version_2_has_commas_and_blanks(tmp_path: Path) -> None:
    utterance(tmp_path, "txt/id00012/abc/1.txt", FRACTIONS)
    (tmp_path / "vox2_meta.csv").write_text("VoxCeleb2 ID ,VGGFace2 ID ,Gender ,Set \nid00012 ,n000012 ,m ,dev \n")

    clips, _ = parted(read_voxceleb(tmp_path, 2, NOWHERE, TERMS))

    assert clips["id00012/abc/1"].attributes == {"gender": "m"}


def test_a_video_whose_id_looks_like_the_table_is_read(tmp_path: Path) -> None:
    utterance(tmp_path, "id00012/FRAMEXYWH12/1.txt", FRACTIONS)

    clips, _ = parted(read_voxceleb(tmp_path, 2, NOWHERE, TERMS))

    assert list(clips) == ["id00012/FRAMEXYWH12/1"]


def test_ids_that_no_name_may_begin_with_are_escaped_and_the_address_keeps_them(tmp_path: Path) -> None:
    utterance(tmp_path, "id00012/-bc_d/1.txt", FRACTIONS)

    clips, _ = parted(read_voxceleb(tmp_path, 2, NOWHERE, TERMS))

    clip = clips["id00012/x.-bc_d/1"]
    assert clip.source == FileSource(path="-bc_d.mp4")
    assert clip.source_url.endswith("v=-bc_d")


def test_files_that_are_no_utterances_are_counted_with_a_reason(tmp_path: Path) -> None:
    good = utterance(tmp_path, "id00012/abc/00001.txt", FRACTIONS)
    folder = good.parent
    utterance(tmp_path, "id00012/abc/00002.txt", [])
    utterance(tmp_path, "id00012/abc/00003.txt", FRACTIONS[::-1])
    utterance(tmp_path, "id00012/abc/00004.txt", [(1, 0.5, 0.5, 0, 0), (90, 0.1, 0.1, 0.2, 0.2)])
    (folder / "00005.txt").write_bytes(b"\xff\xfe\x00")
    (folder / "00006.txt").write_text("nothing of the kind\n")
    (folder / "00007.txt").write_text(good.read_text().rstrip("\n")[:-12])
    (tmp_path / "readme.txt").write_text(good.read_text())

    clips, problems = parted(read_voxceleb(tmp_path, 2, NOWHERE, TERMS))

    assert list(clips) == ["id00012/abc/00001"]
    found = {Path(problem.where).name: problem.reason for problem in problems}
    assert found == {
        "00002.txt": ProblemReason.MALFORMED,
        "00003.txt": ProblemReason.BAD_TIME,
        "00004.txt": ProblemReason.BAD_BOX,
        "00005.txt": ProblemReason.UNREADABLE,
        "00006.txt": ProblemReason.MALFORMED,
        "00007.txt": ProblemReason.MALFORMED,
        "readme.txt": ProblemReason.MALFORMED,
    }
    assert all(problem.detail for problem in problems)


def test_clips_come_in_the_order_of_the_files_however_many_are_opened_at_once(tmp_path: Path) -> None:
    places = [
        f"id{person:05d}/v{video}/{number:05d}" for person in range(4) for video in range(5) for number in range(9)
    ]
    for place in places:
        utterance(tmp_path, f"{place}.txt", FRACTIONS)

    clips, _ = parted(read_voxceleb(tmp_path, 2, NOWHERE, TERMS))

    assert list(clips) == places


def test_a_folder_without_text_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match=r"there are no <identity>/<video>/<utterance>\.txt files"):
        list(read_voxceleb(tmp_path, 2, NOWHERE, TERMS))


def test_two_trees_with_the_same_utterance_give_one_clip_and_one_problem(tmp_path: Path) -> None:
    utterance(tmp_path, "a/id00012/abc/1.txt", FRACTIONS)
    utterance(tmp_path, "b/id00012/abc/1.txt", FRACTIONS)

    gathered = gather(read_voxceleb(tmp_path, 2, NOWHERE, TERMS), name="vox", title="Vox")

    assert len(gathered.manifest.clips) == 1
    assert gathered.problems_by_reason == {"duplicate": 1}
