"""Video files, opened so that nothing but the file itself is read.

Only local files are opened, only through a closed list of container formats: a playlist that names other files
or hosts is not a video.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av

from pipeline.verdicts import ClipRejectedError, RejectReason

FORMATS = (
    *("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "mpeg", "mpegts", "mpegvideo", "h264"),
    *("hevc", "m4v", "ivf", "obu", "gif", "ogg", "flv", "asf", "mjpeg", "mxf"),
    *("wav", "mp3", "aac", "flac"),  # sound alone: opened to be told that there is no picture
)
MAX_SIDE_PX = 8192
DECODER_OPTIONS = {"max_pixels": str(MAX_SIDE_PX**2)}
"""The pictures of a file may be larger than its header says."""
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": ",".join(FORMATS), **DECODER_OPTIONS}


@contextmanager
def opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """Yield the container of a file and its first video stream.

    Raises:
        ClipRejectedError: The file is no video, or one that is not read.
    """
    if not path.is_file():
        raise ClipRejectedError(RejectReason.MISSING_SOURCE, f"{path} does not exist")
    if path.stat().st_size == 0:
        raise ClipRejectedError(RejectReason.UNREADABLE, f"{path.name} is empty (0 bytes)")
    try:
        container = av.open(str(path), options=OPEN_OPTIONS, metadata_errors="replace")
    except MemoryError:  # FFmpeg's is an FFmpegError too
        raise
    except (av.FFmpegError, ValueError) as error:
        raise ClipRejectedError(
            RejectReason.UNREADABLE, f"{path.name} is not a video, or cut off before its index: {error}"
        ) from error
    with container:
        if not container.streams.video:
            raise ClipRejectedError(RejectReason.NO_VIDEO, f"{path.name} has no video stream")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise ClipRejectedError(RejectReason.UNREADABLE, f"{path.name} has video of an unknown codec")
        if max(stream.width, stream.height) > MAX_SIDE_PX:
            raise ClipRejectedError(
                RejectReason.UNSUPPORTED,
                f"{path.name} has {stream.width} x {stream.height} pixels; sides up to {MAX_SIDE_PX} are read",
            )
        stream.thread_type = "NONE"  # one process per core already
        stream.codec_context.options = DECODER_OPTIONS
        yield container, stream


def duration_s(container: Any, stream: Any) -> float:
    """Return how long the file says its video is; NaN where it does not say."""
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else float("nan")


def decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Yield decoded frames from where the container stands, up to the first damage.

    Frames are stored in another order than they are shown in: of those that wait for their turn when damage is met,
    only the ones that are shown before it are given out.
    """
    packets, damage_pts = container.demux(stream), None
    try:
        for packet in packets:
            damage_pts = packet.pts
            if packet.is_corrupt:
                break
            if packet.size:
                for frame in stream.codec_context.decode(packet):
                    if frame.is_corrupt:
                        return
                    yield frame
            damage_pts = None
    except MemoryError:  # FFmpeg's is an FFmpegError too, but says nothing about the file
        raise
    except av.FFmpegError:
        pass  # what came before is good
    try:
        for frame in stream.codec_context.decode(None):
            if frame.is_corrupt or (None not in (damage_pts, frame.pts) and frame.pts >= damage_pts):
                return
            yield frame
    except MemoryError:
        raise
    except av.FFmpegError:
        return
