"""Video files to upright RGB frames with their true times.

Only local files are opened, only through a closed list of container formats: a playlist that names other files
or hosts is not a video.
"""

from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from jaxtyping import UInt8

from pipeline.picture import PictureMaker, picture_rule
from pipeline.timeline import Resampler
from pipeline.verdicts import ClipRejectedError, RejectReason

FORMATS = (
    *("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "mpeg", "mpegts", "mpegvideo", "h264"),
    *("hevc", "m4v", "ivf", "obu", "gif", "ogg", "flv", "asf", "mjpeg", "mxf"),
    *("wav", "mp3", "aac", "flac"),  # sound alone: opened to be told that there is no picture
)
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": ",".join(FORMATS)}
MAX_SIDE_PX = 8192
SEEK_BEYOND_S = 5.0
"""Stretches that start earlier are reached by decoding from the start."""
TIME_TOLERANCE_S = 1e-3
"""Times in manifests are rounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoInfo:
    """What a file says about its video stream."""

    width_px: int
    """Of the upright picture with square pixels."""
    height_px: int
    fps: float
    """Average frame rate; NaN where the file does not say."""
    duration_s: float
    """NaN where the file does not say."""
    codec: str
    rotation_deg: int
    """Clockwise turn that makes the stored picture upright; frames are returned turned."""
    colour_rule: str
    """How colours are converted, see `pipeline.picture`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFrame:
    """One frame after resampling."""

    index: int
    """Time slot: of all frames this one is nearest to `index / fps` after the first frame of the stretch."""
    pts_s: float
    """The frame's own time, counted from the first frame of the file."""
    source_frame: int
    """How many frames of the file come before it."""
    rgb: UInt8[np.ndarray, "height width 3"]


def probe(path: Path) -> VideoInfo:
    """Return what the file says about its video, after decoding one frame.

    Raises:
        ClipRejectedError: The file is not a video that can be decoded.
    """
    with _opened(path) as (container, stream):
        frame = next(_decoded(container, stream), None)
        if frame is None:
            raise ClipRejectedError(RejectReason.UNREADABLE, f"{path.name}: not one frame can be decoded")
        rule = picture_rule(frame, stream)
        width_px, height_px = rule.upright_size
        return VideoInfo(
            width_px=width_px,
            height_px=height_px,
            fps=float(stream.average_rate) if stream.average_rate else float("nan"),
            duration_s=_duration_s(container, stream),
            codec=stream.codec_context.name,
            rotation_deg=rule.rotation_deg,
            colour_rule=rule.colour_rule,
        )


def read_frames(
    path: Path,
    start_s: float = 0.0,
    end_s: float | None = None,
    fps: float = 25.0,
    *,
    exact_colour: bool = True,
) -> Iterator[VideoFrame]:
    """Yield the frames of a stretch, resampled to `fps` by nearest time, each source frame at most once.

    Reading stops at the first damage: frames before it are good, and nothing is made up for those behind it.

    Args:
        path: Video file.
        start_s: Start of the stretch, counted from the first frame of the file.
        end_s: End of the stretch (exclusive); None for the end of the video.
        fps: Frames per second wanted; a slower source keeps its own frames.
        exact_colour: See `pipeline.picture.PictureMaker`.

    Raises:
        ClipRejectedError: The file is not a video that can be decoded.
    """
    with _opened(path) as (container, stream):
        to_picture = PictureMaker(exact=exact_colour)
        resampler: Resampler[_Stamped] = Resampler(fps)
        for stamped in _stretch(container, stream, start_s, end_s):
            for slot, chosen in resampler.push(stamped.pts_s, stamped):
                yield chosen.finished(slot, to_picture(chosen.frame, stream))
        for slot, chosen in resampler.finish():
            yield chosen.finished(slot, to_picture(chosen.frame, stream))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stamped:
    """A decoded frame with its number and time."""

    frame: Any
    number: int
    pts_s: float

    def finished(self, slot: int, rgb: UInt8[np.ndarray, "height width 3"]) -> VideoFrame:
        return VideoFrame(index=slot, pts_s=self.pts_s, source_frame=self.number, rgb=rgb)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    if not path.is_file():
        raise ClipRejectedError(RejectReason.MISSING_SOURCE, f"{path} does not exist")
    if path.stat().st_size == 0:
        raise ClipRejectedError(RejectReason.UNREADABLE, f"{path.name} is empty (0 bytes)")
    try:
        container = av.open(str(path), options=OPEN_OPTIONS)
    except (av.FFmpegError, ValueError) as error:
        raise ClipRejectedError(
            RejectReason.UNREADABLE, f"{path.name} is not a video, or cut off before its index: {error}"
        ) from error
    with container:
        if not container.streams.video:
            raise ClipRejectedError(RejectReason.NO_VIDEO, f"{path.name} has no video stream")
        stream = container.streams.video[0]
        if max(stream.width, stream.height) > MAX_SIDE_PX:
            raise ClipRejectedError(
                RejectReason.UNSUPPORTED,
                f"{path.name} has {stream.width} x {stream.height} pixels; sides up to {MAX_SIDE_PX} are read",
            )
        stream.thread_type = "NONE"  # one process per core already
        yield container, stream


def _duration_s(container: Any, stream: Any) -> float:
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else float("nan")


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Yield decoded frames up to the first damage."""
    for packets in (_whole_packets(container, stream), iter([None])):  # None: give out what waits for its turn
        try:
            for packet in packets:
                for frame in stream.codec_context.decode(packet):
                    if frame.is_corrupt:
                        return
                    yield frame
        except av.FFmpegError:
            continue


def _whole_packets(container: Any, stream: Any) -> Iterator[Any]:
    for packet in container.demux(stream):
        if packet.is_corrupt:
            return
        if packet.size:
            yield packet


def _stretch(container: Any, stream: Any, start_s: float, end_s: float | None) -> Iterator[_Stamped]:
    """Yield the frames between two times with their numbers and times."""
    for stamped in _stamped(container, stream, start_s):
        if end_s is not None and stamped.pts_s >= end_s - TIME_TOLERANCE_S:
            return
        if stamped.pts_s >= start_s - TIME_TOLERANCE_S:
            yield stamped


def _stamped(container: Any, stream: Any, start_s: float) -> Iterator[_Stamped]:
    """Yield decoded frames with their numbers and times, from a key frame before `start_s` on."""
    known = _seek(container, stream, start_s) if start_s > SEEK_BEYOND_S else []
    origin = known[0] if known else None
    number = -1
    for frame in _decoded(container, stream):
        number = bisect_left(known, frame.pts) if known else number + 1
        if frame.pts is None:  # raw streams have no clock
            yield _Stamped(frame=frame, number=number, pts_s=number / float(stream.average_rate or 25))
            continue
        if origin is None:
            origin = frame.pts
        yield _Stamped(frame=frame, number=number, pts_s=float((frame.pts - origin) * stream.time_base))


def _seek(container: Any, stream: Any, start_s: float) -> list[int]:
    """Go to the last key frame before `start_s`; return the times of all frames in stream units, sorted.

    They come from the packets, without decoding. Empty if some have none: then decoding starts from the first frame.
    """
    times = [packet.pts for packet in container.demux(stream) if packet.size]
    known = sorted(time for time in times if time is not None)
    if len(known) < len(times) or not known:
        container.seek(0)
        return []
    container.seek(known[0] + int(start_s / stream.time_base), stream=stream, backward=True)
    return known
