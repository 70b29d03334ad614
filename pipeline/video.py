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
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from jaxtyping import UInt8

from pipeline.timeline import Resampler
from pipeline.verdicts import ClipRejected, RejectReason

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,h264,hevc,m4v,ivf,obu,gif,ogg,flv,asf,mjpeg,mxf,wav,mp3,aac,flac"
)
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
SEEK_BEYOND_S = 5.0
"""Stretches that start earlier are reached by decoding from the start."""
UNSPECIFIED_MATRIX = 2
HDR_TRANSFERS = {16: "PQ (SMPTE ST 2084)", 18: "HLG (ARIB STD-B67)"}
MAX_SIDE_PX = 8192


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
    """The matrix frames are converted with, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFrame:
    """One frame after resampling."""

    index: int
    """Time slot: the frame is the nearest one to `index / fps` after the first frame of the stretch."""
    pts_s: float
    """The frame's own time in the file, from the start of the stream."""
    source_frame: int
    """How many frames of the file come before it."""
    rgb: UInt8[np.ndarray, "height width 3"]


def probe(path: Path) -> VideoInfo:
    """Return what the file says about its video, after decoding one frame.

    Raises:
        ClipRejected: The file is not a video that can be decoded.
    """
    with _opened(path) as (container, stream):
        frame = next(_decoded(container, stream), None)
        if frame is None:
            raise ClipRejected(RejectReason.NO_VIDEO, f"{path.name}: not one frame can be decoded")
        shape = _Shape.of(frame, stream)
        duration = stream.duration * stream.time_base if stream.duration else None
        return VideoInfo(
            width_px=shape.upright_width,
            height_px=shape.upright_height,
            fps=float(stream.average_rate) if stream.average_rate else float("nan"),
            duration_s=float(duration) if duration else float("nan"),
            codec=stream.codec_context.name,
            rotation_deg=shape.turn_deg,
            colour_rule=shape.colour_rule,
        )


