"""Systems at work in real Dask workers, in parts, and in this process: the same frames and scores."""

import os
import signal
from pathlib import Path

import distributed
import numpy as np
import pytest

from benchmarks.loopback import loopback
from eval.benchmark import benchmark, render_part
from eval.progress import Progress
from eval.rendering import predictions
from eval.runs.results import SCORES_FILE, Run
from eval.specs.image import PSNR, SSIM
from eval.systems.baselines import CopySource, MeanFrame, NearestFrame, StillHead
from eval.systems.builtin import load_system
from eval.systems.protocol import Support, System
from eval.tasks.making import make_tasks
from eval.tasks.task_set import TaskSet
from pipeline.clusters import LocalWorkers, RunningScheduler
from pipeline.parts import Part
from tests.eval.conftest import DrawnStore
from tests.model.conftest import write_tiny
from weights.errors import HeadshotError
from weights.files import sha256_of

SPECS = (SSIM, PSNR)
SYSTEMS = (CopySource(), MeanFrame(), NearestFrame())
Content = dict[tuple[str, str], str]


class Deadly(CopySource):
    """Takes its process along where it is shown certain pictures."""

    name, title = "deadly", "Kills its process"

    def __init__(self, victims: frozenset[int]) -> None:
        self.victims = victims

    def adapt(self, support: Support) -> StillHead:
        if len(support.frames) == 8 and int(support.frames.sum()) in self.victims:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().adapt(support)


class Loads(CopySource):
    """Writes down where and when it loads its networks, which it does when it is first asked."""

    name, title = "loads", "Loads once"

    def __init__(self, log: Path) -> None:
        self._log, self._loaded = log, False

    def adapt(self, support: Support) -> StillHead:
        if not self._loaded:
            with self._log.open("a", encoding="utf-8") as log:
                log.write(f"{os.getpid()}\n")
        self._loaded = True
        return super().adapt(support)


@pytest.fixture
def tasks(store: DrawnStore) -> TaskSet:
    return make_tasks(store, [1, 8], size_px=32)


def pictures(run_dir: Path, systems: tuple[System, ...], tasks: TaskSet) -> Content:
    """Return the hash of every prediction's stored images."""
    return {
        (system.name, task.id): predictions.images_sha256(run_dir, system.name, task)
        for system in systems
        for task in tasks.tasks
    }


def rendered(run_dir: Path) -> set[str]:
    return {path.relative_to(run_dir).as_posix() for path in run_dir.rglob("predictions/*/[!.]*.parquet")}


