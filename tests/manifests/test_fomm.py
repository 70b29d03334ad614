"""The tables of first-order-model's preprocessing: frames at a stated rate, the last one left out."""

from pathlib import Path

import pytest

from manifests.corpus import gather
from manifests.fomm import read_fomm
from manifests.schema import FileSource
from manifests.videos import Videos
from tests.manifests.conftest import TERMS, parted, videos_in
from weights.errors import HeadshotError

NOWHERE = Videos(None)
HEADER = "video_id,start,end,bbox,fps,width,height,partition,person_id\n"
ROW = "_Mh3ye5tBsE,3657,3994,624-48-1018-553,25,1280,720,train,id10005\n"
KEY = "id10005/x._Mh3ye5tBsE/003657-003994"


def table(folder: Path, text: str) -> Path:
    path = folder / "vox-metadata.csv"
    path.write_text(text)
    return path


def test_a_row_is_a_clip(tmp_path: Path) -> None:
    path = table(tmp_path, HEADER + ROW + "bDxy7bnj_bc,16635,16759,113-6-383-355,25,640,360,test,id10003\n")

    clips, problems = parted(read_fomm(path, NOWHERE, TERMS))

    clip = clips[KEY]
    assert not problems
    assert (clip.start_s, clip.end_s) == (3657 / 25, 3994 / 25)
    assert clip.face_box == pytest.approx((624 / 1280, 48 / 720, 1018 / 1280, 553 / 720))
    assert clip.source == FileSource(path="_Mh3ye5tBsE.mp4")
    assert [clip.split for clip in clips.values()] == ["train", "test"]


def test_a_box_below_the_picture_ends_with_it(tmp_path: Path) -> None:
    path = table(tmp_path, HEADER + "v,66,172,389-0-956-776,25,1280,720,train,id10001\n")

    clips, _ = parted(read_fomm(path, NOWHERE, TERMS))

    assert clips["id10001/v/000066-000172"].face_box == pytest.approx((389 / 1280, 0, 956 / 1280, 1))


def test_a_table_that_crop_vox_wrote_has_the_person_in_the_video_id(tmp_path: Path) -> None:
    path = table(
        tmp_path, "bbox,start,end,fps,video_id,height,width,partition\n1-2-300-400,0,90,25,abc#id10005,720,1280,train\n"
    )

    clips, _ = parted(read_fomm(path, NOWHERE, TERMS))

    assert list(clips) == ["id10005/abc/000000-000090"]


def test_a_table_without_people_takes_the_video_for_the_person(tmp_path: Path) -> None:
    path = table(tmp_path, "video_id,start,end,bbox,fps,width,height\nabc,0,90,1-2-300-400,30,1280,720\n")

    clips, _ = parted(read_fomm(path, NOWHERE, TERMS))

    assert clips["abc/abc/000000-000090"].end_s == 3
    assert clips["abc/abc/000000-000090"].split == "train"


def test_clips_cut_by_load_videos_are_taken_whole(tmp_path: Path) -> None:
    videos = videos_in(tmp_path / "v", "train/id10005#_Mh3ye5tBsE#003657#003994.mp4")

    clips, _ = parted(read_fomm(table(tmp_path, HEADER + ROW), videos, TERMS))

    assert clips[KEY].source == FileSource(path="train/id10005#_Mh3ye5tBsE#003657#003994.mp4")
    assert (clips[KEY].start_s, clips[KEY].end_s, clips[KEY].face_box) == (0, 13.48, None)


def test_broken_rows_are_counted_with_their_line(tmp_path: Path) -> None:
    broken = [
        ROW.replace("3657", "soon"),
        ROW.replace("3657", "4000"),
        ROW.replace("-553", ""),
        ROW.replace("624-48-1018-553", "624-48-624-553"),
        ROW.replace(",25,", ",0,"),
        ROW.replace("train", "dev"),
        ROW[:30] + "\n",
    ]

    clips, problems = parted(read_fomm(table(tmp_path, HEADER + ROW + "".join(broken)), NOWHERE, TERMS))

    assert list(clips) == [KEY]
    assert [(int(problem.where.rpartition(":")[2]), str(problem.reason)) for problem in problems] == [
        (3, "malformed"),
        (4, "bad_time"),
        (5, "malformed"),
        (6, "bad_box"),
        (7, "bad_time"),
        (8, "malformed"),
        (9, "malformed"),
    ]


def test_another_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match="lacks the columns bbox, end, fps, height, start, video_id, width"):
        list(read_fomm(table(tmp_path, "a,b\n1,2\n"), NOWHERE, TERMS))


def test_a_published_split_that_shares_a_person_is_refused_with_a_way_out(tmp_path: Path) -> None:
    path = table(tmp_path, HEADER + ROW + ROW.replace("3657", "3658").replace("train", "test"))

    with pytest.raises(HeadshotError, match=r"identity id10005 is in the splits train and test.*--ignore-splits"):
        gather(read_fomm(path, NOWHERE, TERMS), name="vox", title="Vox")
    everybody = gather(read_fomm(path, NOWHERE, TERMS), name="vox", title="Vox", ignore_splits=True)
    assert [clip.split for clip in everybody.manifest.clips] == ["train", "train"]


def test_the_published_table_is_read(shared_dir: Path) -> None:
    path = shared_dir / "reference" / "annotations" / "vox-metadata_head.csv"

    clips, problems = parted(read_fomm(path, NOWHERE, TERMS))

    assert not problems
    assert len(clips) == 11
    assert clips["id10005/WMh3ye5tBsE/003657-003994"].end_s == 3994 / 25
