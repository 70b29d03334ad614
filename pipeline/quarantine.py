"""Find the clip that takes its process down, by trying the clips of a lost shard one at a time.

When a worker dies, Dask suspects every task it held, also those that never ran. So a death is no verdict: the clips
are tried singly, each in a process of its own, and only a clip that kills its own process, or has to be stopped there,
is condemned.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import connection
from typing import Any

from pipeline.config import PipelineConfig
from pipeline.images import one_opencv_thread
from pipeline.jobs import ShardJob
from pipeline.limits import GRACE_S, guarded, hard_limit_s
from pipeline.shards import build_shard, try_clip
from pipeline.verdicts import Reject, RejectReason


def quarantine(job: ShardJob) -> ShardJob:
    """Return the job with every clip condemned that dies or hangs on its own."""
    condemned = dict(job.condemned)
    for clip in job.plan.clips:
        if clip.key not in condemned:
            verdict = _verdict_of_child(try_clip, (job, clip), job.config, clips=1)
            if verdict is not None:
                condemned[clip.key] = verdict
    return replace(job, condemned=condemned)


def build_in_child(job: ShardJob) -> Reject | None:
    """Make a shard in a process of its own; return how that died, None if it did not."""
    return _verdict_of_child(_build_guarded, (job,), job.config, clips=len(job.plan.clips))


def _build_guarded(job: ShardJob) -> None:
    build_shard(job, guard=guarded)


def _verdict_of_child(
    work: Callable[..., Any], arguments: tuple[Any, ...], config: PipelineConfig, clips: int
) -> Reject | None:
    """Run `work` in a fresh process; return a verdict if that dies or hangs.

    The alarm of `guarded` ends a child that hangs. The limit here is for one that hangs outside any clip.
    """
    limit_s = 2 * hard_limit_s(config) * clips + GRACE_S
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
    if process.exitcode == -signal.SIGALRM:
        detail = f"stuck in one call: its own process was ended after {hard_limit_s(config):.0f} s"
        return Reject(reason=RejectReason.TIMEOUT, detail=detail)
    detail = f"its own process ended with {_exit_text(process.exitcode)} (it may take {config.clip_memory_mib} MiB)"
    return Reject(reason=RejectReason.CRASHED, detail=detail)


def _work_while_parent_lives(work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with one_opencv_thread():
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