def test_parts_share_the_work_evenly_and_a_run_without_part_finds_all_of_it(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    whole = benchmark(store, SYSTEMS, tasks, tmp_path / "whole", specs=SPECS)
    run_dir = tmp_path / "run"
    outcomes = [render_part(store, SYSTEMS, tasks, run_dir, Part(index=index, count=3)) for index in (2, 3, 1)]
    assert sorted(key for part in outcomes for key in part) == sorted(pictures(run_dir, SYSTEMS, tasks))
    shots = {task.id: task.shots for task in tasks.tasks}
    for part in outcomes:  # six tasks for each system and number of shots: two for each of three parts
        kinds = [(system, shots[task]) for system, task in part]
        assert {kinds.count(kind) for kind in kinds} == {2}
    with pytest.raises(HeadshotError, match=r"run\.json"):
        Run.open(run_dir)
    before = {path: sha256_of(run_dir / path) for path in rendered(run_dir)}
    run = benchmark(store, SYSTEMS, tasks, run_dir, specs=SPECS)
    assert {path: sha256_of(run_dir / path) for path in rendered(run_dir)} == before
    assert run.record.score_key == whole.record.score_key
    assert sha256_of(run_dir / SCORES_FILE) == sha256_of(tmp_path / "whole" / SCORES_FILE)


def test_a_part_renders_the_same_tasks_whatever_is_there(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    part = Part(index=1, count=2)
    fresh = render_part(store, SYSTEMS, tasks, tmp_path / "fresh", part)
    benchmark(store, SYSTEMS[:1], tasks, tmp_path / "begun", specs=SPECS)
    assert list(render_part(store, SYSTEMS, tasks, tmp_path / "begun", part)) == list(fresh)


def test_a_run_with_nothing_to_render_needs_no_workers(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    first = benchmark(store, SYSTEMS, tasks, tmp_path / "run", specs=SPECS)
    nowhere = RunningScheduler(address="tcp://127.0.0.1:1")
    assert benchmark(store, SYSTEMS, tasks, tmp_path / "run", specs=SPECS, cluster=nowhere).record == first.record


def test_a_system_that_cannot_be_sent_is_named(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    class Open(CopySource):
        def __init__(self) -> None:
            self.file = (tmp_path / "log").open("w")

    with pytest.raises(HeadshotError, match="the system copy-source cannot be sent to other processes"):
        benchmark(store, [Open()], tasks, tmp_path / "run", specs=SPECS, cluster=LocalWorkers(workers=2))


@pytest.mark.slow
def test_frames_and_scores_are_the_same_from_one_process_and_from_workers_untrained(
    store: DrawnStore, tmp_path: Path
) -> None:
    """The reference model is fine-tuned, which would amplify the least difference."""
    checkpoint = write_tiny(tmp_path / "checkpoint")
    tasks = make_tasks(store, [1, 8], size_px=64, query_frames=8)
    names = ("copy-source", "reference-ff", "reference-ft")
    systems = tuple(load_system(name, checkpoint=checkpoint, device="cpu") for name in names)
    here = benchmark(store, systems, tasks, tmp_path / "here", specs=SPECS, threads=1)
    told: list[Progress] = []
    there = benchmark(
        store,
        tuple(load_system(name, checkpoint=checkpoint, device="cpu") for name in names),
        tasks,
        tmp_path / "there",
        specs=SPECS,
        cluster=LocalWorkers(workers=2),
        progress=told.append,
    )
    assert pictures(tmp_path / "there", systems, tasks) == pictures(tmp_path / "here", systems, tasks)
    assert there.record.score_key == here.record.score_key
    assert sha256_of(tmp_path / "there" / SCORES_FILE) == sha256_of(tmp_path / "here" / SCORES_FILE)
    assert here.record.failures == ()
    rendering = [one.done for one in told if one.stage == "render"]
    assert rendering == list(range(len(names) * len(tasks.tasks) + 1))
    costs = {(cost.system, cost.shots): cost for cost in there.record.cost}
    assert costs["reference-ft", 8].parameters == systems[1].parameters > 10_000
    assert all("torch on 1 thread" in machine for machine in costs["reference-ft", 8].machines)


@pytest.mark.slow
def test_a_system_loads_once_in_each_worker(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    log = tmp_path / "log"
    system = Loads(log)
    run = benchmark(store, [system], tasks, tmp_path / "run", specs=SPECS, cluster=LocalWorkers(workers=2))
    processes = log.read_text().split()
    assert run.record.failures == ()
    assert 1 <= len(processes) == len(set(processes)) <= 2
    assert str(os.getpid()) not in processes


@pytest.mark.slow
def test_a_system_that_kills_its_process_loses_those_tasks_and_nobody_else_any(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    dying = [task for task in tasks.tasks if task.shots == 8][1:4:2]
    victims = frozenset(int(store.frames(store.clip(task.clip), task.support, 32).sum()) for task in dying)
    systems = (MeanFrame(), Deadly(victims))
    run = benchmark(store, systems, tasks, tmp_path / "run", specs=SPECS, cluster=LocalWorkers(workers=2))
    assert {(one.system, one.task) for one in run.record.undelivered} == {("deadly", task.id) for task in dying}
    assert {one.reason for one in run.record.undelivered} == {"system_error: the worker process died"}


@pytest.mark.slow
def test_a_scheduler_that_runs_elsewhere_does_the_work(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    here = benchmark(store, SYSTEMS, tasks, tmp_path / "here", specs=SPECS)
    with loopback(1, tmp_path, options=("--nthreads", "4")) as scheduler:
        cluster = RunningScheduler(address=scheduler.address)
        there = benchmark(store, SYSTEMS, tasks, tmp_path / "there", specs=SPECS, cluster=cluster)
    assert there.record.score_key == here.record.score_key
    assert np.array_equal(there.scores["value"], here.scores["value"], equal_nan=True)


@pytest.mark.slow
def test_a_system_on_cuda_gets_the_workers_with_a_gpu_and_only_those(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    class OnCuda(Loads):
        name = "on-cuda"
        config = {"version": 1, "device": "cuda"}  # noqa: RUF012

    class OnCpu(Loads):
        name = "on-cpu"

    systems = (OnCuda(tmp_path / "cuda.log"), OnCpu(tmp_path / "cpu.log"))
    with loopback(1, tmp_path) as scheduler:
        scheduler.add_worker("--resources", "GPU=1")
        cluster = RunningScheduler(address=scheduler.address)
        with distributed.Client(scheduler.address) as client:
            client.wait_for_workers(2)
            found = client.scheduler_info()["workers"]
            (with_gpu,) = (address for address, worker in found.items() if worker["resources"])
            pid = client.run(os.getpid, workers=[with_gpu])[with_gpu]
        run = benchmark(store, systems, tasks, tmp_path / "run", specs=SPECS, cluster=cluster)
    assert run.record.failures == ()
    assert (tmp_path / "cuda.log").read_text().split() == [str(pid)]
    assert 1 <= len((tmp_path / "cpu.log").read_text().split()) <= 2
