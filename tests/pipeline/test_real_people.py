"""Who is who in real video with cuts: speakers of the GRID corpus, two takes of one and a take of another."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from manifests.schema import Clip
from pipeline.config import PipelineConfig
from pipeline.follow import FollowedClip, follow_clip
from pipeline.store import Store
from pipeline.verdicts import ClipRejectedError, RejectReason
from pipeline.video import open_video
from tests.pipeline.conftest import clip_of, ffmpeg, manifest_of, run

pytestmark = pytest.mark.slow

ANN, ANN_AGAIN, BOB = "LipNet-GRID__bbaf2n.mpg", "osalinas-GRID__s1_bgan4n.mpg", "LipNet-GRID__pwij3p.mpg"
"""All in the same studio: a cut between them changes the picture less than a scene cut does."""
LEFT, RIGHT = (0.1, 0.2, 0.4, 0.9), (0.6, 0.2, 0.9, 0.9)

Edit = Callable[..., Path]


@pytest.fixture
def edit(shared_dir: Path, tmp_path: Path) -> Edit:
    """Cut takes together with ffmpeg: each scene is a take, or two side by side, and a number of frames."""

    def make(*scenes: tuple[str | tuple[str, str], int]) -> Path:
        takes = [(take,) if isinstance(take, str) else take for take, _ in scenes]
        sources = [option for names in takes for name in names for option in ("-i", str(shared_dir / "clips" / name))]
        graph, number = "", 0
        for scene, (names, (_, frames)) in enumerate(zip(takes, scenes, strict=True)):
            inputs = [f"[{number + place}:v]" for place in range(len(names))]
            number += len(names)
            beside = f"{''.join(inputs)}hstack" if len(names) == 2 else f"{inputs[0]}null"
            graph += f"{beside},trim=end_frame={frames},setpts=PTS-STARTPTS[s{scene}];"
        graph += "".join(f"[s{scene}]" for scene in range(len(scenes))) + f"concat=n={len(scenes)}[out]"
        path = tmp_path / "edited.mkv"
        ffmpeg(*sources, "-filter_complex", graph, "-map", "[out]", "-an", "-c:v", "libx264", "-qp", "10", str(path))
        return path

    return make


def followed(path: Path, config: PipelineConfig | None = None, **changes: object) -> FollowedClip:
    clip: Clip = clip_of(path, **changes)
    with open_video(path) as reader:
        return follow_clip(reader, clip, config or PipelineConfig())


def slots_of(found: FollowedClip) -> list[int]:
    return sorted(found.faces)


def test_scenes_of_one_person_are_joined_over_another_person_in_the_same_place(edit: Edit) -> None:
    path = edit((ANN, 70), (BOB, 40), (ANN_AGAIN, 60))
    found = followed(path)
    assert slots_of(found) == [*range(70), *range(110, 170)]
    assert found.absent == (range(70, 110),)
    assert found.faces_compared == 15
    with open_video(path) as reader:  # nor is a picture of the other stored under this person's name
        written = follow_clip(reader, clip_of(path), PipelineConfig()).frames(PipelineConfig())
        assert [raw.index for raw in written] == slots_of(found)


def test_the_dataset_says_what_was_joined_and_compared(edit: Edit, tmp_path: Path) -> None:
    run(manifest_of(edit((ANN, 70), (BOB, 40), (ANN_AGAIN, 60))), tmp_path / "data", PipelineConfig(size_px=64))
    (row,) = pq.read_table(tmp_path / "data/index.parquet").to_pylist()
    assert (row["frames"], row["usable_frames"], row["scenes"], row["faces_compared"]) == (130, 130, 2, 15)
    store = Store.open(tmp_path / "data")
    assert store.column(store.clips[0], "frame").tolist() == [*range(70), *range(110, 170)]
    assert "fr-feature-512" in [weight.id for weight in store.info.weights]


def test_without_recognition_the_change_of_people_goes_unnoticed(edit: Edit) -> None:
    """What the comparison is for: the follower goes from face to face where they are at the same place."""
    path = edit((ANN, 70), (BOB, 40), (ANN_AGAIN, 60))
    found = followed(path, PipelineConfig(recognise=False))
    assert slots_of(found) == [*range(170)]
    assert found.faces_compared == 0


def test_frames_that_were_not_kept_are_decoded_again_to_the_same_end(
    edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = edit((ANN, 70), (BOB, 40), (ANN_AGAIN, 60))
    kept = followed(path)
    monkeypatch.setattr("pipeline.follow.KEPT_BYTES", 1)
    again = followed(path)
    assert (slots_of(again), again.absent, again.faces_compared) == (slots_of(kept), kept.absent, 15)


def test_a_jump_cut_within_one_person_loses_no_frame(edit: Edit) -> None:
    found = followed(edit((ANN, 60), (ANN_AGAIN, 60)))
    assert slots_of(found) == [*range(120)]


def test_two_people_by_turns_are_ambiguous_and_a_hint_says_who_is_meant(edit: Edit) -> None:
    path = edit((ANN, 60), (BOB, 60))
    with pytest.raises(ClipRejectedError) as rejected:
        followed(path)
    assert rejected.value.verdict.reason == RejectReason.AMBIGUOUS_FACE
    assert slots_of(followed(path, face_box=(0.3, 0.2, 0.7, 0.9))) == [*range(60)]


def test_of_two_people_side_by_side_the_one_who_is_meant_is_found_across_the_cut(edit: Edit) -> None:
    """They change seats, and the second scene is the longer one."""
    path = edit(((ANN, BOB), 40), ((BOB, ANN_AGAIN), 70))
    for hint, expected_right in ((LEFT, True), (RIGHT, False)):
        found = followed(path, face_box=hint)
        assert slots_of(found) == [*range(40, 110)]
        boxes = np.stack([face.box for face in found.faces.values()])
        assert (boxes[:, 0] > 360).all() == expected_right
        assert (boxes[:, 2] < 360).all() != expected_right


def test_two_people_side_by_side_throughout_stay_ambiguous(edit: Edit) -> None:
    with pytest.raises(ClipRejectedError) as rejected:
        followed(edit(((ANN, BOB), 40), ((BOB, ANN_AGAIN), 40)))
    assert rejected.value.verdict.reason == RejectReason.AMBIGUOUS_FACE


def test_a_clip_in_which_nobody_comes_or_goes_is_not_compared(edit: Edit) -> None:
    assert followed(edit((ANN, 70))).faces_compared == 0
    assert followed(edit(((ANN, BOB), 40)), face_box=LEFT).faces_compared == 0


def test_the_faces_of_demo_clips_cut_together_are_told_apart(samples: dict[str, Path], tmp_path: Path) -> None:
    """Hard cuts, other cameras: the man of the first and last scene is the one the clip is about."""
    path = tmp_path / "edited.mkv"
    man, driver = str(samples["pyfeat-man"]), str(samples["carphone-man"])
    fit = "fps=25,scale=352:288:force_original_aspect_ratio=increase,crop=352:288,setsar=1"
    graph = (
        f"[0:v]{fit},split[a][b];[a]trim=end_frame=28,setpts=PTS-STARTPTS[one];"
        f"[b]trim=start_frame=30:end_frame=58,setpts=PTS-STARTPTS[three];"
        f"[1:v]{fit},trim=end_frame=25,setpts=PTS-STARTPTS[two];[one][two][three]concat=n=3[out]"
    )
    ffmpeg("-i", man, "-i", driver, "-filter_complex", graph, "-map", "[out]", "-an", "-c:v", "libx264", str(path))
    assert slots_of(followed(path)) == [*range(28), *range(53, 81)]
