"""All that is done to one clip, in memory."""

from pathlib import Path

from manifests.schema import Clip
from pipeline.clip_frames import ClipFrames
from pipeline.config import PipelineConfig
from pipeline.cutting import cut_clip
from pipeline.follow import follow_clip
from pipeline.verdicts import ClipRejectedError, Reject
from pipeline.video import open_video


def process_clip(video: Path, clip: Clip, config: PipelineConfig) -> ClipFrames | Reject:
    """Return all frames of a clip in memory, or why it is left out.

    For a clip of a few thousand frames; shards are written batch by batch instead.
    """
    try:
        with open_video(video) as reader:
            return ClipFrames.concatenate(list(cut_clip(follow_clip(reader, clip, config), config)))
    except ClipRejectedError as rejected:
        return rejected.verdict
