"""Shard jobs as Dask tasks."""

import logging
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dask
import distributed
from distributed.scheduler import KilledWorker

from pipeline.engine import ShardOutcome
from pipeline.follow import FrameCount
from pipeline.jobs import ShardJob
from pipeline.lengths import measured_length
from pipeline.shards import build_shard

TASKS_PER_WORKER = 2
"""Few tasks wait beyond the running ones, so that a dying worker takes no queue with it."""


class OnDask:
    """One task per shard; what a task returns is a number, its result is on disk."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._run_id = uuid.uuid4().hex
        """Keeps tasks and messages of several runs on one cluster apart."""

    def measure(self, jobs: Sequence[ShardJob]) -> list[float] | None:
        """Return how many frames each job will be; on the workers, because a bad file may kill who opens it."""
        futures = self._client.map(measured_length, jobs, pure=False, retries=0)
        try:
            lengths: list[float] = self._client.gather(futures)
        except KilledWorker:
            return None
        return lengths

    def run(self, jobs: Sequence[ShardJob], on_frames: FrameCount) -> Iterator[ShardOutcome]:
        """Make the shards, a bounded number of tasks at a time."""
        self._client.subscribe_topic(self._run_id, lambda event: on_frames(event[1]))
        window = max(1, sum(self._client.ncores().values())) * TASKS_PER_WORKER
        waiting = list(reversed(jobs[window:]))
        job_of = {self._submit(job): job for job in jobs[:window]}
        completed = distributed.as_completed(list(job_of))  # type: ignore[no-untyped-call]
        for future in completed:
            yield ShardOutcome(job=job_of.pop(future), error=_error_of(future))
            future.release()
            if waiting:
                job = waiting.pop()
                successor = self._submit(job)
                job_of[successor] = job
                completed.add(successor)  # type: ignore[no-untyped-call]

    def _submit(self, job: ShardJob) -> Any:
        # Not pure: a shard asked for again is made again, whatever the cluster remembers.
        return self._client.submit(
            build_in_task, job, self._run_id, key=f"{job.plan.name}-{self._run_id}", pure=False, retries=1
        )


def build_in_task(job: ShardJob, topic: str) -> int:
    """Make a shard inside a Dask worker and return its number of rows."""
    worker = distributed.get_worker()
    return build_shard(job, lambda frames: worker.log_event(topic, frames)).rows


def _error_of(future: Any) -> str | None:
    if future.status == "finished":
        return None
    error = future.exception()
    if isinstance(error, KilledWorker):
        return "the worker process died"
    return f"{type(error).__name__}: {error}"


@contextmanager
def dask_client(workers: int | None, jobs: int) -> Iterator[Any]:
    """Yield a client of the cluster that `DASK_SCHEDULER_ADDRESS` names, else of one on this machine."""
    if os.environ.get("DASK_SCHEDULER_ADDRESS"):
        with distributed.Client() as client:  # type: ignore[no-untyped-call]
            yield client
        return
    count = max(1, min(workers or os.cpu_count() or 1, jobs))
    with (
        # One retry after a death: then the clips are tried singly instead.
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        distributed.LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            silence_logs=logging.ERROR,
        ) as cluster,
        distributed.Client(cluster) as client,  # type: ignore[no-untyped-call]
    ):
        yield client
