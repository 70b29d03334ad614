"""How many frames a shard will be, before it is made: to begin with the longest, and to show how far a run is."""

import math

from manifests.samples import resolve
from manifests.schema import Clip
from pipeline.jobs import ShardJob
from pipeline.limits import ClipGuard, unguarded
from pipeline.plan import expected_frames
from pipeline.video import probe

ASK_UP_TO_CLIPS = 2000
"""A run over more clips does not ask the files, but goes by what the manifest says."""


def planned_length(job: ShardJob) -> float:
    """Return the number of frames that the manifest lets expect."""
    return sum(expected_frames(clip, job.config) for clip in job.plan.clips)


def measured_length(job: ShardJob, guard: ClipGuard = unguarded) -> float:
    """Return the number of frames that the files let expect; clips that cannot be opened count nothing."""
    return sum(_clip_length(job, clip, guard) for clip in job.plan.clips)


def _clip_length(job: ShardJob, clip: Clip, guard: ClipGuard) -> float:
    try:
        with guard(job.config):
            duration_s = probe(resolve(clip, job.clip_folder)).duration_s
    except Exception:  # whatever is wrong with the file, its verdict comes when its shard is made
        return 0.0
    if math.isnan(duration_s):
        return expected_frames(clip, job.config)
    end_s = duration_s if clip.end_s is None else min(clip.end_s, duration_s)
    return max(end_s - clip.start_s, 0.0) * job.config.fps
