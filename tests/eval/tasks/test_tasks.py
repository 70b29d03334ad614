from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eval.tasks.making import make_tasks
from eval.tasks.motion import Motion, distance_to_nearest
from eval.tasks.queries import MOST_OTHER_CLIPS
from eval.tasks.supports import MIN_QUERY_FRAMES
from eval.tasks.task_set import Task, TaskSet
from tests.eval.conftest import DrawnClip, DrawnStore
from weights.errors import HeadshotError


def by_clip(tasks: TaskSet) -> dict[tuple[str, int], dict[int, tuple[int, ...]]]:
    found: dict[tuple[str, int], dict[int, tuple[int, ...]]] = {}
    for task in tasks.tasks:
        found.setdefault((task.clip, task.draw), {})[task.shots] = task.support
    return found


def test_supports_are_nested(store: DrawnStore) -> None:
    for supports in by_clip(make_tasks(store, [1, 8, 20], draws=2)).values():
        assert len(supports[20]) == len(set(supports[20])) == 20
        assert supports[8] == supports[20][:8]
        assert supports[1] == supports[20][:1]


def own_rows(task: Task) -> tuple[int, ...]:
    """Return the query rows of the clip that the support is from."""
    return next(query.rows for query in task.queries if query.clip == task.clip)


def test_query_frames_of_the_clip_come_later_than_support_frames_with_a_gap(store: DrawnStore) -> None:
    for task in make_tasks(store, [1, 8, 20]).tasks:
        usable = list(store.usable_rows(store.clip(task.clip)))
        last_support = max(usable.index(row) for row in task.support)
        first_query = min(usable.index(row) for row in own_rows(task))
        assert first_query - last_support > len(usable) // 10
        assert list(own_rows(task)) == sorted(set(own_rows(task)))


def test_half_of_the_query_frames_come_from_another_clip_of_the_person(store: DrawnStore) -> None:
    for task in make_tasks(store, [1], query_frames=20).tasks:
        elsewhere = [frame.clip for frame in task.frames if frame.clip != task.clip]
        assert (len(elsewhere), len(task.frames)) == (10, 20)
        assert {clip.split("/")[0] for clip in elsewhere} == {task.identity}


def test_a_person_with_one_clip_is_drawn_from_that(store: DrawnStore) -> None:
    alone = replace(store, clips=store.clips[1:2])
    (task,) = make_tasks(alone, [1], query_frames=20).tasks
    assert {frame.clip for frame in task.frames} == {task.clip}
    assert len(task.frames) == 20


def test_of_many_clips_only_a_few_others_are_asked_for(store: DrawnStore) -> None:
    many = tuple(DrawnClip(f"ann/video/{number}", "ann", "test", 60) for number in range(8))
    for task in make_tasks(replace(store, clips=many), [1], query_frames=32).tasks:
        assert len({frame.clip for frame in task.frames} - {task.clip}) == MOST_OTHER_CLIPS


def test_strata_are_those_of_the_largest_support_at_every_number_of_shots(store: DrawnStore) -> None:
    """Far stays far: a curve over shots within a stratum compares the same frames."""
    tasks = make_tasks(store, [1, 8, 20], draws=2)
    for task in tasks.tasks:
        largest = next(one for one in tasks.tasks if (one.clip, one.draw, one.shots) == (task.clip, task.draw, 20))
        assert task.frames == largest.frames
        clip = store.clip(task.clip)
        shown = Motion.read(store, clip, np.array(largest.support))
        for query in task.queries:
            drawn = Motion.read(store, store.clip(query.clip), np.array(query.rows))
            assert query.strata == tasks.strata.of(distance_to_nearest(drawn, shown))


def test_query_frames_cover_every_stratum_that_there_is(store: DrawnStore) -> None:
    counts = Counter(frame.stratum for task in make_tasks(store, [1], query_frames=24).tasks for frame in task.frames)
    assert min(counts.values()) > 10
    calm = make_tasks(replace(store, turn_deg=0.0), [1], query_frames=24)
    assert {frame.stratum for task in calm.tasks for frame in task.frames} == {"near"}


def test_a_clip_without_poses_has_no_usable_frames(store: DrawnStore) -> None:
    with pytest.raises(HeadshotError, match="0 usable frames"):
        make_tasks(replace(store, turn_deg=float("nan")), [1])


def test_a_task_is_the_same_to_a_system_whatever_other_shots_there_are(store: DrawnStore) -> None:
    """Strata may change with the largest support; what was rendered stays current."""
    few, many = ({task.id: task.sha256() for task in make_tasks(store, shots).tasks} for shots in ([1, 8], [1, 8, 20]))
    assert few.items() <= many.items()


def test_only_frames_with_a_face_are_used(store: DrawnStore) -> None:
    for task in make_tasks(store, [1, 20]).tasks:
        assert not any(row % 10 == 9 for row in (*task.support, *(frame.row for frame in task.frames)))


def test_only_clips_of_the_test_split_are_used(store: DrawnStore) -> None:
    assert make_tasks(store, [1]).identities() == ("ann", "bob", "eve")


def test_queries_are_the_same_at_every_number_of_shots(store: DrawnStore) -> None:
    """Otherwise a curve over shots would mix two changes."""
    tasks = make_tasks(store, [1, 8, 32]).tasks
    for clip in {task.clip for task in tasks}:
        assert len({task.queries for task in tasks if task.clip == clip}) == 1


