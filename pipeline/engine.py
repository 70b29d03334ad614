"""Run shard jobs: in this process, or one Dask task each on processes of this machine or of a cluster."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from distributed import Client, LocalCluster, as_completed, get_worker
from distributed.scheduler import KilledWorker

from pipeline.clip_work import FrameCount
from pipeline.faces import load_backend
from pipeline.shards import ShardJob, build_shard

TASKS_PER_WORKER = 2
"""Tasks handed out beyond the running ones are few, so that a dying worker takes no queue with it."""
TOPIC = "headshot-frames"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardOutcome:
    """What comes back from a job; the result itself is on disk."""

    job: ShardJob
    error: str | None
    """Why there is no shard: the worker died, or a fault outside the clips."""





def run_here(jobs: Sequence[ShardJob], on_frames: FrameCount) -> Iterator[ShardOutcome]:
    """Make the shards one after the other in this process."""
    for job in jobs:
        build_shard(job, on_frames)
        yield ShardOutcome(job=job, error=None)


def run_on_dask(jobs: Sequence[ShardJob], workers: int | None, on_frames: FrameCount) -> Iterator[ShardOutcome]:
    """Make each shard as one Dask task, and yield the outcomes as they come.

    Uses the scheduler that `DASK_SCHEDULER_ADDRESS` names, else starts `workers` processes of one thread each.

    Args:
        jobs: The longest first gives the best balance.
        workers: Processes on this machine; None for one per core.
        on_frames: Told about progress within the tasks.
    """
    with _client(workers, len(jobs)) as client:
        client.subscribe_topic(TOPIC, lambda event: on_frames(event[1]))
        slots = max(1, sum(client.ncores().values())) * TASKS_PER_WORKER
        waiting = list(reversed(jobs))
        running = {_submit(client, waiting.pop()): jobs[i] for i in range(min(slots, len(jobs)))}
        done = as_completed(running)
        for future in done:
            job = running.pop(future)
            yield ShardOutcome(job=job, error=_error_of(future))
            future.release()
            if waiting:
                job = waiting.pop()
                future = _submit(client, job)
                running[future] = job
                done.add(future)


def build_shard_in_task(job: ShardJob) -> int:
    """Make a shard inside a Dask worker; return its number of rows."""
    worker = get_worker()
    record = build_shard(job, lambda frames: worker.log_event(TOPIC, frames))
    return record.rows


def _submit(client: Client, job: ShardJob):  # type: ignore[no-untyped-def]
    # Not pure: a shard that is asked for again is made again, whatever an earlier run remembers.
    return client.submit(build_shard_in_task, job, key=f"shard-{job.plan.name}", pure=False, retries=1)


def _error_of(future) -> str | None:  # type: ignore[no-untyped-def]
    if future.status == "finished":
        return None
    error = future.exception()
    if isinstance(error, KilledWorker):
        return "the worker process died"
    return f"{type(error).__name__}: {error}"


@contextmanager
def _client(workers: int | None, tasks: int) -> Iterator[Client]:
    if os.environ.get("DASK_SCHEDULER_ADDRESS"):
        with Client() as client:
            yield client
        return
    count = max(1, min(workers or os.cpu_count() or 1, tasks))
    with (
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            silence_logs=logging.ERROR,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def warm_up(backend: str) -> None:
    """Fetch the weights and load the networks once, so that a missing weight is an error before any work starts."""
    load_backend(backend)
