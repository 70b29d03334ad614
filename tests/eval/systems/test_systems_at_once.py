"""Systems that are asked for all tasks at once: what single failed frames cost, and what is asked again."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from eval.benchmark import benchmark, render_part
from eval.progress import Progress, silent
from eval.rendering import predictions
from eval.rendering.asking import opaque_id, render_at_once
from eval.rendering.render import TaskInputs
from eval.runs.results import Run
from eval.specs.image import PSNR, SSIM
from eval.statistics.cells import summarise
from eval.systems.baselines import CopySource, MeanFrame
from eval.systems.external import ExternalSpec, ExternalSystem
from eval.systems.protocol import Asked, BatchSystem, Delivered
from eval.tasks.making import make_tasks
from eval.tasks.task_set import TaskSet
from pipeline.parts import Part
from tests.conftest import REPOSITORY
from tests.eval.conftest import DrawnStore

SPECS = (SSIM, PSNR)


class Shown:
    """Delivers nothing, and notes which tasks each request holds."""

    name, title, config = "shown", "Shown", {"version": 1}
    training_identities: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.requests: list[list[str]] = []
        self.driving: list[bool] = []

    def render_all(self, asked: Iterable[Asked]) -> Iterator[Delivered]:
        self.requests.append([])
        for one in asked:
            self.driving.append(one.driving_frames is not None)
            self.requests[-1].append(one.id)
        yield from ()


class Copies:
    """Shows the first frame, notes what it is asked for, and fails at some places of every task."""

    name = "copies"
    title = "Copies"
    training_identities: frozenset[str] = frozenset()

    def __init__(self, failures: dict[int, str] | None = None, delivers: int = 1000, version: int = 1) -> None:
        self.failures, self.delivers = failures or {}, delivers
        self.config = {"version": version}
        self.asked: list[str] = []

    def render_all(self, asked: Iterable[Asked]) -> Iterator[Delivered]:
        for one in asked:
            self.asked.append(one.id)
            if len(self.asked) > self.delivers:
                raise RuntimeError("out of luck")
            found = {
                place: self.failures.get(place, one.support.frames[0]) for place in range(len(one.driving_landmarks))
            }
            yield Delivered.of(one.id, found, one.support.size_px)


@pytest.fixture
def tasks(store: DrawnStore) -> TaskSet:
    return make_tasks(store, [1, 8], size_px=32, query_frames=8)


def go(store: DrawnStore, tasks: TaskSet, folder: Path, *systems, **options) -> Run:
    return benchmark(store, systems, tasks, folder / "run", specs=SPECS, **options)


def values(run: Run, system: str) -> list[tuple]:
    columns = ("shots", "clip", "query_clip", "frame", "metric", "value", "status")
    rows = zip(run.scores["system"].to_pylist(), *(run.scores[name].to_pylist() for name in columns), strict=True)
    return sorted(row[1:] for row in rows if row[0] == system)


def test_the_two_kinds_of_system_are_told_apart() -> None:
    assert isinstance(Copies(), BatchSystem)
    assert not isinstance(CopySource(), BatchSystem)


def test_asked_at_once_or_one_by_one_the_scores_are_the_same(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    run = go(store, tasks, tmp_path, Copies(), MeanFrame(), CopySource())
    assert values(run, "copies") == values(run, "copy-source")
    assert list(dict.fromkeys(run.scores["system"].to_pylist())) == ["copies", "mean-frame", "copy-source"]


def test_a_failed_frame_counts_as_a_failure_and_leaves_its_neighbours_alone(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    run = go(store, tasks, tmp_path, Copies({2: "missing: was\nnot written"}), CopySource(), MeanFrame())
    cells = {(cell.system, cell.shots, cell.metric): cell for cell in summarise(run.scores, SPECS)}
    spoilt, whole = cells["copies", 8, "ssim"], cells["copy-source", 8, "ssim"]
    per_shots = len(tasks.tasks) // 2
    assert (spoilt.n_failed, whole.n_failed) == (per_shots, 0)
    assert spoilt.n_frames == whole.n_frames
    assert spoilt.value < whole.value
    failures = {(one.system, one.metric, one.reason): one.frames for one in run.record.failures}
    assert failures == {("copies", metric, "missing: was not written"): per_shots for metric in ("ssim", "psnr")}
    good = [row for row in values(run, "copies") if row[-1] == "ok"]
    assert set(good) <= set(values(run, "copy-source"))
    task = tasks.tasks[0]
    assert not predictions.load(tmp_path / "run", "copies", task)[2].any()
    assert predictions.header(tmp_path / "run", "copies", task).failures == {2: "missing: was not written"}


def test_a_repeated_run_asks_for_nothing_and_tasks_with_a_failed_frame_are_asked_again(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    first = go(store, tasks, tmp_path, Copies())
    again = Copies()
    assert go(store, tasks, tmp_path, again).scores.equals(first.scores)
    assert again.asked == []
    go(store, tasks, tmp_path, Copies({1: "missing: no"}, version=2))
    mended = Copies(version=2)
    run = go(store, tasks, tmp_path, mended)
    assert len(mended.asked) == len(tasks.tasks)
    assert run.record.failures == ()


def test_a_task_without_any_frame_has_no_prediction(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    run = go(store, tasks, tmp_path, Copies(dict.fromkeys(range(100), "crashed: exit code 1")))
    assert {failure.reason for failure in run.record.failures} == {"crashed: exit code 1"}
    assert not list((tmp_path / "run" / "predictions").rglob("*.parquet"))


def test_a_system_that_raises_keeps_what_it_delivered_before(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    run = go(store, tasks, tmp_path, Copies(delivers=4), MeanFrame())
    reasons = {failure.reason for failure in run.record.failures}
    assert reasons == {"system_error: RuntimeError: out of luck"}
    frames = sum(failure.frames for failure in run.record.failures if failure.metric == "ssim")
    assert frames == sum(len(task.frames) for task in tasks.tasks[4:])
    mended = Copies()
    assert go(store, tasks, tmp_path, mended).record.failures == ()
    assert len(mended.asked) == len(tasks.tasks) - 4


def test_a_task_that_is_passed_over_is_a_failure(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    class Silent(Copies):
        def render_all(self, asked: Iterable[Asked]) -> Iterator[Delivered]:
            return iter([one for one in super().render_all(asked) if False])

    run = go(store, tasks, tmp_path, Silent())
    assert {failure.reason for failure in run.record.failures} == {"missing: the system said nothing about this task"}


def test_frames_of_another_shape_cost_their_task(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    class Large(Copies):
        def render_all(self, asked: Iterable[Asked]) -> Iterator[Delivered]:
            for one in super().render_all(asked):
                frames = np.zeros((1, 64, 64, 3), np.uint8) if len(self.asked) == 1 else one.frames
                yield Delivered(id=one.id, frames=frames, failures={}, cost=one.cost)

    run = go(store, tasks, tmp_path, Large())
    assert [failure.frames for failure in run.record.failures] == [len(tasks.tasks[0].frames)] * 2
    assert run.record.failures[0].reason.startswith("bad_output: delivered uint8 (1, 64, 64, 3)")


def test_an_interrupted_run_goes_on_where_it_was(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    class PulledPlugError(Exception):
        pass

    def pull(progress: Progress) -> None:
        if progress.done == 5:
            raise PulledPlugError

    with pytest.raises(PulledPlugError):
        go(store, tasks, tmp_path, Copies(), progress=pull)
    system = Copies()
    run = go(store, tasks, tmp_path, system)
    assert len(system.asked) == len(tasks.tasks) - 5
    assert run.scores.equals(go(store, tasks, tmp_path / "other", Copies()).scores)


def test_what_nobody_watched_has_no_cost(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    cost = go(store, tasks, tmp_path, Copies()).record.cost[0]
    assert (cost.adaptation_s, cost.frames_per_s, cost.iterations) == (None, None, None)
    assert cost.tasks == len(tasks.tasks) // 2


MISBEHAVED = f"""
import os, shutil, sys
sys.path.insert(0, {str(REPOSITORY / "examples" / "systems")!r})
from headshot_system import tasks
again = os.path.exists('started')
open('started', 'w').close()
for number, task in enumerate(tasks()):
    for path in task.outputs:
        shutil.copyfile(task.support[0], path)
    if not again and number == 0:
        open(task.outputs[0], 'w').close()
    if not again and number == 1:
        os.replace(task.outputs[1], os.path.join(os.path.dirname(path), '..', '..', 'x'))
        os.abort()
