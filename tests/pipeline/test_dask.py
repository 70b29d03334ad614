"""Dask as it is used: real schedulers, real workers, and what they are told."""

import ctypes
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import distributed
import pytest

from benchmarks.loopback import loopback
from manifests.schema import Manifest
from pipeline import dask_engine, dask_worker
from pipeline.clusters import LocalWorkers, RunningScheduler
from pipeline.config import PipelineConfig
from pipeline.dask_engine import OnDask, dask_client
from pipeline.dask_worker import build_in_task
from pipeline.jobs import ShardJob
from pipeline.layout import DatasetLayout
from pipeline.plan import make_plan
from pipeline.preprocess import preprocess
from pipeline.progress import Progress
from pipeline.slurm import SlurmConfig
from tests.pipeline.conftest import clip_of, manifest_of
from tests.pipeline.test_engines import shard_hashes
from weights.errors import HeadshotError

pytestmark = pytest.mark.slow

CONFIG = PipelineConfig(size_px=64, min_frames=10, min_shards=4, recognise=False)


@pytest.fixture(scope="module")
def people(samples: dict[str, Path]) -> Manifest:
    """Four short clips of one real person, each in a shard of its own."""
    video = samples["carphone-man"]
    return manifest_of(*(clip_of(video, identity=f"man-{n}", start_s=n * 0.5, end_s=n * 0.5 + 1) for n in range(4)))