def read_frames(
    path: Path, start_s: float = 0.0, end_s: float | None = None, fps: float = 25.0
) -> Iterator[VideoFrame]:
    """Yield the frames of a stretch, resampled to `fps` by nearest time, each source frame at most once.

    Reading stops at the first damage: frames before it are good, and nothing is made up for those behind it.

    Args:
        path: Video file.
        start_s: Start of the stretch, counted from the first frame of the stream.
        end_s: End of the stretch (exclusive); None for the end of the video.
        fps: Frames per second wanted; a slower source keeps its own frames.

    Raises:
        ClipRejected: The file is not a video that can be decoded.
    """
    with _opened(path) as (container, stream):
        times = _StreamTimes(container, stream, start_s)
        resampler: Resampler[tuple[int, Any]] = Resampler(fps)
        convert = _Converter()
        for frame in _decoded(container, stream):
            number, pts_s = times.locate(frame)
            if pts_s < start_s - 1e-3:
                continue
            if end_s is not None and pts_s >= end_s - 1e-3:
                break
            for slot, time_s, (source_frame, chosen) in resampler.push(pts_s, (number, frame)):
                rgb = convert(chosen, stream)
                yield VideoFrame(index=slot, pts_s=time_s, source_frame=source_frame, rgb=rgb)
        for slot, time_s, (source_frame, chosen) in resampler.finish():
            rgb = convert(chosen, stream)
            yield VideoFrame(index=slot, pts_s=time_s, source_frame=source_frame, rgb=rgb)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    if not path.is_file():
        raise ClipRejected(RejectReason.MISSING_SOURCE, f"{path} does not exist")
    if path.stat().st_size == 0:
        raise ClipRejected(RejectReason.UNREADABLE, f"{path.name} is empty (0 bytes)")
    try:
        container = av.open(str(path), options=OPEN_OPTIONS)
    except (av.FFmpegError, ValueError) as error:
        raise ClipRejected(
            RejectReason.UNREADABLE, f"{path.name} is not a video this can read: {error}"
        ) from error
    with container:
        if not container.streams.video:
            raise ClipRejected(RejectReason.NO_VIDEO, f"{path.name} has no video stream")
        stream = container.streams.video[0]
        stream.thread_type = "NONE"  # one process per core already
        yield container, stream


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Yield decoded frames up to the first damage."""
    try:
        for frame in container.decode(stream):
            if frame.is_corrupt:
                return
            yield frame
    except av.FFmpegError:
        return


class _StreamTimes:
    """Number and time of each decoded frame; seeks near to the start of the stretch."""

    def __init__(self, container: Any, stream: Any, start_s: float) -> None:
        self._base = float(stream.time_base)
        self._step_s = 1 / float(stream.average_rate or 25)
        self._next_number = 0
        self._known_pts: list[int] = []
        self._origin: int | None = None
        if start_s > SEEK_BEYOND_S:
            self._known_pts = sorted(packet.pts for packet in container.demux(stream) if packet.pts is not None)
            target = int(start_s / self._base) + self._known_pts[0] if self._known_pts else 0
            self._origin = self._known_pts[0] if self._known_pts else None
            container.seek(target, stream=stream, backward=True)

    def locate(self, frame: Any) -> tuple[int, float]:
        """Return how many frames come before this one, and its time in seconds from the first."""
        number = self._next_number
        if frame.pts is not None and self._known_pts:
            number = bisect_left(self._known_pts, frame.pts)
        self._next_number = number + 1
        if frame.pts is None:  # raw streams without a clock
            return number, number * self._step_s
        if self._origin is None:
            self._origin = frame.pts
        return number, (frame.pts - self._origin) * self._base


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """How a decoded frame becomes upright RGB with square pixels."""

    width: int
    height: int
    turn_deg: int
    matrix: Colorspace | None
    colour_rule: str

    @classmethod
    def of(cls, frame: Any, stream: Any) -> "_Shape":
        if max(frame.width, frame.height) > MAX_SIDE_PX:
            raise ClipRejected(
                RejectReason.UNSUPPORTED,
                f"{frame.width} x {frame.height} pixels; sides up to {MAX_SIDE_PX} are read",
            )
        if int(frame.color_trc) in HDR_TRANSFERS:
            raise ClipRejected(
                RejectReason.UNSUPPORTED,
                f"HDR video ({HDR_TRANSFERS[int(frame.color_trc)]}) would come out grey; convert it to BT.709 first",
            )
        aspect = float(stream.sample_aspect_ratio or 1) or 1.0
        rule, matrix = _colour_rule(frame)
        return cls(
            width=round(frame.width * aspect),
            height=frame.height,
            turn_deg=round(-frame.rotation / 90) * 90 % 360,
            matrix=matrix,
            colour_rule=rule,
        )

    @property
    def upright_width(self) -> int:
        return self.height if self.turn_deg % 180 else self.width

    @property
    def upright_height(self) -> int:
        return self.width if self.turn_deg % 180 else self.height


def _colour_rule(frame: Any) -> tuple[str, Colorspace | None]:
    """Return the conversion matrix. Untagged video of 720 lines or more is BT.709, as cameras and broadcasters make it."""
    if frame.format.is_rgb or frame.format.has_palette:
        return "rgb", None
    if int(frame.colorspace) != UNSPECIFIED_MATRIX:
        return "tagged", None
    if frame.height >= 720:
        return "untagged-hd-bt709", Colorspace.ITU709
    return "untagged-sd-bt601", Colorspace.ITU601


class _Converter:
    """Decoded frame to upright RGB array."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def __call__(self, frame: Any, stream: Any) -> UInt8[np.ndarray, "height width 3"]:
        shape = _Shape.of(frame, stream)
        rgb = self._reformatter.reformat(
            frame,
            width=shape.width,
            height=shape.height,
            format="rgb24",
            src_colorspace=shape.matrix,
            interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT,
            threads=1,
        ).to_ndarray()
        # rot90 turns anticlockwise; a padded decoder row would leave the array with gaps.
        return np.ascontiguousarray(np.rot90(rgb, k=-shape.turn_deg // 90))
