"""Video files to frames with their true times, stretch by stretch.

A reader goes through a file once for all clips that are cut from it: reading on is decoding on, and what lies between
two clips is skipped by a seek to a key frame.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from jaxtyping import UInt8
from numpy import ndarray

from pipeline.container import decoded, duration_s, opened
from pipeline.deinterlace import Stamped, deinterlaced
from pipeline.picture import Area, PictureMaker, PictureRule, picture_rule
from pipeline.timeline import Resampler
from pipeline.verdicts import ClipRejectedError, RejectReason

SEEK_BEYOND_S = 5.0
"""Shorter gaps are decoded through: finding the key frames means reading the whole file once."""
LAST_SLOT = 2**31 - 1
"""Slots are stored as int32, which at 25 a second is 994 days."""
TIME_TOLERANCE_S = 1e-3
"""Times in manifests are rounded."""
SEEKABLE = {"mp4", "matroska", "avi", "flv"}
"""Containers in which every frame carries its own time. In others, such as MPEG program streams, times are worked
out from neighbours and come out differently behind a seek; they are decoded from the start."""
FIELD_CONTEXT_S = 0.5
"""Interlaced stretches are entered this much earlier, because the first frame is made with the one before."""


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
    interlaced: bool
    """The first frame is made of two fields; such frames are returned deinterlaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFrame:
    """One frame after resampling, as the decoder gave it."""

    index: int
    """Time slot: of all frames this one is nearest to `index / fps` after the first frame of the stretch."""
    pts_s: float
    """The frame's own time, counted from the first frame of the file."""
    source_frame: int
    """How many frames of the file come before it."""
    frame: Any

    @property
    def size_bytes(self) -> int:
        """Memory the frame takes."""
        return sum(int(plane.buffer_size) for plane in self.frame.planes)


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFrame:
    """One frame after resampling, as a picture; fields as in `RawFrame`."""

    index: int
    pts_s: float
    source_frame: int
    rgb: UInt8[ndarray, "height width 3"]


class VideoReader:
    """An open video, from which stretches are read in any order; made by `open_video`."""

    def __init__(self, path: Path, open_file: ExitStack) -> None:
        self._path, self._open_file = path, open_file
        self._index: _PacketIndex | None = None
        self.origin_s: float  # of the first frame by the clock of the file, from which its sound is counted too
        self._ahead: Stamped | None  # the next frame, read already
        self._start()
        if self._ahead is None:
            raise ClipRejectedError(RejectReason.UNREADABLE, f"{path.name}: not one frame can be decoded")
        self._rule = picture_rule(self._ahead.frame, self._stream)
        self._quick, self._exact = PictureMaker(exact=False), PictureMaker(exact=True)
        self.info = _info(self._container, self._stream, self._ahead, self._rule)

    def frames(self, start_s: float = 0.0, end_s: float | None = None, fps: float = 25.0) -> Iterator[RawFrame]:
        """Yield the frames of a stretch, resampled to `fps` by nearest time, each source frame at most once.

        Reading stops at the first damage: frames before it are good, and nothing is made up for those behind it.

        Args:
            start_s: Start of the stretch, counted from the first frame of the file.
            end_s: End of the stretch (exclusive); None for the end of the video.
            fps: Frames per second wanted; a slower source keeps its own frames.

        Raises:
            ClipRejectedError: A frame is years away from the first one.
        """
        resampler: Resampler[Stamped] = Resampler(fps)
        for stamped in self._stretch(start_s, end_s):
            if stamped.pts_s * fps > LAST_SLOT:
                raise ClipRejectedError(
                    RejectReason.UNREADABLE,
                    f"frame {stamped.number} says that it is shown {stamped.pts_s / 86_400:,.0f} days after the first: "
                    "the time stamps are damaged",
                )
            for slot, chosen in resampler.push(stamped.pts_s, stamped):
                yield _raw(slot, chosen)
        for slot, chosen in resampler.finish():
            yield _raw(slot, chosen)

    def picture(self, raw: RawFrame, *, exact_colour: bool = True, shrink: int = 1) -> UInt8[ndarray, "height width 3"]:
        """Return a frame as an upright RGB picture with square pixels.

        Args:
            raw: Frame of this video.
            exact_colour: See `pipeline.picture.PictureMaker`.
            shrink: Divide both sides by this whole number.
        """
        maker = self._exact if exact_colour else self._quick
        return maker(raw.frame, self._rule, shrink)

    def part(self, raw: RawFrame, area: Area) -> UInt8[ndarray, "height width 3"]:
        """Return an area of the picture, in exact colours, without converting the rest."""
        return self._exact.part(raw.frame, self._rule, area)

    def shrunk(self, raw: RawFrame, area: Area, size_px: int) -> UInt8[ndarray, "size size 3"] | None:
        """Return a square area of the picture made smaller in one step; None where that cannot be."""
        return self._exact.shrunk(raw.frame, self._rule, area, size_px)

    def _stretch(self, start_s: float, end_s: float | None) -> Iterator[Stamped]:
        """Yield the frames between two times; the first one behind stays ahead for the next stretch."""
        self._go_to(start_s)
        while self._ahead is not None:
            stamped = self._ahead
            if end_s is not None and stamped.pts_s >= end_s - TIME_TOLERANCE_S:
                return
            self._ahead = next(self._frames, None)
            if stamped.pts_s >= start_s - TIME_TOLERANCE_S:
                yield stamped

    def _go_to(self, start_s: float) -> None:
        """Make the next frame one at or before `start_s`, from which decoding on is the shortest way there."""
        latest_s = start_s + TIME_TOLERANCE_S
        here_s = self._ahead.pts_s if self._ahead else float("inf")
        too_far = here_s > latest_s
        if not too_far and start_s - here_s <= SEEK_BEYOND_S:
            return
        index = self._packet_index() if start_s > SEEK_BEYOND_S else _PacketIndex(times=[], keys=[])
        key = index.key_before(start_s - FIELD_CONTEXT_S * self.info.interlaced, self._stream)
        if key is not None and (too_far or here_s < index.seconds(key, self._stream)):
            self._container.seek(key, stream=self._stream, backward=True)
            self._read_on(index.stamped(decoded(self._container, self._stream), self._stream))
            too_far = self._ahead is None or self._ahead.pts_s > latest_s  # it did not go where it was told to
        if too_far:
            self._start()

    def _packet_index(self) -> "_PacketIndex":
        if self._index is None:
            with opened(self._path) as (container, stream):  # apart, so that the place in this one is kept
                self._index = _PacketIndex.read(container, stream)
        return self._index

    def _start(self) -> None:
        """Open the file, anew if need be: raw streams cannot be wound back."""
        self._open_file.close()
        self._container, self._stream = self._open_file.enter_context(opened(self._path))
        frames = decoded(self._container, self._stream)
        first = next(frames, None)
        self.origin_s = 0.0 if first is None or first.pts is None else float(first.pts * self._stream.time_base)
        self._read_on(_counted(iter(()) if first is None else chain([first], frames), self._stream))

    def _read_on(self, frames: Iterator[Stamped]) -> None:
        """Take the frames from here on, and keep the next one ready."""
        self._frames = deinterlaced(frames, self._stream)
        self._ahead = next(self._frames, None)