@pytest.fixture(scope="module")
def calm(people: Manifest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The hashes of their shards."""
    out = tmp_path_factory.mktemp("calm") / "data"
    preprocess(people, out.parent, out, CONFIG, workers=0)
    return shard_hashes(out)


def test_a_worker_without_weights_ends_the_run_before_it_begins(
    people: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = {"HEADSHOT_CACHE": str(tmp_path / "empty"), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    with loopback(1, tmp_path, env=without) as cluster:
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", cluster.address)
        with pytest.raises(HeadshotError, match=r"Dask worker tcp://\S+ on \S+ cannot work: .*blazeface"):
            preprocess(people, tmp_path, tmp_path / "data", CONFIG)
    assert not list((tmp_path / "data").glob("data/*"))


def test_a_worker_that_joins_late_does_the_work(
    people: Manifest, calm: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It also has more threads than it should: they take turns, and the bytes are the same."""
    said: list[str] = []
    with loopback(0, tmp_path, options=("--nthreads", "4")) as cluster:
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", cluster.address)

        def announce(text: str) -> None:
            said.append(text)
            if "waiting" in text:
                cluster.add_worker()

        preprocess(people, tmp_path, tmp_path / "data", CONFIG, announce=announce)
    assert said[-1] == "waiting for the first Dask worker"
    assert shard_hashes(tmp_path / "data") == calm


def test_a_scheduler_that_dies_ends_the_run_with_one_error_and_what_is_done_is_kept(
    people: Manifest, calm: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loopback(1, tmp_path) as cluster:
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", cluster.address)

        def kill_scheduler(progress: Progress) -> None:
            if progress.shards:
                for pid in cluster.pids("scheduler"):
                    os.kill(pid, signal.SIGKILL)

        with pytest.raises(HeadshotError, match=f"scheduler at {cluster.address} is gone; what is done is kept"):
            preprocess(people, tmp_path, tmp_path / "data", CONFIG, progress=kill_scheduler)
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS")
    assert preprocess(people, tmp_path, tmp_path / "data", CONFIG, workers=0).shards_reused >= 1
    assert shard_hashes(tmp_path / "data") == calm


def test_a_scheduler_that_is_not_there_is_one_error(people: Manifest, tmp_path: Path) -> None:
    nowhere = RunningScheduler(address="tcp://127.0.0.1:1")
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(HeadshotError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1"),
    ):
        preprocess(people, tmp_path, tmp_path / "data", CONFIG, cluster=nowhere)


def hold_the_interpreter(seconds: int) -> int:
    """Do what a native call does that does not let go of the interpreter: no heartbeat is sent meanwhile."""
    ctypes.PyDLL(None).sleep(seconds)
    return os.getpid()


def threads() -> dict[str, Any]:
    """Return what the libraries in this process would use."""
    import cv2
    import torch

    return {"cv2": cv2.getNumThreads(), "torch": torch.get_num_threads(), "OMP": os.environ["OMP_NUM_THREADS"]}


def test_a_long_call_is_not_taken_for_a_death_and_libraries_are_set_for_frames_one_by_one() -> None:
    """Dask would give a worker up that is silent for ten of its heartbeats, which is five seconds for one worker."""
    impatient = {"distributed.scheduler.worker-ttl": "1s"}
    with (
        dask.config.set(impatient),
        LocalWorkers(workers=1).start(1) as cluster,
        dask_client(cluster, lambda _: None) as client,
    ):
        OnDask(client, CONFIG)
        (pid,) = client.run(os.getpid).values()
        assert client.submit(hold_the_interpreter, 9).result() == pid
        assert list(client.run(os.getpid).values()) == [pid]
        assert list(client.run(threads).values()) == [{"cv2": 1, "torch": 1, "OMP": "1"}]
        assert list(client.run(os.environ.get, "MALLOC_TRIM_THRESHOLD_").values()) == ["67108864"]


def test_a_shard_that_nobody_waits_for_any_more_is_given_up(samples: dict[str, Path], tmp_path: Path) -> None:
    """So the workers of a killed client are free for the next one."""
    config = PipelineConfig(size_px=64, min_shards=1, recognise=False)
    long = manifest_of(*(clip_of(samples["carphone-man"], identity=f"man-{number}") for number in range(40)))
    (plan,) = make_plan(long, config).shards
    layout = DatasetLayout(tmp_path)
    job = ShardJob(plan=plan, config=config, clip_folder=tmp_path, root=tmp_path, condemned={})
    with LocalWorkers(workers=1).start(1) as cluster, dask_client(cluster, lambda _: None) as client:
        future = client.submit(build_in_task, job, "topic")
        wait_until(lambda: any(layout.stale_files()))
        future.release()
        wait_until(lambda: not any(layout.stale_files()))
    assert not list(layout.files_of_shards())


def wait_until(holds: Any) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


SBATCH = """#!/usr/bin/env bash
cp "$1" "{folder}/submitted-$$.sh"
setsid bash "{folder}/submitted-$$.sh" >"{folder}/job-$$.log" 2>&1 &
echo "Submitted batch job $!"
"""
SCANCEL = """#!/usr/bin/env bash
kill -- "-$1"
"""


def test_slurm_jobs_do_the_work(
    people: Manifest, calm: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sbatch` runs the very script on this machine, and `scancel` ends it."""
    pytest.importorskip("dask_jobqueue", reason="pip install 'headshot[slurm]'")
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (tmp_path / name).write_text(text.format(folder=tmp_path))
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    slurm = SlurmConfig(jobs=2, cores=1, memory="2GB", walltime="00:30:00", env={"GREETING": "hello world"})
    preprocess(people, tmp_path, tmp_path / "data", CONFIG, cluster=slurm)
    assert shard_hashes(tmp_path / "data") == calm
    scripts = [path.read_text() for path in tmp_path.glob("submitted-*.sh")]
    assert len(scripts) >= 2
    assert all("export GREETING='hello world'" in script for script in scripts)


WORKED: list[dict[str, float]] = []
"""Resources of the workers that did something."""


def note_resources(job: ShardJob, topic: str) -> int:
    """Stand in for the work on a shard."""
    WORKED.append(dict(distributed.get_worker().state.total_resources))
    return 0


@pytest.fixture
def two_kinds_of_workers() -> Iterator[Any]:
    """A cluster inside this process: one worker says it has a GPU."""
    kinds = ({"resources": {"GPU": 1}}, {})
    workers = {n: {"cls": distributed.Worker, "options": {"nthreads": 1, **kind}} for n, kind in enumerate(kinds)}
    scheduler = {"cls": distributed.Scheduler, "options": {"dashboard_address": "127.0.0.1:0", "host": "127.0.0.1"}}
    with distributed.SpecCluster(workers, scheduler) as cluster:  # type: ignore[no-untyped-call]
        yield cluster


@pytest.mark.parametrize(("backend", "kinds"), [("fan", [{"GPU": 1.0}]), ("mesh468", [{"GPU": 1.0}, {}])])
def test_fan_runs_where_the_gpus_are_and_other_backends_everywhere(
    people: Manifest,
    tmp_path: Path,
    two_kinds_of_workers: Any,
    backend: str,
    kinds: list[dict[str, float]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    WORKED.clear()
    monkeypatch.setattr(dask_worker, "warm_up", lambda _: None)
    monkeypatch.setattr(dask_engine, "build_in_task", note_resources)
    jobs = [
        ShardJob(plan=plan, config=CONFIG, clip_folder=tmp_path, root=tmp_path, condemned={})
        for plan in make_plan(people, CONFIG).shards
    ]
    with dask_client(two_kinds_of_workers, lambda _: None) as client:
        outcomes = list(OnDask(client, CONFIG.model_copy(update={"backend": backend})).run(jobs, lambda _: None))
    assert [outcome.error for outcome in outcomes] == [None] * 4
    assert [kind for kind in ({"GPU": 1.0}, {}) if kind in WORKED] == kinds


def test_without_bokeh_there_is_no_dashboard_and_no_word_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(dask_engine, "find_spec", lambda _: None)
    with LocalWorkers(workers=1).start(1) as cluster, dask_client(cluster, said.append):
        pass
    assert said == []


def test_with_bokeh_the_address_of_the_dashboard_is_announced() -> None:
    pytest.importorskip("bokeh", reason="pip install 'headshot[dashboard]'")
    from urllib.request import urlopen

    said: list[str] = []
    with LocalWorkers(workers=1).start(1) as cluster, dask_client(cluster, said.append):
        (address,) = said
        assert address.startswith("dashboard: http://127.0.0.1:")
        with urlopen(address.removeprefix("dashboard: ")) as page:
            assert page.status == 200
