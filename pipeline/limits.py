"""What one clip may take of its process, enforced by the kernel.

A decoder that hangs, or that asks for all memory there is, does so in native code and may never let Python look at a
clock: a thread that watches would need the interpreter that the decoder holds. So the kernel watches. An alarm ends
the process, and beyond a bound on memory an allocation fails, which Python sees as a `MemoryError`.
"""

import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

from pipeline.config import PipelineConfig

GRACE_S = 60.0
"""Beyond the time a clip is given: a clip that only is slow gives up by itself and needs no alarm."""
MEBIBYTE = 2**20


class ClipGuard(Protocol):
    """Bounds what is done to one clip inside a `with` block."""

    def __call__(self, config: PipelineConfig, /) -> AbstractContextManager[None]:
        """Return the context manager."""


def unguarded(_: PipelineConfig, /) -> AbstractContextManager[None]:
    """Set no bound: in the process of a caller, which is not ours to end."""
    return nullcontext()


@contextmanager
def guarded(config: PipelineConfig, /) -> Iterator[None]:
    """End this process if the block takes too long, and let allocations fail that take too much memory.

    For processes that work on one clip at a time and may die: Dask workers and the children of the quarantine.
    """
    with _alarm(hard_limit_s(config)), _memory_bound(config.clip_memory_mib * MEBIBYTE):
        yield


def hard_limit_s(config: PipelineConfig) -> float:
    """Return after how long a process is ended that is still at one clip.

    Twice the clip's time, because hashing and following, or following and cutting, are each given that much.
    """
    return config.clip_timeout_s * 2 + GRACE_S


@contextmanager
def _alarm(limit_s: float) -> Iterator[None]:
    """Have the kernel send SIGALRM, which ends the process as nothing here handles it."""
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def _memory_bound(extra_bytes: int) -> Iterator[None]:
    """Bound what this process allocates beyond what it has now; on Linux, nowhere else is the bound kept.

    RLIMIT_DATA counts private writable memory. Networks that are mapped from files and address space that is only
    reserved do not count, so that the bound is about what is used.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bounds = [_data_bytes() + extra_bytes, *(bound for bound in (soft, hard) if bound != resource.RLIM_INFINITY)]
    resource.setrlimit(resource.RLIMIT_DATA, (min(bounds), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (kibibytes,) = (line.split()[1] for line in lines if line.startswith("VmData:"))
    return int(kibibytes) * 1024