"""


def test_a_program_that_misbehaves_loses_those_frames_and_nobody_else_loses_any(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    (tmp_path / "infer.py").write_text(MISBEHAVED)
    spec = ExternalSpec(command=(sys.executable, "infer.py"), working_dir=tmp_path)
    run = go(store, tasks, tmp_path, ExternalSystem("theirs", spec, tmp_path / "log"), CopySource())
    alone = values(go(store, tasks, tmp_path / "alone", CopySource()), "copy-source")
    assert values(run, "copy-source") == alone
    theirs = values(run, "theirs")
    assert Counter(row[-1] for row in theirs if row[-1] != "ok") == {
        "bad_output: is empty": len(SPECS),
        "crashed: killed by SIGABRT: it said nothing": len(SPECS),
    }
    good = [row for row in theirs if row[-1] == "ok"]
    assert set(good) <= set(alone)
    assert len(good) == len(alone) - 2 * len(SPECS)


@pytest.mark.parametrize("protocol", ["self", "cross"])
def test_no_request_shows_a_frame_that_another_of_its_tasks_is_measured_against(
    protocol: str, store: DrawnStore, tmp_path: Path
) -> None:
    """Two clips of each person: each clip's task draws frames of the other one, whose task shows some of them."""
    tasks = make_tasks(store, [1, 8], size_px=32, protocol=protocol)
    system = Shown()
    rendered = render_at_once(store, [system], tasks, tmp_path, silent)
    assert {str(outcome).split(":")[0] for outcome in rendered.values()} == {"missing"}
    assert sum(map(len, system.requests)) == len(tasks.tasks)
    assert 1 < len(system.requests) <= 8
    by_id = {opaque_id(TaskInputs.load(store, tasks, task)): task for task in tasks.tasks}
    for request in system.requests:
        for one, other in permutations((by_id[name] for name in request), 2):
            shown = {(one.clip, row) for row in one.support}
            shown |= {(frame.clip, frame.row) for frame in one.frames if protocol == "cross"}
            assert not any((query.clip, row) in shown for query in other.real or other.queries for row in query.rows)


@pytest.mark.parametrize(("protocol", "shown"), [("self", False), ("cross", True)])
def test_driving_frames_are_shown_where_they_are_not_the_answer(
    protocol: str, shown: bool, store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    system = Shown()
    tasks = make_tasks(store, [1], size_px=32, query_frames=8, protocol=protocol)
    render_at_once(store, [system], tasks, tmp_path, silent)
    assert set(system.driving) == {shown}


def test_parts_share_the_tasks(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    systems = (Copies(), CopySource())
    parts = [render_part(store, systems, tasks, tmp_path / "run", Part(index=index, count=2)) for index in (1, 2)]
    assert {len(part) for part in parts} == {len(tasks.tasks)}
    assert len(systems[0].asked) == len(tasks.tasks)
    assert values(go(store, tasks, tmp_path, *systems), "copies") == values(
        go(store, tasks, tmp_path, *systems), "copy-source"
    )
    assert len(systems[0].asked) == len(tasks.tasks)
