"""`headshot manifest`: from the files of a corpus to a checked, divided list of clips."""

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import imageio_ffmpeg
import pytest

from headshot import cli
from manifests.readers import DEMO, read_manifest
from tests.conftest import REPOSITORY

PERSON = """
[[clips]]
identity = "{identity}"
video = "v"
clip = "c"
split = "train"
licence = "CC0-1.0"
consent = "{consent}"
source = {{ kind = "file", path = "{identity}.mp4" }}
"""


class Ended(NamedTuple):
    code: int
    out: str
    err: str


Headshot = Callable[..., Ended]


@pytest.fixture
def headshot(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Headshot:
    """Return the command line, run in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr("sys.argv", ["headshot", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        shown = capsys.readouterr()
        return Ended(int(ended.value.code or 0), shown.out, shown.err)

    return run


def make_video(path: Path, size: str, fps: str = "25") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    source = ["-f", "lavfi", "-i", f"color=gray:size={size}:rate={fps}:duration=0.2"]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *source, str(path)], check=True)


def write_people(path: Path, consent: str, *identities: str) -> None:
    people = "".join(PERSON.format(identity=identity, consent=consent) for identity in identities)
    path.write_text('schema_version = 1\nname = "mine"\ntitle = "Mine"\n' + people)


def test_voxceleb1_boxes_are_scaled_by_the_real_shape_of_the_video(headshot: Headshot, tmp_path: Path) -> None:
    for video in ("narrow", "wide", "gone"):
        path = tmp_path / "txt" / "id10270" / video / "00001.txt"
        path.parent.mkdir(parents=True)
        path.write_text("Identity  : \tid10270\n\nFRAME \tX \tY \tW \tH \n000010 \t120 \t90 \t120 \t120\n")
    make_video(tmp_path / "videos" / "narrow.mp4", "96x72")
    make_video(tmp_path / "videos" / "deep" / "wide.mp4", "128x72")

    ended = headshot("manifest", "from-voxceleb", "txt", "--version", "1", "--videos", "videos", "--out", "vox.csv")

    clips = {clip.video: clip for clip in read_manifest(tmp_path / "vox.csv").clips}
    assert ended.code == 0
    assert clips["narrow"].face_box == pytest.approx((0.25, 0.25, 0.5, 210 / 360))
    assert clips["wide"].face_box == pytest.approx((0.1875, 0.25, 0.375, 210 / 360))
    assert clips["gone"].face_box is None
    assert {clip.split for clip in clips.values()} == {"test"}
    assert "vox.csv: 3 clips of 1 people; sha256 " in ended.out
    assert "1 clips have no video in videos" in ended.err
    assert "1 clips have no face_box" in ended.err


def test_frames_of_talkinghead1kh_are_timed_by_the_real_rate_of_the_chunk(headshot: Headshot, tmp_path: Path) -> None:
    make_video(tmp_path / "1min_clips" / "abc_0000.mp4", "128x72", "50")
    (tmp_path / "val_video_tubes.txt").write_text("abc_0000,720,1280,2,7,128,72,640,360\n")

    ended = headshot("manifest", "from-talkinghead1kh", ".", "--videos", "1min_clips", "--out", "th.toml")

    (clip,) = read_manifest(tmp_path / "th.toml").clips
    assert ended.code == 0
    assert (clip.start_s, clip.end_s, clip.split) == (0.04, 0.16, "val")
    assert clip.face_box == pytest.approx((0.1, 0.1, 0.5, 0.5))


def test_entries_that_are_no_clips_are_counted_and_listed_beside_the_manifest(
    headshot: Headshot, tmp_path: Path
) -> None:
    good = "abc,0,90,1-2-300-400,25,1280,720,train,id1\n"
    header = "video_id,start,end,bbox,fps,width,height,partition,person_id\n"
    (tmp_path / "vox-metadata.csv").write_text(header + good + good + good.replace("90", "0") + "abc,soon\n")

    ended = headshot("manifest", "from-fomm", "vox-metadata.csv", "--out", "vox.parquet")

    assert ended.code == 0
    assert "3 entries were left out: 1 x bad_time, 1 x duplicate, 1 x malformed" in ended.err
    assert "nobody looked whether they are there" in ended.err
    with (tmp_path / "vox.problems.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["reason"] for row in rows] == ["duplicate", "bad_time", "malformed"]
    assert [row["where"] for row in rows] == ["id1/abc/000000-000090", "vox-metadata.csv:4", "vox-metadata.csv:5"]

    (tmp_path / "vox-metadata.csv").write_text(header + good)
    headshot("manifest", "from-fomm", "vox-metadata.csv", "--out", "vox.parquet")
    assert not (tmp_path / "vox.problems.csv").exists()


def test_terms_given_on_the_command_line_are_those_of_every_clip(headshot: Headshot, tmp_path: Path) -> None:
    clip = {"duration": {"start_sec": 1, "end_sec": 2}, "bbox": {"top": 0, "bottom": 1, "left": 0, "right": 1}}
    clips = {f"{name}_0": {"ytb_id": name, **clip} for name in ("a", "b")}
    (tmp_path / "celebvhq_info.json").write_text(json.dumps({"clips": clips}))
    terms = ["--licence", "research only", "--consent", "none", "--credit", "SenseTime", "--name", "hq"]

    headshot("manifest", "from-celebvhq", ".", "--out", "hq.csv", *terms)

    manifest = read_manifest(tmp_path / "hq.csv")
    assert manifest.name == "hq"
    assert {(clip.licence, clip.consent, clip.credit) for clip in manifest.clips} == {
        ("research only", "none", "SenseTime")
    }


def test_a_folder_of_webcam_clips_goes_all_the_way(headshot: Headshot, tmp_path: Path) -> None:
    for number in range(10):
        make_video(tmp_path / "webcam" / f"person {number}" / "hello.mp4", "32x32")

    made = headshot("manifest", "from-folder", "webcam", "--out", "all.toml", "--consent", "asked", "--licence", "ours")
    divided = headshot("manifest", "split", "all.toml", "--out", "divided.parquet", "--test", "0.3", "--val", "0.2")
    counted = headshot("manifest", "stats", "divided.parquet", "--videos", "webcam")
    converted = headshot("manifest", "convert", "divided.parquet", "--out", "divided.csv")
    checked = headshot("manifest", "validate", "divided.csv", "--videos", "webcam", "--require-consent")

    assert [ended.code for ended in (made, divided, counted, converted, checked)] == [0] * 5
    manifest = read_manifest(tmp_path / "divided.csv")
    splits = [clip.split for clip in manifest.clips]
    assert (splits.count("train"), splits.count("val"), splits.count("test")) == (5, 2, 3)
    for ended in (divided, converted, checked):
        assert manifest.sha256() in ended.out
    assert "all 10 10 0.0 and 10 whole videos 0 0" in " ".join(counted.out.split())
    assert {"10 ours", "10 asked"} <= {" ".join(line.split()) for line in counted.out.splitlines()}
    assert "10 clips have no source_url" in checked.err
    assert "no video" not in checked.err


def test_validate_counts_what_is_lacking_and_ends_well(headshot: Headshot, tmp_path: Path) -> None:
    write_people(tmp_path / "m.toml", "", "ann", "bob")

    ended = headshot("manifest", "validate", "m.toml", "--videos", "nowhere")

    assert ended.code == 0
    assert "all rules are obeyed; 2 clips of 2 people" in ended.out
    assert ended.err.splitlines() == [
        "2 clips have no consent, such as ann/v/c",
        "2 clips have no source_url, such as ann/v/c",
        "2 clips have no video, such as ann/v/c",
        "2 clips have no face_box, such as ann/v/c",
    ]


def test_validate_refuses_broken_rules(headshot: Headshot, tmp_path: Path) -> None:
    write_people(tmp_path / "m.toml", "asked", "ann", "ann")

    ended = headshot("manifest", "validate", "m.toml")

    assert ended.code == 2
    assert "clip ann/v/c is listed twice" in ended.err


@pytest.mark.parametrize("command", [("manifest", "validate", "m.toml"), ("preprocess", "--manifest", "m.toml")])
def test_clips_without_consent_are_refused_where_it_is_required(
    headshot: Headshot, tmp_path: Path, command: tuple[str, ...]
) -> None:
    write_people(tmp_path / "m.toml", "", "ann", "bob")

    ended = headshot(*command, "--require-consent")

    assert ended.code == 2
    assert "manifest mine: 2 of 2 clips state no consent, such as ann/v/c" in ended.err
    assert not (tmp_path / "data").exists()


def test_people_of_a_split_can_be_kept_in_it(headshot: Headshot, tmp_path: Path) -> None:
    headshot("manifest", "split", str(DEMO), "--out", "m.toml", "--test", "0", "--val", "0.5", "--keep", "test")

    before = {clip.identity for clip in read_manifest(DEMO).clips if clip.split == "test"}
    after = read_manifest(tmp_path / "m.toml").clips
    assert {clip.identity for clip in after if clip.split == "test"} == before
    assert len({clip.identity for clip in after if clip.split == "val"}) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["validate", "absent.csv"], "there is no such manifest"),
        (["convert", str(DEMO), "--out", "m.xlsx"], "manifests are written to .toml, .csv, .parquet files"),
        (["split", str(DEMO), "--out", "m.toml", "--keep", "dev"], "choose train, val or test"),
        (["split", str(DEMO), "--out", "m.toml", "--balance", "gender"], "no clip has the attribute 'gender'"),
        (["from-hdtf", ".", "--out", "m.toml"], "there is no *_annotion_time.txt here"),
        (["from-hdtf", ".", "--out", "m.toml", "--videos", "absent"], "there is no such folder"),
        (["from-folder", "absent", "--out", "m.toml"], "absent is not a folder"),
    ],
)
def test_a_users_mistake_is_one_paragraph_and_exit_code_2(
    headshot: Headshot, arguments: list[str], message: str, tmp_path: Path
) -> None:
    ended = headshot("manifest", *arguments)

    assert ended.code == 2
    assert message in ended.err
    assert not list(tmp_path.iterdir())


META = "video_id,start,end,bbox,fps,width,height,partition,person_id\nabc,0,90,1-2-300-400,25,1280,720,train,id1\n"


@pytest.mark.parametrize(
    ("arguments", "name", "content"),
    [
        (["from-fomm", "meta.csv", "--out", "meta.csv"], "meta.csv", META),
        (["from-fomm", ".", "--out", "vox-metadata.csv"], "vox-metadata.csv", META),
        (["from-fomm", "m.problems.csv", "--out", "m.toml"], "m.problems.csv", META),
        (["from-voxceleb", ".", "--version", "1", "--out", "vox1_meta.csv"], "vox1_meta.csv", "VoxCeleb1 ID\tVGG\n"),
        (["from-folder", ".", "--out", "notes.toml"], "notes.toml", "[what]\n"),
        (["from-folder", ".", "--out", "numbers.parquet"], "numbers.parquet", "PAR1"),
        (["from-celebvhq", "celebvhq_info.json", "--out", "celebvhq_info.json"], "celebvhq_info.json", "{}"),
        (["split", str(DEMO), "--out", "mine.csv"], "mine.csv", "a,b\n"),
        (["convert", str(DEMO), "--out", "mine.csv"], "mine.csv", "a,b\n"),
    ],
)
def test_a_file_that_is_no_manifest_is_never_overwritten(
    headshot: Headshot, tmp_path: Path, arguments: list[str], name: str, content: str
) -> None:
    (tmp_path / name).write_text(content)

    ended = headshot("manifest", *arguments)

    assert ended.code == 2
    assert name in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {name: content}


@pytest.mark.parametrize("command", ["split", "convert"])
@pytest.mark.parametrize("other", ["m.toml", "link.toml", "below/../m.toml"])
def test_the_manifest_that_is_read_is_not_overwritten(
    headshot: Headshot, tmp_path: Path, command: str, other: str
) -> None:
    write_people(tmp_path / "m.toml", "asked", *"abcdefghij")
    (tmp_path / "link.toml").symlink_to("m.toml")
    (tmp_path / "below").mkdir()
    before = (tmp_path / "m.toml").read_bytes()

    ended = headshot("manifest", command, "m.toml", "--out", other)

    assert ended.code == 2
    assert f"--out {other} is the manifest that is read" in ended.err
    assert (tmp_path / "m.toml").read_bytes() == before


@pytest.mark.parametrize("suffix", ["toml", "csv", "parquet"])
def test_an_earlier_manifest_is_replaced(headshot: Headshot, tmp_path: Path, suffix: str) -> None:
    for people in ("abc", "abcd"):
        write_people(tmp_path / "source.toml", "asked", *people)
        assert headshot("manifest", "convert", "source.toml", "--out", f"m.{suffix}").code == 0

    assert len(read_manifest(tmp_path / f"m.{suffix}").clips) == 4


def test_the_published_files_become_manifests(headshot: Headshot, shared_dir: Path, tmp_path: Path) -> None:
    table = shared_dir / "reference" / "annotations" / "vox-metadata_head.csv"

    ended = headshot("manifest", "from-fomm", str(table), "--out", "vox.parquet")

    assert ended.code == 0
    assert "11 clips of 2 people" in ended.out


def test_every_reader_is_a_command_and_is_described_where_people_look() -> None:
    guide = (REPOSITORY / "docs" / "your-data.md").read_text(encoding="utf-8")

    for corpus in ("voxceleb", "hdtf", "celebvhq", "talkinghead1kh", "vfhq", "fomm", "folder"):
        assert f"headshot manifest from-{corpus} " in guide


def test_manifests_are_merged_with_their_videos_and_people_are_moved(headshot: Headshot, tmp_path: Path) -> None:
    for name, people in (("one", ("ann", "bob")), ("two", ("eve",))):
        write_people(tmp_path / f"{name}.toml", "asked", *people)
        for person in people:
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / f"{person}.mp4").touch()
    arguments = ("manifest", "merge", "one.toml", "two.toml", "--out", "both.csv")
    ended = headshot(*arguments, "--videos", "one", "--videos", "two", "--move", "eve=test")
    both = read_manifest(tmp_path / "both.csv")
    assert ended.code == 0
    assert {clip.identity: clip.split for clip in both.clips} == {"ann": "train", "bob": "train", "eve": "test"}
    assert all(Path(clip.source.path).is_file() for clip in both.clips)
    assert (both.name, both.title) == ("both", "Mine + Mine")


def test_a_merge_that_makes_no_sense_is_refused_before_anything_is_written(headshot: Headshot, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_people(tmp_path / f"{name}.toml", "asked", name)
    wrong = (
        ("one.toml", "--out", "both.toml"),
        ("one.toml", "two.toml", "--out", "one.toml"),
        ("one.toml", "two.toml", "--out", "both.toml", "--videos", "here"),
        ("one.toml", "two.toml", "--out", "both.toml", "--move", "one"),
        ("one.toml", "two.toml", "--out", "both.toml", "--move", "one=nowhere"),
    )
    for arguments in wrong:
        ended = headshot("manifest", "merge", *arguments)
        assert ended.code == 2
        assert ended.err
    assert not (tmp_path / "both.toml").exists()
    assert read_manifest(tmp_path / "one.toml").clips[0].identity == "one"
