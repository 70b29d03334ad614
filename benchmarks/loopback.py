"""Real `dask scheduler` and `dask worker` processes on this machine, which are started again when they die."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

SETTINGS = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
END_S = 20.0


class Loopback:
    """A scheduler and workers."""

    def __init__(
        self,
        workers: int,
        folder: Path,
        options: Sequence[str] = ("--nthreads", "1"),
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start them.

        Args:
            workers: Workers, each with a nanny that restarts it.
            folder: For the log.
            options: Of `dask worker`.
            env: Environment variables of the workers.
        """
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self._options, self._env = options, env or {}
        self._log = (folder / "dask.log").open("ab")
        self._scheduler = self._start_scheduler()
        self._nannies: list[subprocess.Popen[bytes]] = []
        for _ in range(workers):
            self.add_worker()

    def add_worker(self, *more: str) -> None:
        """Start one more worker, with more options of `dask worker`."""
        self._nannies.append(self._start_nanny(*more))

    def tend(self) -> None:
        """Start what is dead."""
        if self._scheduler.poll() is not None:
            self._scheduler = self._start_scheduler()
        self._nannies = [nanny if nanny.poll() is None else self._start_nanny() for nanny in self._nannies]

    def pids(self, kind: str) -> list[int]:
        """Return the processes that are alive: of the `scheduler`, the `nanny` or the `worker` kind."""
        if kind == "scheduler":
            return [self._scheduler.pid] if self._scheduler.poll() is None else []
        nannies = [nanny.pid for nanny in self._nannies if nanny.poll() is None]
        return nannies if kind == "nanny" else [pid for nanny in nannies for pid in _workers_of(nanny)]

    def stop(self) -> None:
        """End all processes."""
        processes = (*self._nannies, self._scheduler)
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._log.close()

    def _start_scheduler(self) -> subprocess.Popen[bytes]:
        host, port = self.address.removeprefix("tcp://").split(":")
        return self._start("scheduler", "--host", host, "--port", port, "--dashboard-address", "127.0.0.1:0")

    def _start_nanny(self, *more: str) -> subprocess.Popen[bytes]:
        return self._start("worker", self.address, "--memory-limit", "0", "--no-dashboard", *self._options, *more)

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *arguments]
        environment = {**os.environ, **SETTINGS, **self._env}
        return subprocess.Popen(command, stdout=self._log, stderr=self._log, env=environment)


def _workers_of(nanny: int) -> list[int]:
    """Return the processes that a nanny has started to work, leaving out multiprocessing's own."""
    try:
        children = psutil.Process(nanny).children()
        return [child.pid for child in children if "spawn_main" in " ".join(child.cmdline())]
    except psutil.NoSuchProcess:
        return []


@contextmanager
def loopback(
    workers: int, folder: Path, options: Sequence[str] = ("--nthreads", "1"), env: Mapping[str, str] | None = None
) -> Iterator[Loopback]:
    """Yield a cluster that ends with the block; see `Loopback`."""
    cluster = Loopback(workers, folder, options, env)
    try:
        yield cluster
    finally:
        cluster.stop()