def test_queries_of_a_calm_clip_are_spread_over_the_last_half(store: DrawnStore) -> None:
    task = make_tasks(replace(store, turn_deg=0.0), [1], query_frames=20).tasks[0]
    usable = list(store.usable_rows(store.clip(task.clip)))
    places = [usable.index(row) for row in own_rows(task)]
    assert len(places) == 10
    assert places[-1] == len(usable) - 1
    assert np.ptp(np.diff(places)) <= 1


def test_the_same_seed_gives_the_same_tasks_and_another_seed_others(store: DrawnStore) -> None:
    assert make_tasks(store, [1, 8], seed=3) == make_tasks(store, [8, 1, 8], seed=3)
    assert make_tasks(store, [1, 8], seed=3).sha256() != make_tasks(store, [1, 8], seed=4).sha256()


def test_draws_differ_and_do_not_depend_on_how_many_there_are(store: DrawnStore) -> None:
    three, one = by_clip(make_tasks(store, [8], draws=3)), by_clip(make_tasks(store, [8], draws=1))
    for (clip, draw), supports in one.items():
        assert supports == three[clip, draw]
        assert len({three[clip, number][8] for number in range(3)}) == 3


def test_supports_do_not_depend_on_other_clips(store: DrawnStore) -> None:
    alone = replace(store, clips=store.clips[:2])
    together = by_clip(make_tasks(store, [8]))
    for key, supports in by_clip(make_tasks(alone, [8])).items():
        assert supports == together[key]


def test_a_short_clip_gives_up_query_frames_before_it_is_left_out(store: DrawnStore) -> None:
    """32 shots need more than half of 60 frames; people must not change along the curve."""
    task = next(task for task in make_tasks(store, [1, 32]).tasks if task.shots == 32)
    assert len(own_rows(task)) == 16
    alone = replace(store, clips=store.clips[1:2])
    (task,) = make_tasks(alone, [32]).tasks
    assert len(task.frames) == 22
    assert len(task.support) == 32


def test_a_clip_that_is_too_short_is_counted_with_its_reason(store: DrawnStore) -> None:
    short = DrawnClip("kim/video/1", "kim", "test", 40)
    tasks = make_tasks(replace(store, clips=(*store.clips, short)), [1, 32])
    assert [skip.clip for skip in tasks.skipped] == ["kim/video/1"]
    assert tasks.skipped[0].reason == "40 usable frames, 44 needed for 32 shots and 8 query frames"
    assert "kim" not in tasks.identities()


def test_a_clip_that_is_just_long_enough_is_used(store: DrawnStore) -> None:
    enough = DrawnClip("kim/video/1", "kim", "test", 44)
    tasks = make_tasks(replace(store, clips=(enough,)), [32])
    assert len(tasks.tasks[0].frames) == MIN_QUERY_FRAMES


def test_no_clip_that_is_long_enough_is_an_error_that_says_so(store: DrawnStore) -> None:
    with pytest.raises(HeadshotError, match=r"500 shots.*60 usable frames"):
        make_tasks(store, [500])


def test_a_person_in_two_splits_is_refused(store: DrawnStore) -> None:
    leak = DrawnClip("ann/video/9", "ann", "train", 60)
    with pytest.raises(HeadshotError, match="identity ann"):
        make_tasks(replace(store, clips=(*store.clips, leak)), [1])


@pytest.mark.parametrize("options", [{"shots": []}, {"shots": [0, 1]}, {"shots": [1], "query_frames": 2}])
def test_impossible_requests_are_refused(store: DrawnStore, options: dict) -> None:
    with pytest.raises(HeadshotError):
        make_tasks(store, **options)


def test_tasks_survive_the_disk_unchanged(store: DrawnStore, tmp_path: Path) -> None:
    tasks = make_tasks(store, [1, 8])
    tasks.save(tmp_path / "tasks.json")
    assert TaskSet.load(tmp_path / "tasks.json") == tasks
    assert TaskSet.load(tmp_path / "tasks.json").sha256() == tasks.sha256()


def test_the_hash_depends_on_every_frame(store: DrawnStore) -> None:
    tasks = make_tasks(store, [1, 8])
    first = tasks.tasks[0]
    rows = first.queries[0].rows
    moved = first.queries[0].model_copy(update={"rows": (*rows[:-1], rows[-1] + 1)})
    changed = first.model_copy(update={"queries": (moved, *first.queries[1:])})
    other = tasks.model_copy(update={"tasks": (changed, *tasks.tasks[1:])})
    assert other.sha256() != tasks.sha256()
    assert changed.sha256() != first.sha256()
    bounds = tasks.strata.model_copy(update={"far_from": 0.2})
    assert tasks.model_copy(update={"strata": bounds}).sha256() != tasks.sha256()


def test_task_ids_are_unique_file_names(store: DrawnStore) -> None:
    ids = [task.id for task in make_tasks(store, [1, 8], draws=2).tasks]
    assert len(set(ids)) == len(ids)
    assert not any("/" in name for name in ids)


@pytest.mark.parametrize("text", ["", "{}", '{"schema_version": 1}'])
def test_a_file_that_holds_no_tasks_is_a_clear_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tasks.json"
    path.write_text(text)
    with pytest.raises(HeadshotError, match=r"tasks\.json"):
        TaskSet.load(path)
