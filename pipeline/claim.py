"""Take over a dataset folder: one run at a time, one dataset per folder, finished shards kept."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from manifests.samples import resolve
from manifests.schema import Clip
from pipeline.jobs import ShardJob
from pipeline.layout import DatasetLayout
from pipeline.plan import Plan, read_plan
from pipeline.records import read_record, shard_is_whole
from pipeline.verdicts import RejectReason
from weights.errors import HeadshotError
from weights.files import publish_text


@contextmanager
def only_run_in(folder: Path) -> Iterator[None]:
    """Hold a lock on the folder that ends with this process, however that ends.

    Raises:
        HeadshotError: Another process holds it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise HeadshotError(
            f"another run is at work in {folder}; wait for it, or end it and start this one again"
        ) from error
    finally:
        os.close(descriptor)


def adopt(layout: DatasetLayout, plan: Plan, replace: bool) -> None:
    """Clear away what killed runs left behind, and make sure that the folder holds this dataset and no other.

    Raises:
        HeadshotError: It holds another one with shards that this one has no use for, and `replace` is not set.
    """
    layout.remove_stale_files()
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
        if path.stem not in names:
            path.unlink()
    publish_text(layout.plan, text)


def _keeps_every_shard(layout: DatasetLayout, plan: Plan) -> bool:
    """Return whether the plan only adds to the one that is there, or words it otherwise: then nothing is lost."""
    try:
        old = read_plan(layout)
    except ValueError:
        return False
    planned = {shard.name: shard.sha256(plan.config) for shard in plan.shards}
    return all(planned.get(shard.name) == shard.sha256(old.config) for shard in old.shards)


def is_done(layout: DatasetLayout, job: ShardJob) -> bool:
    """Return whether the shard is there and nothing has changed; a source that turned up since is a change."""
    record = read_record(layout, job.plan.name)
    if record is None or record.plan_sha256 != job.plan.sha256(job.config):
        return False
    missed = (reject.clip for reject in record.rejects if reject.reason is RejectReason.MISSING_SOURCE)
    return shard_is_whole(layout, record) and not any(_has_source(clip, job.clip_folder) for clip in missed)


def _has_source(clip: Clip, clip_folder: Path) -> bool:
    try:
        return resolve(clip, clip_folder).is_file()
    except HeadshotError:
        return False
