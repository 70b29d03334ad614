"""Take over a dataset folder: one run at a time or several parts, one dataset per folder, finished shards kept."""

import errno
import fcntl
import logging
import os
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from manifests.samples import resolve
from manifests.schema import Clip
from pipeline.jobs import ShardJob
from pipeline.layout import LOCK_NAME, DatasetLayout
from pipeline.parts import Part
from pipeline.plan import Plan, read_plan
from pipeline.records import read_record, shard_is_whole
from pipeline.verdicts import RejectReason
from weights.errors import HeadshotError
from weights.files import publish_text

_logger = logging.getLogger(__name__)

WAIT_FOR_PARTS_S = 30.0
"""A part waits that long for another one that looks whether it was the last."""
NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


class Claim:
    """A lock on a dataset folder, which ends with this process, however that ends."""

    def __init__(self, folder: Path) -> None:
        """Open the lock file.

        A file, not the folder: file systems of clusters lock only what can be opened for writing.
        """
        self._folder = folder
        self._file = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)

    def alone(self) -> bool:
        """Take the folder for this run alone, giving up what part of it was held; False if others are at work."""
        return self._locked(fcntl.LOCK_UN) and self._locked(fcntl.LOCK_EX)

    def beside_others(self) -> bool:
        """Take the folder for a run of one part of it; False if a whole run is at work."""
        end = time.monotonic() + WAIT_FOR_PARTS_S
        while not (taken := self._locked(fcntl.LOCK_SH)) and time.monotonic() < end:
            time.sleep(0.2)
        return taken

    def release(self) -> None:
        """Let others in."""
        os.close(self._file)

    def _locked(self, kind: int) -> bool:
        try:
            fcntl.flock(self._file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            _logger.warning(
                "%s lies on a file system without locks: see to it that no other run works there", self._folder
            )
        return True


@contextmanager
def claimed(folder: Path, part: Part | None = None) -> Iterator[Claim]:
    """Hold a lock on the folder: alone, or beside the runs of other parts.

    Raises:
        HeadshotError: Another process holds it.
    """
    claim = Claim(folder)
    try:
        if not (claim.alone() if part is None else claim.beside_others()):
            raise HeadshotError(f"another run is at work in {folder}; wait for it, or end it and start this one again")
        yield claim
    finally:
        claim.release()


def adopt(layout: DatasetLayout, plan: Plan, replace: bool) -> None:
    """Make sure that the folder holds this dataset and no other; several parts may do so at once.

    Raises:
        HeadshotError: It holds another one with shards that this one has no use for, or one that this version cannot
            read, and `replace` is not set.
    """
    text = plan.model_dump_json(indent=1) + "\n"
    if layout.plan.is_file() and layout.plan.read_text(encoding="utf-8") == text:
        return
    if layout.plan.exists() and not replace and not _keeps_every_shard(layout, plan):
        raise HeadshotError(
            f"{layout.root} holds a dataset that was made from another manifest or with other settings; "
            "give another folder, or say that it may be replaced (--replace)"
        )
    names = {shard.name for shard in plan.shards}
    for path in layout.files_of_dataset():
        path.unlink(missing_ok=True)
    for path in layout.files_of_shards():
        unwanted = path == layout.audio(path.stem) and not plan.config.audio
        if path.stem not in names or unwanted:
            path.unlink(missing_ok=True)
    publish_text(layout.plan, text)


def _keeps_every_shard(layout: DatasetLayout, plan: Plan) -> bool:
    """Return whether the plan only adds to the one that is there, or words it otherwise: then nothing is lost."""
    old = read_plan(layout)
    planned = {shard.name: shard.sha256(plan.config) for shard in plan.shards}
    return all(planned.get(shard.name) == shard.sha256(old.config) for shard in old.shards)


def is_done(layout: DatasetLayout, job: ShardJob, retry: Collection[RejectReason] = ()) -> bool:
    """Return whether the shard is there and nothing has changed; a source that turned up since is a change.

    Args:
        layout: Of the dataset.
        job: The shard.
        retry: Clips that were rejected, or whose sound is flawed, for one of these reasons are to be tried again.
    """
    record = read_record(layout, job.plan.name)
    if record is None or record.plan_sha256 != job.plan.sha256(job.config):
        return False
    words = {str(reason) for reason in retry}
    flaws = (clip.sound.flaw for clip in record.clips if clip.sound is not None)
    if any(reject.reason in words for reject in record.rejects) or any(flaw in words for flaw in flaws):
        return False
    missed = (reject.clip for reject in record.rejects if reject.reason is RejectReason.MISSING_SOURCE)
    return shard_is_whole(layout, record) and not any(_has_source(clip, job.clip_folder) for clip in missed)


def _has_source(clip: Clip, clip_folder: Path) -> bool:
    try:
        return resolve(clip, clip_folder).is_file()
    except HeadshotError:
        return False
