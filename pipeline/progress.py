"""How far `preprocess` is, for whoever wants to show it."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pipeline.jobs import ShardJob
from pipeline.records import ShardRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A moment of a run. Only what this run has to do counts, not what an earlier one did."""

    frames: int
    """Frames in which faces were looked for."""
    frames_expected: int
    """From what the files, or else the manifest, say about their length."""
    clips: int
    """With a verdict: in a shard or rejected."""
    clips_total: int
    rejected: int
    shards: int
    shards_total: int


@runtime_checkable
class ProgressHook(Protocol):
    """Called a few times a second, one call at a time, not always from the same thread."""

    def __call__(self, progress: Progress, /) -> None:
        """Show it."""


def silent(_: Progress, /) -> None:
    """Show nothing."""


class Meter:
    """Adds up what the workers report, and tells the hook."""

    def __init__(self, jobs: Sequence[ShardJob], hook: ProgressHook) -> None:
        self._hook = hook
        self._lock = threading.Lock()
        self._shards_total = len(jobs)
        self._clips_total = sum(len(job.plan.clips) for job in jobs)
        self._frames = self._frames_expected = self._clips = self._rejected = self._shards = 0

    def expect_frames(self, frames: int) -> None:
        """Take note of how many frames there are."""
        with self._lock:
            self._frames_expected = frames
            self._show()

    def add_frames(self, frames: int) -> None:
        """Count frames that a worker looked at."""
        with self._lock:
            self._frames += frames
            self._show()

    def add_shard(self, record: ShardRecord) -> None:
        """Count a finished shard."""
        with self._lock:
            self._shards += 1
            self._clips += len(record.clips) + len(record.rejects)
            self._rejected += len(record.rejects)
            self._show()

    def _show(self) -> None:
        self._hook(
            Progress(
                frames=self._frames,
                frames_expected=max(self._frames_expected, self._frames),
                clips=self._clips,
                clips_total=self._clips_total,
                rejected=self._rejected,
                shards=self._shards,
                shards_total=self._shards_total,
            )
        )