@contextmanager
def open_video(path: Path) -> Iterator[VideoReader]:
    """Yield a reader of a video file.

    Raises:
        ClipRejectedError: The file is not a video that can be decoded.
    """
    with ExitStack() as open_file:
        yield VideoReader(path, open_file)


def probe(path: Path) -> VideoInfo:
    """Return what the file says about its video, after decoding one frame.

    Raises:
        ClipRejectedError: The file is not a video that can be decoded.
    """
    with open_video(path) as reader:
        return reader.info


def read_frames(
    path: Path, start_s: float = 0.0, end_s: float | None = None, fps: float = 25.0, *, exact_colour: bool = True
) -> Iterator[VideoFrame]:
    """Yield the frames of one stretch as pictures; see `VideoReader.frames` and `VideoReader.picture`.

    Raises:
        ClipRejectedError: The file is not a video that can be decoded.
    """
    with open_video(path) as reader:
        for raw in reader.frames(start_s, end_s, fps):
            rgb = reader.picture(raw, exact_colour=exact_colour)
            yield VideoFrame(index=raw.index, pts_s=raw.pts_s, source_frame=raw.source_frame, rgb=rgb)


@dataclass(frozen=True, slots=True, kw_only=True)
class _PacketIndex:
    """Times of all frames and of the key frames, in stream units, sorted; read from packets, without decoding."""

    times: list[int]
    keys: list[int]

    @classmethod
    def read(cls, container: Any, stream: Any) -> "_PacketIndex":
        """Read the whole file; empty where a seek could come out wrong."""
        if not SEEKABLE & set(container.format.name.split(",")):
            return cls(times=[], keys=[])
        packets = [(packet.pts, packet.is_keyframe) for packet in container.demux(stream) if packet.size]
        if not packets or any(pts is None for pts, _ in packets):
            return cls(times=[], keys=[])
        return cls(times=sorted(pts for pts, _ in packets), keys=sorted(pts for pts, is_key in packets if is_key))

    def seconds(self, pts: int, stream: Any) -> float:
        """Return a time counted from the first frame."""
        return float((pts - self.times[0]) * stream.time_base)

    def key_before(self, time_s: float, stream: Any) -> int | None:
        """Return the last key frame that is not later; None if there is none but the first frame."""
        if not self.times:
            return None
        at = self.times[0] + round((time_s + TIME_TOLERANCE_S) / stream.time_base)
        place = bisect_right(self.keys, at)
        return self.keys[place - 1] if place > 0 and self.keys[place - 1] > self.times[0] else None

    def stamped(self, frames: Iterator[Any], stream: Any) -> Iterator[Stamped]:
        """Yield frames decoded from a key frame on with the numbers and times they have in the whole file."""
        for frame in frames:
            if frame.pts is not None:
                number = bisect_left(self.times, frame.pts)
                yield Stamped(frame=frame, number=number, pts_s=self.seconds(frame.pts, stream))


def _counted(frames: Iterator[Any], stream: Any) -> Iterator[Stamped]:
    """Yield the frames of a file from its first one on, numbered, with times counted from the first."""
    first = next(frames, None)
    if first is None:
        return
    for number, frame in enumerate(chain([first], frames)):
        if frame.pts is None or first.pts is None:  # raw streams have no clock
            yield Stamped(frame=frame, number=number, pts_s=number / float(stream.average_rate or 25))
        else:
            yield Stamped(frame=frame, number=number, pts_s=float((frame.pts - first.pts) * stream.time_base))


def _raw(slot: int, stamped: Stamped) -> RawFrame:
    return RawFrame(index=slot, pts_s=stamped.pts_s, source_frame=stamped.number, frame=stamped.frame)


def _info(container: Any, stream: Any, first: Stamped, rule: PictureRule) -> VideoInfo:
    width_px, height_px = rule.upright_size
    return VideoInfo(
        width_px=width_px,
        height_px=height_px,
        fps=float(stream.average_rate) if stream.average_rate else float("nan"),
        duration_s=duration_s(container, stream),
        codec=stream.codec_context.name,
        rotation_deg=rule.rotation_deg,
        colour_rule=rule.colour_rule,
        interlaced=first.interlaced,
    )
