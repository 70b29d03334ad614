"""Shard jobs as Dask tasks."""

import logging
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, TypeVar

import distributed
from distributed.scheduler import KilledWorker

from pipeline.clusters import GPU
from pipeline.config import PipelineConfig
from pipeline.dask_worker import WarmUp, build_in_task, measure_in_task
from pipeline.engine import ShardOutcome
from pipeline.follow import FrameCount
from pipeline.jobs import ShardJob
from weights.errors import HeadshotError

Job = TypeVar("Job")
TASKS_PER_WORKER = 2
"""Few tasks wait beyond the running ones, so that a dying worker takes no queue with it."""
WORKER_DIED = "the worker process died"
LOOK_AGAIN_S = 5.0
"""Time between two looks at how many workers there are, where no task ends meanwhile."""


class OnDask:
    """One task per shard; what a task returns is a number, its result is on disk."""

    def __init__(self, client: Any, config: PipelineConfig) -> None:
        """Warm up the workers, those that join later too.

        Args:
            client: Of a cluster with at least one worker.
            config: Of the run.

        Raises:
            HeadshotError: A worker cannot do the work.
        """
        self._client = client
        self._run_id = uuid.uuid4().hex
        """Keeps tasks and messages of several runs on one cluster apart."""
        client.register_plugin(WarmUp(config))
        self._resources = {GPU: 1} if config.backend == "fan" and has_gpus(client) else None

    def measure(self, jobs: Sequence[ShardJob]) -> list[float] | None:
        """Return how many frames each job will be; on the workers, because a bad file may kill who opens it."""
        with scheduler_may_be_lost(self._client):
            futures = self._client.map(measure_in_task, jobs, pure=False, retries=0)
            try:
                lengths: list[float] = self._client.gather(futures)
            except KilledWorker:
                return None
            return lengths

    def run(self, jobs: Sequence[ShardJob], on_frames: FrameCount) -> Iterator[ShardOutcome]:
        """Make the shards, a bounded number of tasks at a time; workers that join get some too.

        Raises:
            HeadshotError: The scheduler is lost, or a worker cannot work for a reason that a person can mend.
        """
        self._client.subscribe_topic(self._run_id, lambda event: on_frames(event[1]))
        for job, _, error in as_finished(self._client, jobs, self._submit):
            yield ShardOutcome(job=job, error=error)

    def _submit(self, job: ShardJob) -> Any:
        # Not pure: a shard asked for again is made again, whatever the cluster remembers.
        return self._client.submit(
            build_in_task,
            job,
            self._run_id,
            key=f"{job.plan.name}-{self._run_id}",
            pure=False,
            retries=1,
            resources=self._resources,
        )


def as_finished(
    client: Any, jobs: Sequence[Job], submit: Callable[[Job], Any]
) -> Iterator[tuple[Job, Any, str | None]]:
    """Yield each job with its result and no error, or with None and why there is no result, in the order they end.

    Args:
        client: Of the cluster.
        jobs: What there is to do; a bounded number is submitted at a time, so workers that join get some too.
        submit: Returns the future of a job.

    Raises:
        HeadshotError: The scheduler is lost, or a worker cannot work for a reason that a person can mend.
    """
    waiting = deque(jobs)
    job_of: dict[Any, Job] = {}
    with scheduler_may_be_lost(client):
        while waiting or job_of:
            window = max(1, len(client.ncores())) * TASKS_PER_WORKER
            while waiting and len(job_of) < window:
                job = waiting.popleft()
                job_of[submit(job)] = job
            for future in _finished(list(job_of)):
                yield job_of.pop(future), *_result_of(future)
                future.release()


def _finished(futures: list[Any]) -> Sequence[Any]:
    """Return those that are finished, after waiting for the first one for a while."""
    try:
        return list(distributed.wait(futures, timeout=LOOK_AGAIN_S, return_when="FIRST_COMPLETED").done)  # type: ignore[no-untyped-call]
    except TimeoutError:
        return []


def _result_of(future: Any) -> tuple[Any, str | None]:
    """Return the result of a future that has ended, or why it has none."""
    if future.status == "finished":
        try:
            return future.result(), None
        except KilledWorker:  # the result was lost with its worker, and whoever made it again died, too
            return None, WORKER_DIED
    error = future.exception()
    if isinstance(error, HeadshotError):
        raise error
    if isinstance(error, KilledWorker):
        return None, WORKER_DIED
    return None, f"{type(error).__name__}: {error}"


def has_gpus(client: Any) -> bool:
    """Return whether there are workers that were started with a GPU."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return any(GPU in worker["resources"] for worker in workers)


@contextmanager
def scheduler_may_be_lost(client: Any) -> Iterator[None]:
    """Turn what happens when the scheduler dies into one error.

    Raises:
        HeadshotError: It did.
    """
    try:
        yield
    except (distributed.CancelledError, OSError) as error:
        # The client would log at length how it fails to reconnect while it is being closed.
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        raise HeadshotError(
            f"the Dask scheduler at {client.scheduler.address} is gone; what is done is kept: start it again and run "
            "the same command"
        ) from error


@contextmanager
def dask_client(cluster: Any, announce: Callable[[str], None]) -> Iterator[Any]:
    """Yield a client once there is a worker, and say where the run can be watched.

    Args:
        cluster: A Dask cluster, or the address of a scheduler.
        announce: Told the address of the dashboard.

    Raises:
        HeadshotError: No scheduler answers.
    """
    try:
        client = distributed.Client(cluster)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise HeadshotError(
            f"no Dask scheduler answers at {cluster}: {error}; start it, or correct DASK_SCHEDULER_ADDRESS"
        ) from error
    with client:
        link = _dashboard(client)
        if link:
            announce(f"dashboard: {link}")
        if not client.ncores():  # type: ignore[no-untyped-call]
            announce("waiting for the first Dask worker")
            client.wait_for_workers(1)
        yield client


def _dashboard(client: Any) -> str | None:
    """Return where the dashboard is, None if there is none."""
    if client.cluster is not None and find_spec("bokeh") is None:  # what would draw it, in this process
        return None
    if "dashboard" not in client.scheduler_info(n_workers=0)["services"]:
        return None
    return str(client.dashboard_link)
