"""A folder for each person, with videos in it."""

from pathlib import Path

import pytest

from manifests.corpus import gather
from manifests.folder import read_folder
from manifests.schema import FileSource
from tests.manifests.conftest import TERMS, parted
from weights.errors import HeadshotError


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def test_every_video_of_a_person_is_a_clip_taken_whole(tmp_path: Path) -> None:
    touch(tmp_path, "ann/monday.mp4", "ann/tuesday/hello.MOV", "ann/tuesday/later/bye.webm", "bob/monday.mp4")

    clips, problems = parted(read_folder(tmp_path, TERMS))

    assert not problems
    assert {key: clip.source for key, clip in clips.items()} == {
        "ann/monday/full": FileSource(path="ann/monday.mp4"),
        "ann/tuesday/hello": FileSource(path="ann/tuesday/hello.MOV"),
        "ann/x.tuesday.2flater/bye": FileSource(path="ann/tuesday/later/bye.webm"),
        "bob/monday/full": FileSource(path="bob/monday.mp4"),
    }
    assert {(clip.start_s, clip.end_s, clip.face_box, clip.split) for clip in clips.values()} == {
        (0, None, None, "train")
    }


def test_names_with_blanks_and_letters_of_any_script_become_keys(tmp_path: Path) -> None:
    touch(tmp_path, "Zoë K./erste Probe.mp4")

    clips, _ = parted(read_folder(tmp_path, TERMS))

    (clip,) = clips.values()
    assert clip.identity == "x.Zo.c3.ab.20K.2e"
    assert clip.source == FileSource(path="Zoë K./erste Probe.mp4")


def test_what_is_no_clip_is_counted_with_a_reason(tmp_path: Path) -> None:
    touch(tmp_path, "ann/a.mp4", "ann/a.mov", "ann/notes.docx", "stray.mp4", "ann/.hidden.mp4", "ann/line\nbreak.mp4")

    gathered = gather(read_folder(tmp_path, TERMS), name="mine", title="Mine")

    assert [clip.source for clip in gathered.manifest.clips] == [FileSource(path="ann/a.mov")]
    assert gathered.problems_by_reason == {"duplicate": 1, "no_identity": 1, "not_a_video": 1, "unreadable": 1}


def test_links_to_folders_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    touch(tmp_path / "disk", "a.mp4")
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "ann").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "self").symlink_to(tmp_path / "disk")

    clips, _ = parted(read_folder(tmp_path / "people", TERMS))

    assert list(clips) == ["ann/a/full"]


def test_a_folder_with_nothing_to_use_is_refused_with_what_was_seen(tmp_path: Path) -> None:
    touch(tmp_path, "ann/notes.docx")

    with pytest.raises(HeadshotError, match=r"not one entry became a clip; the first of 1: .*notes\.docx: its suffix"):
        gather(read_folder(tmp_path, TERMS), name="mine", title="Mine")
    with pytest.raises(HeadshotError, match="nowhere is not a folder"):
        list(read_folder(tmp_path / "nowhere", TERMS))
