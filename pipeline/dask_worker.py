"""What runs inside a Dask worker."""

import asyncio
import socket
import sys
import threading
from dataclasses import replace
from importlib.metadata import version

import cv2
import distributed

from pipeline.config import PipelineConfig
from pipeline.jobs import ShardJob
from pipeline.lengths import measured_length
from pipeline.limits import guarded
from pipeline.shards import build_shard
from pipeline.warm_up import load_networks
from weights.errors import HeadshotError

PROBE_S = 20.0
"""Time to open one file when lengths are asked for; they only decide the order of the shards."""

one_at_a_time = threading.Lock()
"""A process has one set of networks, one alarm and one bound on memory, however many threads its worker was given."""


class AbandonedError(BaseException):
    """Nobody waits for this shard any more. Not an `Exception`, so that no clip is blamed for it."""


class WarmUp(distributed.WorkerPlugin):
    """Loads the networks as soon as a worker starts: one that lacks them is found before any work is done."""

    name = "headshot-warm-up"

    def __init__(self, config: PipelineConfig) -> None:
        self._config = config
        self._version = version("headshot")

    async def setup(self, worker: distributed.Worker) -> None:
        """Load them beside the event loop, so that the worker goes on answering meanwhile.

        Raises:
            HeadshotError: They cannot be had on this machine, or another version of headshot is installed there.
        """
        try:
            await asyncio.to_thread(warm_up, self._config)
        except HeadshotError as error:
            raise HeadshotError(f"{place_of(worker)} cannot work: {error}") from error
        require_version(worker, self._version)


def place_of(worker: distributed.Worker) -> str:
    """Return which worker this is, for messages."""
    return f"Dask worker {worker.address} on {socket.gethostname()}"


def require_version(worker: distributed.Worker, wanted: str) -> None:
    """Refuse a worker with another version of headshot.

    Raises:
        HeadshotError: It has one.
    """
    if version("headshot") != wanted:
        raise HeadshotError(
            f"{place_of(worker)} has headshot {version('headshot')}, this machine has {wanted}, and what they make may "
            "differ; install the same version on both"
        )


def warm_up(config: PipelineConfig) -> None:
    """Load the networks and keep this process to one thread for each library: there is a process for each core."""
    with one_at_a_time:
        load_networks(config)
    single_threaded()


def single_threaded() -> None:
    """Keep the libraries that this process has loaded to one thread each."""
    cv2.setNumThreads(1)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def measure_in_task(job: ShardJob) -> float:
    """Return the number of frames that the files of a shard let expect."""
    with one_at_a_time:
        quick = job.config.model_copy(update={"clip_timeout_s": PROBE_S})
        return measured_length(replace(job, config=quick), guarded)


def build_in_task(job: ShardJob, topic: str) -> int:
    """Make a shard and return its number of rows.

    Raises:
        AbandonedError: The client is gone or has given the task to another worker.
    """
    worker = distributed.get_worker()
    key = worker.get_current_task()

    def report(frames: int) -> None:
        task = worker.state.tasks.get(key)
        if task is None or task.state != "executing":
            raise AbandonedError(f"nobody waits for {key}")
        worker.log_event(topic, frames)

    with one_at_a_time:
        return build_shard(job, report, guarded).rows
