from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eval.tasks import MIN_QUERY_FRAMES, TaskSet, make_tasks
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


def test_query_frames_come_later_than_support_frames_with_a_gap(store: DrawnStore) -> None:
    for task in make_tasks(store, [1, 8, 20]).tasks:
        usable = list(store.usable_rows(store.clip(task.clip)))
        last_support = max(usable.index(row) for row in task.support)
        first_query = min(usable.index(row) for row in task.query)
        assert first_query - last_support > len(usable) // 10
        assert list(task.query) == sorted(set(task.query))


def test_only_frames_with_a_face_are_used(store: DrawnStore) -> None:
    for task in make_tasks(store, [1, 20]).tasks:
        assert not any(row % 10 == 9 for row in task.support + task.query)


def test_only_clips_of_the_test_split_are_used(store: DrawnStore) -> None:
    assert make_tasks(store, [1]).identities() == ("ann", "bob", "eve")


def test_queries_are_the_same_at_every_number_of_shots(store: DrawnStore) -> None:
    """Otherwise a curve over shots would mix two changes."""
    tasks = make_tasks(store, [1, 8, 32]).tasks
    for clip in {task.clip for task in tasks}:
        assert len({task.query for task in tasks if task.clip == clip}) == 1


def test_queries_are_spread_over_the_last_half(store: DrawnStore) -> None:
    task = make_tasks(store, [1], query_frames=10).tasks[0]
    usable = list(store.usable_rows(store.clip(task.clip)))
    places = [usable.index(row) for row in task.query]
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
    assert len(task.query) == 22
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
    assert len(tasks.tasks[0].query) == MIN_QUERY_FRAMES


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
    changed = first.model_copy(update={"query": (*first.query[:-1], first.query[-1] + 1)})
    other = tasks.model_copy(update={"tasks": (changed, *tasks.tasks[1:])})
    assert other.sha256() != tasks.sha256()
    assert changed.sha256() != first.sha256()


def test_task_ids_are_unique_file_names(store: DrawnStore) -> None:
    ids = [task.id for task in make_tasks(store, [1, 8], draws=2).tasks]
    assert len(set(ids)) == len(ids)
    assert not any("/" in name for name in ids)


@pytest.mark.parametrize("text", ["", "{}", '{"schema_version": 2}'])
def test_a_file_that_holds_no_tasks_is_a_clear_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tasks.json"
    path.write_text(text)
    with pytest.raises(HeadshotError, match=r"tasks\.json"):
        TaskSet.load(path)
