"""Where Dask workers come from: this machine, a scheduler that runs already, or a batch system."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import yaml
from pydantic import ValidationError

from manifests.schema import Record
from weights.errors import HeadshotError

GPU = "GPU"
"""What a worker that has a GPU is started with: `dask worker --resources GPU=1`."""

WORKER_ENVIRONMENT = {"MALLOC_TRIM_THRESHOLD_": str(64 << 20), "MALLOC_MMAP_THRESHOLD_": str(32 << 20)}
"""What a process of its own would come to by itself (glibc's upper limits): freed memory is kept for the next frame.

Dask starts workers so that they give it back at once, which suits large arrays. Here every frame would be zeroed by the
kernel again: a third of the time at 1080p.
"""

LOCAL_SETTINGS = {
    **{f"distributed.nanny.pre-spawn-environ.{name}": value for name, value in WORKER_ENVIRONMENT.items()},
    # One retry after a death: then the clips are tried singly instead.
    "distributed.scheduler.allowed-failures": 1,
    # On one machine a dead worker is known by its closed connection. A silent one is in a long call, not dead.
    "distributed.scheduler.worker-ttl": None,
    # Tasks return a number: there is nothing to spill, and a worker that is paused would never go on.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
}


class Cluster(Protocol):
    """A place to work at."""

    def start(self, tasks: int) -> AbstractContextManager[Any]:
        """Start workers for that many tasks and return what `distributed.Client` connects to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalWorkers:
    """Processes with one thread each on this machine."""

    workers: int | None
    """None for one per core that this process may use."""

    @contextmanager
    def start(self, tasks: int) -> Iterator[Any]:
        """Start the processes, no more than there are tasks; they end with the block."""
        import dask.system
        import distributed

        count = max(1, min(self.workers or dask.system.CPU_COUNT, tasks))
        with (
            dask.config.set(LOCAL_SETTINGS),
            distributed.LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                memory_limit=None,  # each clip has a bound of its own
                dashboard_address="127.0.0.1:0",  # any free port, and for this machine alone
                silence_logs="ERROR",
            ) as cluster,
        ):
            yield cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningScheduler:
    """A scheduler that somebody else started."""

    address: str

    @contextmanager
    def start(self, _: int) -> Iterator[str]:
        """Start nothing."""
        yield self.address


def scheduler_of_environment() -> RunningScheduler | None:
    """Return the scheduler that `DASK_SCHEDULER_ADDRESS` names."""
    address = os.environ.get("DASK_SCHEDULER_ADDRESS")
    return RunningScheduler(address=address) if address else None


def default_cluster(workers: int | None) -> Cluster:
    """Return the cluster whose scheduler `DASK_SCHEDULER_ADDRESS` names, else this machine."""
    return scheduler_of_environment() or LocalWorkers(workers=workers)


Config = TypeVar("Config", bound=Record)


def read_cluster_config(path: Path, kind: type[Config]) -> Config:
    """Return the settings of a batch system from a YAML file.

    Raises:
        HeadshotError: The file is absent or broken, or a setting is; the message names it.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise HeadshotError(f"{path} cannot be read ({error.strerror}); see docs/cluster.md for an example") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise HeadshotError(f"{path} is not valid YAML: {error}; correct it there") from error
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'file'}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors()
        )
        raise HeadshotError(f"{path}: {problems}. Settings are explained in docs/cluster.md") from error
