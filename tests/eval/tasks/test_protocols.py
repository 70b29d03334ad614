"""Named protocols: cross-reenactment, the paper's, a quick look, and how many draws there are."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from eval.runs.results import SCORE_SCHEMA
from eval.specs.image import SSIM
from eval.statistics.cells import summarise
from eval.tasks.making import make_tasks
from eval.tasks.motion import BOUNDS, Motion, distance_to_nearest
from eval.tasks.pairs import Pair, PairList, clip_key, in_a_ring, read_pairs
from eval.tasks.queries import Query
from eval.tasks.task_set import Task, TaskSet, clips_in
from tests.eval.conftest import DrawnClip, DrawnStore, drawn_store
from weights.errors import HeadshotError


def many(store: DrawnStore, count: int, frames: int = 90) -> DrawnStore:
    """Return one test clip each of many people."""
    return replace(
        store, clips=tuple(DrawnClip(f"p{place:02}/video/1", f"p{place:02}", "test", frames) for place in range(count))
    )


def test_somebody_else_drives_and_everybody_drives(store: DrawnStore) -> None:
    tasks = make_tasks(store, [1, 8], protocol="cross")
    assert tasks.across
    for task in tasks.tasks:
        assert task.driver not in (None, task.identity)
        assert {frame.clip.split("/")[0] for frame in task.frames} == {task.driver}
    assert {task.driver for task in tasks.tasks} == {"ann", "bob", "eve"}


def test_real_frames_are_those_that_would_be_drawn_in_self_reenactment(store: DrawnStore) -> None:
    own = {task.id: task for task in make_tasks(store, [1, 8], query_frames=20).tasks}
    for task in make_tasks(store, [1, 8], query_frames=20, protocol="cross").tasks:
        alone = own[task.id.split("+by+")[0]]
        assert (task.real, task.support) == (alone.queries, alone.support)
        assert sum(len(query.rows) for query in task.real) == len(task.frames)


def test_a_driver_with_few_frames_leaves_as_many_real_ones(store: DrawnStore) -> None:
    short = DrawnClip("kim/video/1", "kim", "test", 30)
    pair = replace(store, clips=(store.clips[1], short))
    driven = next(task for task in make_tasks(pair, [1], query_frames=32, protocol="cross").tasks)
    assert driven.driver == "kim"
    assert len(driven.frames) == sum(len(query.rows) for query in driven.real) == 27


def test_proportions_of_another_face_are_no_distance() -> None:
    """The same turns by a face of another shape are as near as those of the own face."""
    rng = np.random.default_rng(0)
    face, other = rng.normal(size=(2, 1, 68, 2))
    wobble = 0.01 * rng.normal(size=(12, 68, 2))
    pose = rng.normal(size=(12, 3))
    own = Motion.of(pose, face + wobble)
    drivers = Motion.of(pose, other + wobble)
    assert distance_to_nearest(drivers, own).min() > 0.5
    assert distance_to_nearest(drivers.fitted_to(own), own).max() < 0.02


def test_one_person_alone_cannot_be_driven(store: DrawnStore) -> None:
    with pytest.raises(HeadshotError, match="needs two people"):
        make_tasks(replace(store, clips=store.clips[1:3]), [1], protocol="cross")


def test_the_ring_gives_two_clips_of_a_person_two_drivers(store: DrawnStore) -> None:
    driving = in_a_ring(store.clips[1:], seed=0)
    people = {key: driver.split("/")[0] for key, driver in driving.items()}
    assert people["ann/video/1"] != people["ann/video/2"]
    assert in_a_ring(store.clips[1:], seed=0) == driving
    assert any(in_a_ring(store.clips[1:], seed=seed) != driving for seed in range(1, 5))


def test_ids_name_both_clips(store: DrawnStore) -> None:
    for task in make_tasks(store, [1], protocol="cross").tasks:
        assert clips_in(task.id) == (task.clip, task.frames[0].clip)
    task = make_tasks(store, [1]).tasks[0]
    assert clips_in(task.id) == (task.clip,)


def test_what_a_system_is_asked_does_not_depend_on_the_real_frames(store: DrawnStore) -> None:
    task = make_tasks(store, [1], protocol="cross").tasks[0]
    assert task.model_copy(update={"real": ()}).sha256() == task.sha256()
    assert task.model_copy(update={"driver": "zoe"}).sha256() != task.sha256()


def test_a_published_list_is_followed_and_what_it_lacks_is_counted(store: DrawnStore, tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(
        "distance,source,driving,frame\n"
        "1.5,ann/video/1,bob/video/2,0\n"
        "1.5,ann#video#1.mp4,eve/video/1,0\n"
        "1.5,ann/video/1,bob/video/2,3\n"
        "1.5,kim/video/1,bob/video/1,0\n"
        "1.5,eve/video/1,eve/video/2,0\n"
    )
    tasks = make_tasks(store, [1], protocol="cross", pairs=read_pairs(path))
    assert [(task.clip, task.frames[0].clip) for task in tasks.tasks] == [
        ("ann/video/1", "bob/video/2"),
        ("ann/video/1", "eve/video/1"),
    ]
    reasons = {skip.clip: skip.reason for skip in tasks.skipped}
    assert reasons == {
        "kim/video/1": "kim/video/1 is not among the test clips",
        "eve/video/1": "eve/video/2 is of the same person",
    }
    assert tasks.pairs_sha256 == read_pairs(path).sha256


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("id10005#WMh3ye5tBsE#003657#003994.mp4", "id10005/WMh3ye5tBsE/003657-003994"),
        ("id10005/WMh3ye5tBsE/003657-003994", "id10005/WMh3ye5tBsE/003657-003994"),
        (" ann/video/1 ", "ann/video/1"),
    ],
)
def test_names_of_published_lists_are_understood(name: str, key: str) -> None:
    assert clip_key(name) == key


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "source,driving\n"])
def test_a_file_without_pairs_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text(text)
    with pytest.raises(HeadshotError, match=r"pairs\.csv"):
        read_pairs(tmp_path / "pairs.csv")


def test_a_list_without_any_clip_of_the_data_is_refused_with_reasons(store: DrawnStore) -> None:
    with pytest.raises(HeadshotError, match="kim/video/1"):
        make_tasks(store, [1], protocol="cross", pairs=PairList(pairs=(Pair("kim/video/1", "x"),), sha256="0"))


def test_a_list_is_for_cross_reenactment_only(store: DrawnStore) -> None:
    with pytest.raises(HeadshotError, match="protocol cross"):
        make_tasks(store, [1], pairs=PairList(pairs=(Pair("ann/video/1", "bob/video/1"),), sha256="0"))


def test_fifty_videos_and_32_frames_of_each_from_the_same_clip(store: DrawnStore) -> None:
    tasks = make_tasks(many(store, 60), [1, 8, 32], size_px=256, draws=None, protocol="zakharov-2019")
    assert len({task.clip for task in tasks.tasks}) == 50
    assert (tasks.draws, tasks.caveats, tasks.label) == ((1, 1, 1), (), "zakharov-2019")
    for task in tasks.tasks:
        assert len(task.frames) == 32
        assert {frame.clip for frame in task.frames} == {task.clip}
        assert not {frame.row for frame in task.frames} & set(task.support)
    assert sum(len(task.frames) for task in tasks.tasks if task.shots == 8) == 1600


def test_frames_are_even_in_time_whatever_the_movement(store: DrawnStore) -> None:
    moving, calm = (
        make_tasks(replace(many(store, 2), turn_deg=turn), [1, 8, 32], protocol="zakharov-2019").tasks[0]
        for turn in (2.0, 0.0)
    )
    assert [(frame.clip, frame.row) for frame in moving.frames] == [(one.clip, one.row) for one in calm.frames]


def test_fewer_videos_are_labelled_and_one_clip_stands_for_a_video(store: DrawnStore) -> None:
    tasks = make_tasks(drawn_store(store.root, frames=90), [1, 8, 32], protocol="zakharov-2019")
    assert {task.clip for task in tasks.tasks} == {"ann/video/1", "bob/video/1", "eve/video/1"}
    assert tasks.label == "zakharov-2019 with 3 of 50 videos and 128 instead of 256 pixels"


def test_a_clip_without_32_frames_to_hold_out_is_left_out(store: DrawnStore) -> None:
    clips = (*many(store, 1).clips, DrawnClip("short/video/1", "short", "test", 70))
    tasks = make_tasks(replace(store, clips=clips), [1, 8, 32], protocol="zakharov-2019")
    assert {skip.clip: skip.reason for skip in tasks.skipped} == {
        "short/video/1": "70 usable frames, 71 needed for 32 shots and 32 query frames"
    }


@pytest.mark.parametrize("asked", [{"shots": [1, 8]}, {"shots": [1, 8, 32], "query_frames": 16}])
def test_what_it_fixes_cannot_be_changed(asked: dict, store: DrawnStore) -> None:
    with pytest.raises(HeadshotError, match=r"zakharov-2019 has .* and you ask for"):
        make_tasks(store, protocol="zakharov-2019", **asked)


def test_few_people_one_clip_of_each_and_few_frames(store: DrawnStore) -> None:
    tasks = make_tasks(store, [1, 8], limit=2)
    assert len(tasks.identities()) == 2
    assert Counter(task.shots for task in tasks.tasks) == {1: 2, 8: 2}
    assert {len(task.frames) for task in tasks.tasks} == {8}
    assert tasks.caveats == ("quick look (--limit 2): 2 of 3 people, one clip of each, 8 frames a clip",)
    assert tasks.label.startswith("self-reenactment; quick look")


def test_a_larger_look_has_the_people_of_a_smaller_one(store: DrawnStore) -> None:
    sets = [set(make_tasks(many(store, 9), [1], limit=limit).identities()) for limit in (1, 3, 6)]
    assert sets[0] < sets[1] < sets[2]


def test_it_is_labelled_beside_the_protocol(store: DrawnStore) -> None:
    tasks = make_tasks(many(store, 9), [1, 8, 32], limit=2, protocol="zakharov-2019")
    assert [caveat.split(" ")[0] for caveat in tasks.caveats] == ["zakharov-2019", "quick"]
    assert tasks.label == "; ".join(tasks.caveats)


def test_it_is_another_set_of_tasks(store: DrawnStore) -> None:
    one = replace(store, clips=store.clips[1:2])
    assert make_tasks(one, [1], query_frames=8).sha256() != make_tasks(one, [1], limit=1).sha256()


def test_a_person_whose_clip_is_too_short_makes_room_for_another(store: DrawnStore) -> None:
    clips = tuple(replace(clip, usable_frames=10) if clip.identity != "eve" else clip for clip in store.clips[1:])
    assert make_tasks(replace(store, clips=clips), [8], limit=1).identities() == ("eve",)


def test_each_number_of_shots_has_its_own(store: DrawnStore) -> None:
    tasks = make_tasks(store, [1, 8, 20], draws={1: 3, 8: 2})
    assert tasks.draws == (3, 2, 1)
    assert Counter(task.shots for task in tasks.tasks) == {1: 18, 8: 12, 20: 6}


def test_supports_of_every_draw_stay_nested(store: DrawnStore) -> None:
    tasks = make_tasks(store, [1, 2, 4, 8, 16, 32], draws={1: 3, 8: 2})
    known = {(task.clip, task.draw, task.shots): task.support for task in tasks.tasks}
    for (clip, draw, shots), support in known.items():
        assert len(set(support)) == shots
        larger = known.get((clip, draw, 2 * shots))
        assert larger is None or larger[:shots] == support


def test_automatic_draws_are_several_where_one_frame_decides(store: DrawnStore) -> None:
    assert make_tasks(store, [1, 2, 4, 8], draws=None).draws == (3, 3, 1, 1)


@pytest.mark.parametrize("draws", [0, {1: 0}, {4: 2}])
def test_impossible_draws_are_refused(draws: object, store: DrawnStore) -> None:
    with pytest.raises(HeadshotError, match="draws"):
        make_tasks(store, [1, 8], draws=draws)


def test_it_says_its_hash_and_refuses_a_change(store: DrawnStore, tmp_path: Path) -> None:
    path, tasks = tmp_path / "tasks.json", make_tasks(store, [1], protocol="cross")
    tasks.save(path)
    assert f'"sha256": "{tasks.sha256()}"' in path.read_text()
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(HeadshotError, match="changed after it was written"):
        TaskSet.load(path)


def test_the_hash_is_the_same_on_every_machine() -> None:
    """Golden: the canonical form must not change within a version of the schema."""
    task = Task(
        id="ann+v+1+1shots+draw0",
        identity="ann",
        clip="ann/v/1",
        shots=1,
        draw=0,
        support=(3,),
        queries=(Query(clip="ann/v/1", rows=(40, 41), strata=("near", "far")),),
    )
    tasks = TaskSet(
        manifest_sha256="a" * 64,
        seed=0,
        size_px=128,
        shots=(1,),
        draws=(1,),
        query_frames=32,
        strata=BOUNDS,
        people=1,
        tasks=(task,),
    )
    assert (tasks.sha256()[:16], task.sha256()[:16]) == ("8ef21bdd403ac61a", "b120d81657a419e7")


def test_tasks_of_the_version_before_are_read(store: DrawnStore, tmp_path: Path) -> None:
    tasks, path = make_tasks(store, [1, 8], draws=2), tmp_path / "tasks.json"
    old = tasks.model_dump(mode="json", exclude={"protocol", "people", "limit", "pairs_sha256"})
    for task in old["tasks"]:
        del task["driver"], task["real"]
    path.write_text(json.dumps({**old, "schema_version": 2, "draws": 2}))
    assert TaskSet.load(path) == tasks


def test_a_data_set_they_were_not_made_from_is_refused(store: DrawnStore) -> None:
    tasks = make_tasks(store, [1, 8])
    tasks.check(store)
    with pytest.raises(HeadshotError, match="manifest"):
        tasks.check(replace(store, manifest_sha256="b" * 64))


def test_the_same_manifest_preprocessed_in_another_way_is_refused(store: DrawnStore) -> None:
    tasks = make_tasks(store, [1, 8])
    fewer = tuple(replace(clip, usable_frames=50) if clip.key == "bob/video/2" else clip for clip in store.clips)
    with pytest.raises(HeadshotError, match=r"row \d+ of clip bob/video/2"):
        tasks.check(replace(store, clips=fewer))


def score_rows(values: dict[tuple[str, str, int], list[float]]) -> pa.Table:
    """Return rows of SSIM at one shot: a list of values for each person, clip and draw."""
    return pa.Table.from_pylist(
        [
            {
                "system": "one",
                "shots": 1,
                "draw": draw,
                "identity": identity,
                "clip": f"{identity}/v/{clip}",
                "query_clip": f"{identity}/v/{clip}",
                "frame": frame,
                "stratum": "far",
                "metric": "ssim",
                "value": value,
                "status": "ok" if np.isfinite(value) else "system_error: no",
            }
            for (identity, clip, draw), of_draw in values.items()
            for frame, value in enumerate(of_draw)
        ],
        schema=SCORE_SCHEMA,
    )


def test_draws_are_averaged_within_a_clip_and_a_clip_within_a_person() -> None:
    """Golden: three draws of one person weigh as much as one draw of another; a draw that failed counts as 0."""
    scores = score_rows(
        {
            ("ann", "1", 0): [0.2, 0.4],
            ("ann", "1", 1): [0.6, 0.8],
            ("ann", "1", 2): [float("nan"), float("nan")],
            ("ann", "2", 0): [0.9, 0.9],
            ("bob", "1", 0): [0.5, 0.7],
        }
    )
    (cell,) = summarise(scores, [SSIM])
    ann = ((0.3 + 0.7 + 0.0) / 3 + 0.9) / 2
    assert cell.value == pytest.approx((ann + 0.6) / 2)
    assert (cell.n_identities, cell.n_frames, cell.n_failed) == (2, 10, 2)
