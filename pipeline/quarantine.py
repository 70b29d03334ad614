"""Find the clip that takes its process down, by trying the clips of a lost shard one at a time.

When a worker dies, Dask suspects every task it held, also those that never ran. So a death is no verdict: the clips
are tried singly, each in a process of its own, and only a clip that kills its own process is condemned.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import connection
from typing import Any

from pipeline.jobs import ShardJob
from pipeline.shards import build_shard, try_clip
from pipeline.verdicts import Reject, RejectReason

GRACE_S = 60.0
"""Beyond a clip's own time limit: starting the process, hashing the file."""


def quarantine(job: ShardJob) -> ShardJob:
    """Return the job with every clip condemned that dies or hangs on its own."""
    condemned = dict(job.condemned)
    for clip in job.plan.clips:
        if clip.key not in condemned:
            verdict = _verdict_of_child(try_clip, (job, clip), job.config.clip_timeout_s * 2 + GRACE_S)
            if verdict is not None:
                condemned[clip.key] = verdict
    return replace(job, condemned=condemned)


def build_in_child(job: ShardJob) -> Reject | None:
    """Make a shard in a process of its own; return how that died, None if it did not."""
    limit_s = (job.config.clip_timeout_s * 2 + GRACE_S) * len(job.plan.clips)
    return _verdict_of_child(build_shard, (job,), limit_s)


def _verdict_of_child(work: Callable[..., Any], arguments: tuple[Any, ...], limit_s: float) -> Reject | None:
    """Run `work` in a fresh process; return a verdict if that dies or hangs."""
    process = multiprocessing.get_context("spawn").Process(
        target=_work_while_parent_lives, args=(work, arguments), daemon=True
    )
    process.start()
    process.join(limit_s)
    if process.is_alive():
        process.kill()
        process.join()
        return Reject(reason=RejectReason.TIMEOUT, detail=f"still working after {limit_s:.0f} s in its own process")
    if process.exitcode == 0:
        return None
    return Reject(reason=RejectReason.CRASHED, detail=f"its own process ended with {_exit_text(process.exitcode)}")


def _work_while_parent_lives(work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work(*arguments)


def _end_with_parent() -> None:
    """Leave no orphan that goes on writing when the run was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # this runs in a child
    connection.wait([parent.sentinel])
    os._exit(1)


def _exit_text(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"
