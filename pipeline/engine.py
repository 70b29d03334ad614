"""Where shard jobs run: in this process, or one Dask task each on this machine's cores or on a cluster."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pipeline.clusters import Cluster
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
def open_engine(cluster: Cluster | None, jobs: Sequence[ShardJob], announce: Callable[[str], None]) -> Iterator[Engine]:
    """Yield the engine for a run.

    Args:
        cluster: Where Dask workers come from; None for this process.
        jobs: What there is to do.
        announce: Told where the run can be watched.

    Raises:
        HeadshotError: The cluster cannot be had, or a worker cannot do the work.
    """
    if cluster is None:
        yield InProcess()
        return
    from pipeline.dask_engine import OnDask, dask_client  # a second to import, and a run with nothing to do needs none

    with cluster.start(len(jobs)) as started, dask_client(started, announce) as client:
        yield OnDask(client, jobs[0].config)


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
