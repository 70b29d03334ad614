"""Where shard jobs run: in this process, or one Dask task each on this machine's cores or on a cluster."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pipeline.follow import FrameCount
from pipeline.jobs import ShardJob
from pipeline.lengths import measured_length
from pipeline.shards import build_shard


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardOutcome:
    """What comes back from a job; the result itself is on disk."""

    job: ShardJob
    error: str | None
    """Why there is no shard: the worker died, or a fault outside the clips. No verdict on any clip."""


@runtime_checkable
class Engine(Protocol):
    """Something that makes shards."""

    def measure(self, jobs: Sequence[ShardJob]) -> list[float] | None:
        """Return how many frames each job will be, None if that cannot be found out."""

    def run(self, jobs: Sequence[ShardJob], on_frames: FrameCount) -> Iterator[ShardOutcome]:
        """Make the shards and yield outcomes as they come; the longest job first gives the best balance."""


@contextmanager
def open_engine(workers: int | None, jobs: int) -> Iterator[Engine]:
    """Yield the engine for a run.

    Args:
        workers: 0 for this process. Else a Dask cluster: the one whose scheduler `DASK_SCHEDULER_ADDRESS` names, or
            that many processes with one thread each on this machine; None for one per core.
        jobs: Jobs there will be; no more processes than that are started.
    """
    if workers == 0:
        yield InProcess()
        return
    from pipeline.dask_engine import OnDask, dask_client  # a second to import, and a run with nothing to do needs none

    with dask_client(workers, jobs) as client:
        yield OnDask(client)


class InProcess:
    """One shard after the other, here."""

    def measure(self, jobs: Sequence[ShardJob]) -> list[float]:
        """Return how many frames each job will be."""
        return [measured_length(job) for job in jobs]

    def run(self, jobs: Sequence[ShardJob], on_frames: FrameCount) -> Iterator[ShardOutcome]:
        """Make the shards."""
        for job in jobs:
            build_shard(job, on_frames)
            yield ShardOutcome(job=job, error=None)
