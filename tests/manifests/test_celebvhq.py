"""CelebV-HQ's JSON: seconds, fractions and attributes."""

import json
from pathlib import Path
from typing import Any

import pytest

from manifests.celebvhq import read_celebvhq
from manifests.corpus import ProblemReason
from manifests.schema import FileSource
from manifests.videos import Videos
from tests.manifests.conftest import TERMS, parted, videos_in
from weights.errors import HeadshotError

NOWHERE = Videos(None)
META = {"appearance_mapping": ["Blurry", "Male", "Young", "Wavy_Hair"], "action_mapping": ["talk", "smile", "turn"]}


def entry(ytb_id: str = "M2Ohb0FAaJU", **changes: Any) -> dict[str, Any]:
    return {
        "ytb_id": ytb_id,
        "duration": {"start_sec": 81.5, "end_sec": 86.25},
        "bbox": {"top": 0.0, "bottom": 0.75, "left": 0.25, "right": 0.625},
        "attributes": {
            "appearance": [0, 0, 1, 1],
            "action": [1, 0, 1],
            "emotion": {"sep_flag": False, "labels": "neutral"},
        },
        "version": "v0.1",
        **changes,
    }


def write(folder: Path, clips: dict[str, Any]) -> Path:
    path = folder / "celebvhq_info.json"
    path.write_text(json.dumps({"meta_info": META, "clips": clips}))
    return path


def test_a_clip_has_the_times_the_box_and_the_attributes_of_its_entry(tmp_path: Path) -> None:
    write(tmp_path, {"M2Ohb0FAaJU_1": entry()})

    clips, problems = parted(read_celebvhq(tmp_path, NOWHERE, TERMS))

    clip = clips["M2Ohb0FAaJU/M2Ohb0FAaJU/M2Ohb0FAaJU_1"]
    assert not problems
    assert (clip.start_s, clip.end_s) == (81.5, 86.25)
    assert clip.face_box == (0.25, 0.0, 0.625, 0.75)
    assert clip.source == FileSource(path="M2Ohb0FAaJU.mp4")
    assert clip.attributes == {
        "male": "0",
        "young": "1",
        "appearance": "Wavy_Hair",
        "action": "talk turn",
        "emotion": "neutral",
    }


def test_changing_emotions_are_listed_once_each_in_their_order(tmp_path: Path) -> None:
    labels = [{"emotion": name, "start_sec": 0, "end_sec": 1} for name in ("neutral", "happy", "neutral")]
    attributes = {"appearance": [], "action": [], "emotion": {"sep_flag": True, "labels": labels}}
    write(tmp_path, {"a_0": entry("a", attributes=attributes)})

    clips, _ = parted(read_celebvhq(tmp_path, NOWHERE, TERMS))

    assert clips["a/a/a_0"].attributes == {"emotion": "neutral happy"}


def test_clips_of_one_video_are_never_parted_by_a_split(tmp_path: Path) -> None:
    write(tmp_path, {"_0tf2n3rlJU_0": entry("_0tf2n3rlJU"), "_0tf2n3rlJU_1": entry("_0tf2n3rlJU")})

    clips, _ = parted(read_celebvhq(tmp_path, NOWHERE, TERMS))

    assert {clip.identity for clip in clips.values()} == {"x._0tf2n3rlJU"}
    assert [clip.clip for clip in clips.values()] == ["x._0tf2n3rlJU_0", "x._0tf2n3rlJU_1"]


def test_cut_clips_are_taken_whole_where_the_video_is_not_there(tmp_path: Path) -> None:
    path = write(tmp_path, {"a_0": entry("a"), "b_0": entry("b")})
    videos = videos_in(tmp_path / "videos", "35666/a_0.mp4", "35666/b_0.mp4", "raw/b.mp4")

    clips, _ = parted(read_celebvhq(path, videos, TERMS))

    assert clips["a/a/a_0"].source == FileSource(path="35666/a_0.mp4")
    assert (clips["a/a/a_0"].start_s, clips["a/a/a_0"].end_s, clips["a/a/a_0"].face_box) == (0, 4.75, None)
    assert clips["b/b/b_0"].source == FileSource(path="raw/b.mp4")
    assert clips["b/b/b_0"].start_s == 81.5


def test_broken_entries_are_counted_under_their_key_and_their_neighbours_land(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "no_box": {"ytb_id": "a", "duration": {"start_sec": 1, "end_sec": 2}},
            "text": entry(duration={"start_sec": "soon", "end_sec": 2}),
            "number": 7,
            "backwards": entry(duration={"start_sec": 3, "end_sec": 2}),
            "flat": entry(bbox={"top": 0.5, "bottom": 0.5, "left": 0, "right": 1}),
            "short": entry(attributes={"appearance": [1]}),
            "good": entry(),
        },
    )

    clips, problems = parted(read_celebvhq(tmp_path, NOWHERE, TERMS))

    assert len(clips) == 1
    assert {problem.where.rpartition(":")[2]: str(problem.reason) for problem in problems} == {
        "no_box": "malformed",
        "text": "malformed",
        "number": "malformed",
        "backwards": "bad_time",
        "flat": "bad_box",
        "short": "malformed",
    }
    assert problems[1].detail.startswith("duration.start_sec: Input should be a valid number")
    assert {ProblemReason.MALFORMED} <= {problem.reason for problem in problems}


@pytest.mark.parametrize("text", ["{", "[]", '{"meta_info": {}}'])
def test_another_json_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "celebvhq_info.json").write_text(text)

    with pytest.raises(HeadshotError, match=r"celebvhq_info\.json is not the JSON of CelebV-HQ"):
        list(read_celebvhq(tmp_path, NOWHERE, TERMS))
