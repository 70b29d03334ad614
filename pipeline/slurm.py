"""Dask workers as SLURM jobs, through dask-jobqueue."""

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from manifests.schema import Record
from pipeline.clusters import GPU, WORKER_ENVIRONMENT
from weights.errors import HeadshotError

Positive = Annotated[int, Field(gt=0)]
WALLTIME = re.compile(r"(?:(\d+)-)?(\d{1,2}):(\d{2}):(\d{2})")
MARGIN_S = 300
"""A worker hands its work back that long before SLURM would kill it, and is not taken for one that a clip killed."""


class SlurmConfig(Record):
    """What a SLURM job asks for. Each job runs `cores` workers with one thread each, or one worker with a GPU."""

    schema_version: Literal[1] = 1
    jobs: Positive
    """SLURM jobs that are kept going until the run ends."""
    cores: Positive
    """Cores of a job."""
    memory: str
    """Memory of a job, such as `32GB`."""
    walltime: str
    """Time limit of a job, as `HH:MM:SS` or `D-HH:MM:SS`; when it ends, another job takes its place."""
    partition: str | None = None
    account: str | None = None
    gpu: bool = False
    """Ask for one GPU a job."""
    python: str | None = None
    """Python on the nodes that has headshot installed; this one where absent."""
    env: Annotated[dict[str, str], Field(default_factory=dict)]
    """Environment variables of the workers."""
    setup: tuple[str, ...] = ()
    """Shell commands before the workers start, such as `module load cuda`."""
    job_extra: tuple[str, ...] = ()
    """Further #SBATCH options, such as `--constraint=avx2`."""
    interface: str | None = None
    """Network interface by which nodes and this machine reach each other, such as `ib0`."""
    local_directory: str | None = None
    """Where workers put temporary files, such as `$TMPDIR`."""
    log_directory: str | None = None
    """Where the output of the jobs goes."""

    @field_validator("walltime", mode="before")
    @classmethod
    def _is_a_time(cls, walltime: object) -> object:
        # YAML takes 12:00:00 without quotes for the number 43200.
        if not isinstance(walltime, str) or not WALLTIME.fullmatch(walltime):
            raise ValueError(f"{walltime!r} is no time limit; write HH:MM:SS or D-HH:MM:SS, in quotes")
        return walltime

    @property
    def workers_per_job(self) -> int:
        """Worker processes of one job."""
        return 1 if self.gpu else self.cores

    @property
    def walltime_s(self) -> int:
        """Time limit of a job in seconds."""
        found = WALLTIME.fullmatch(self.walltime)
        assert found is not None  # validated
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds

    @contextmanager
    def start(self, tasks: int) -> Iterator[Any]:
        """Yield a cluster that submits jobs, no more than are needed for that many tasks.

        Raises:
            HeadshotError: dask-jobqueue is not installed, or SLURM's commands are not there.
        """
        jobs = min(self.jobs, -(-tasks // self.workers_per_job))
        with slurm_cluster(self) as cluster:
            # Adapting between equal bounds replaces jobs that end.
            cluster.adapt(minimum_jobs=jobs, maximum_jobs=jobs)
            yield cluster


def slurm_cluster(config: SlurmConfig) -> Any:
    """Return a cluster without jobs; `job_script()` of it is what will be submitted.

    Raises:
        HeadshotError: dask-jobqueue is not installed.
    """
    try:
        from dask_jobqueue.slurm import SLURMCluster
    except ImportError as error:
        raise HeadshotError(
            f"--slurm needs dask-jobqueue ({error}); install it with `pip install 'headshot[slurm]'`"
        ) from error
    margin_s = min(MARGIN_S, config.walltime_s // 5)
    lifetime = ["--lifetime", f"{config.walltime_s - margin_s}s", "--lifetime-stagger", f"{margin_s // 2}s"]
    return SLURMCluster(
        queue=config.partition,
        account=config.account,
        cores=config.workers_per_job,  # one thread a worker
        processes=config.workers_per_job,
        job_cpu=config.cores,
        memory=config.memory,
        walltime=config.walltime,
        python=config.python,
        job_name="headshot",
        interface=config.interface,
        local_directory=config.local_directory,
        log_directory=config.log_directory,
        worker_extra_args=[*lifetime, *(["--resources", f"{GPU}=1"] if config.gpu else [])],
        job_extra_directives=[*(["--gres=gpu:1"] if config.gpu else []), *config.job_extra],
        job_script_prologue=[
            *(f"export {name}={shlex.quote(value)}" for name, value in {**WORKER_ENVIRONMENT, **config.env}.items()),
            *config.setup,
        ],
        scheduler_options={"dashboard_address": ":0"},
    )
