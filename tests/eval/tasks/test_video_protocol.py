"""The protocol `video`: query frames in runs that follow each other."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from eval.features import FeatureCache
from eval.metrics.loading import load_metrics
from eval.specs.time import DTSSD
from eval.targets import Targets
from eval.tasks.making import make_tasks
from eval.tasks.motion import BOUNDS, STRATA, Motion, distance_to_nearest
from eval.tasks.neighbours import ALONE, neighbours
from eval.tasks.protocols import RULES
from eval.tasks.queries import Query, in_runs
from eval.tasks.task_set import Task, TaskSet
from tests.eval.conftest import DrawnClip, DrawnStore
from weights.errors import HeadshotError

RUN = RULES["video"].run_frames


@pytest.fixture
def store(store: DrawnStore) -> DrawnStore:
    """Clips of 120 frames with a face, of which each 40th has none."""
    clips = tuple(replace(clip, usable_frames=120) for clip in store.clips)
    return replace(store, clips=clips, gap_every=40)


def video(store: DrawnStore, shots: tuple[int, ...] = (1, 8), **options) -> TaskSet:
    return make_tasks(store, shots, size_px=32, protocol="video", **options)


def runs_of(query: Query) -> list[tuple[int, ...]]:
    return [query.rows[start : start + RUN] for start in range(0, len(query.rows), RUN)]


def own(task: Task) -> list[tuple[int, ...]]:
    """Return the runs of the clip that the support is from."""
    return [run for query in task.queries if query.clip == task.clip for run in runs_of(query)]


def test_query_frames_are_whole_runs_of_usable_frames_in_a_row(store: DrawnStore) -> None:
    for task in video(store).tasks:
        assert len(task.frames) == 32
        for query in task.queries:
            usable = set(store.usable_rows(store.clip(query.clip)).tolist())
            for run in runs_of(query):
                assert run == tuple(range(run[0], run[0] + RUN))
                assert usable.issuperset(run)


def test_time_is_measured_in_15_of_16_frames_and_under_self_in_few(store: DrawnStore) -> None:
    (metric,) = load_metrics([DTSSD]).frame

    def measured(tasks: TaskSet) -> float:
        counted = Counter[bool]()
        for task in tasks.tasks:
            target = Targets.load(store, task, 32).drawn
            counted.update(np.isfinite(metric.score(target, target, FeatureCache()).values).tolist())
        return counted[True] / counted.total()

    assert measured(video(store)) == 15 / 16
    assert measured(make_tasks(replace(store, turn_deg=3.0), [1, 8], size_px=32)) < 0.5


def test_what_holds_for_self_reenactment_holds(store: DrawnStore) -> None:
    """Nested supports, a gap before the query frames, the same ones at all shots, half of them from elsewhere."""
    tasks = video(store, (1, 8, 20), draws=2)
    for task in tasks.tasks:
        assert task.driver is None
        larger = [one for one in tasks.tasks if (one.clip, one.draw) == (task.clip, task.draw)]
        assert all(one.support[: task.shots] == task.support for one in larger if one.shots >= task.shots)
        assert {one.queries for one in larger} == {task.queries}
        usable = store.usable_rows(store.clip(task.clip)).tolist()
        first = min(row for run in own(task) for row in run)
        assert usable.index(first) - max(usable.index(row) for row in task.support) > len(usable) // 10
        assert Counter(frame.clip == task.clip for frame in task.frames) == {True: RUN, False: RUN}
        assert {frame.clip.split("/")[0] for frame in task.frames} == {task.identity}


def test_every_frame_keeps_its_own_stratum(store: DrawnStore) -> None:
    task = video(store, (8,)).tasks[0]
    support = Motion.read(store, store.clip(task.clip), np.array(task.support))
    for query in task.queries:
        motion = Motion.read(store, store.clip(query.clip), np.array(query.rows))
        assert query.strata == BOUNDS.of(distance_to_nearest(motion, support))


def test_runs_are_spread_over_the_strata_of_their_farthest_frames(store: DrawnStore) -> None:
    """A head that turns by a twentieth of a degree a frame: one near run, three middle ones, then far ones."""
    clip = DrawnClip("ann/video/1", "ann", "test", 400)
    alone = replace(store, clips=(clip,), gap_every=1000, turn_deg=0.05)
    pool = Motion.read(alone, clip, np.arange(180))

    def strata(count: int) -> list[str]:
        (task,) = video(alone, (1,), query_frames=count * RUN).tasks
        motions = [Motion.read(alone, clip, np.array(run)) for run in own(task)]
        return list(BOUNDS.of(np.array([distance_to_nearest(motion, pool).max() for motion in motions])))

    assert strata(3) == list(STRATA)
    assert strata(7) == ["near", *["middle"] * 3, *["far"] * 3]


def test_runs_never_overlap_however_many_are_asked_for(store: DrawnStore) -> None:
    alone = replace(store, clips=store.clips[1:2])
    (task,) = video(alone, (1,), query_frames=16 * RUN).tasks
    rows = [row for run in own(task) for row in run]
    assert len(rows) == len(set(rows))
    assert len(own(task)) == 2, "54 usable rows, broken by one gap"


def test_it_is_the_same_each_time_and_another_set_than_self(store: DrawnStore) -> None:
    assert video(store).sha256() == video(store).sha256()
    assert video(store).sha256() != make_tasks(store, [1, 8], size_px=32).sha256()
    assert video(store).label == "self-reenactment in runs of 16 frames"


def test_a_clip_without_a_run_is_left_out_with_the_reason(store: DrawnStore) -> None:
    short = DrawnClip("kim/video/1", "kim", "test", 32)
    tasks = video(replace(store, clips=(*store.clips, short)), (8, 16))
    assert {skip.clip: skip.reason for skip in tasks.skipped} == {
        "kim/video/1": "32 usable frames, 35 needed for 16 shots and 16 query frames"
    }
    with pytest.raises(HeadshotError, match="no 16 usable frames follow each other in its part for query frames"):
        video(replace(store, gap_every=10))


def test_another_clip_without_a_run_leaves_all_of_them_to_the_first(store: DrawnStore) -> None:
    short = replace(store.clips[2], usable_frames=15)
    tasks = video(replace(store, clips=(replace(store.clips[1], usable_frames=200), short)), (1,))
    assert [(task.clip, len(own(task))) for task in tasks.tasks] == [("ann/video/1", 2)]


@pytest.mark.parametrize("frames", [8, 24, 33])
def test_frames_that_fill_no_whole_runs_are_refused(frames: int, store: DrawnStore) -> None:
    with pytest.raises(HeadshotError, match=rf"runs of 16 frames, which {frames} query frames do not fill"):
        video(store, query_frames=frames)


def test_a_quick_look_is_at_one_run(store: DrawnStore) -> None:
    tasks = video(store, limit=2)
    assert {len(task.frames) for task in tasks.tasks} == {RUN}
    assert "2 of 3 people, one clip of each, 16 frames a clip" in tasks.label
    for task in tasks.tasks:
        assert (neighbours(task.frames) == ALONE).sum() == 1


def test_a_file_of_them_is_read_again(store: DrawnStore, tmp_path) -> None:
    tasks = video(store)
    tasks.save(tmp_path / "tasks.json")
    assert TaskSet.load(tmp_path / "tasks.json") == tasks


@pytest.mark.parametrize(
    ("rows", "frames", "expected"),
    [
        ([0, 1, 2, 3, 4], 2, [[0, 1], [2, 3]]),
        ([0, 2, 3, 5, 6, 7], 2, [[2, 3], [5, 6]]),
        ([4, 5, 9], 1, [[4], [5], [9]]),
        ([1, 3], 2, []),
        ([], 2, []),
    ],
)
def test_runs_begin_after_gaps_and_leave_the_rest_over(rows: list, frames: int, expected: list) -> None:
    found = in_runs(np.array(rows, np.int64), frames)
    assert found.shape == (len(expected), frames)
    assert found.tolist() == expected
