"""The sound track of a video file: a stretch of it, piece by piece, at the times of the frames.

Sound that cannot be had costs no clip. Why there is none, or why it ends early, is one of `SoundFlaw`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from jaxtyping import Int16

from manifests.schema import Clip
from pipeline.audio import LAYOUTS, FlacEncoder, Sound
from pipeline.config import PipelineConfig
from pipeline.container import OPEN_OPTIONS
from pipeline.deadline import Deadline
from pipeline.verdicts import ClipRejectedError, SoundFlaw
from pipeline.video import SEEK_BEYOND_S, open_video

SEEKABLE = {"mp4", "matroska", "flv"}
"""Containers in which sound found by a seek has the same times as when read from the start."""
PREROLL_S = 1.0
"""Decoded before the stretch and thrown away: codecs need what came before to give the same samples."""
IN_STEP_S = 0.04
"""How far samples may drift from their time stamps: a frame of a video at 25 fps."""
SOUND_SHARE = 1 / 16
"""Of the memory of a clip: an encoded sound is held several times while it is written. That is an hour in stereo."""
UP_TO_THE_FLAW = {SoundFlaw.DAMAGED, SoundFlaw.DISCONTINUOUS}
"""Flaws of a place in the track, before which the sound is good. What is cut off by a limit is left out as a whole,
because the next run could cut it elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time, counted from the first frame of the video file; the end is not part of it."""

    start_s: float
    end_s: float

    @classmethod
    def of_frames(cls, clip: Clip, first_s: float, last_s: float, config: PipelineConfig) -> "Span":
        """Return the time of the stored frames of a clip: until the last one is over, but no longer than the clip."""
        over_s = last_s + 1 / config.fps
        return cls(start_s=first_s, end_s=over_s if clip.end_s is None else min(over_s, clip.end_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class CutSound:
    """What became of the sound of a clip."""

    flac: bytes
    """Empty where there is no sound."""
    samples: int
    channels: int
    rate_hz: int
    start_s: float
    """Time of the first sample, counted from the first frame of the video file."""
    flaw: SoundFlaw | None
    """Why there is no sound, or why it ends early; None if it is whole."""
    detail: str


class SoundFlawError(Exception):
    """Raised where a track has no (more) sound to give; never leaves the work on a clip."""

    def __init__(self, flaw: SoundFlaw, detail: str) -> None:
        super().__init__(f"{flaw}: {detail}")
        self.flaw = flaw
        self.detail = detail


def cut_sound(path: Path, origin_s: float, span: Span, config: PipelineConfig) -> CutSound:
    """Return the sound of a stretch as FLAC; whatever is wrong with the track is said in the result.

    Only a piece is held as samples, so memory grows with the encoded sound alone, and that is bounded.

    Args:
        path: Video file, known to be one that can be read.
        origin_s: Time of its first frame by the clock of the file, see `VideoReader.origin_s`.
        span: The stretch.
        config: Gives the limits of a clip.
    """
    try:
        return _encoded(path, origin_s, span, config)
    except SoundFlawError as error:
        return _no_sound(error.flaw, error.detail)
    except ClipRejectedError as late:
        return _no_sound(SoundFlaw.TIMEOUT, late.verdict.detail)
    except MemoryError:
        return _no_sound(SoundFlaw.TOO_LARGE, "asked for more memory than a clip may take")
    except Exception as error:  # the pictures are good: no fault of the sound may take them along
        return _no_sound(SoundFlaw.FAILED, f"{type(error).__name__}: {error}")


def _encoded(path: Path, origin_s: float, span: Span, config: PipelineConfig) -> CutSound:
    deadline, limit_bytes = Deadline(config), SOUND_SHARE * config.clip_memory_mib * 2**20
    first: Sound | None = None
    samples, flaw, detail = 0, None, ""
    try:
        for piece in sound_pieces(path, origin_s, span):
            deadline.check()
            if first is None:
                first, encoder = piece, FlacEncoder(piece.rate_hz, piece.samples.shape[1])
            encoder.add(piece.samples)
            samples += len(piece.samples)
            if encoder.size_bytes > limit_bytes:
                raise SoundFlawError(SoundFlaw.TOO_LARGE, f"more than {limit_bytes / 2**20:.0f} MiB as FLAC")
    except SoundFlawError as error:
        if first is None or error.flaw not in UP_TO_THE_FLAW:
            raise
        flaw, detail = error.flaw, error.detail
    assert first is not None  # or there would have been a flaw
    return CutSound(
        flac=encoder.finish(),
        samples=samples,
        channels=first.samples.shape[1],
        rate_hz=first.rate_hz,
        start_s=first.start_s,
        flaw=flaw,
        detail=detail,
    )


def _no_sound(flaw: SoundFlaw, detail: str) -> CutSound:
    return CutSound(flac=b"", samples=0, channels=0, rate_hz=0, start_s=0.0, flaw=flaw, detail=detail)


def read_sound(path: Path, span: Span) -> Sound | None:
    """Return a stretch of the first sound track of a video, up to the first damage; None where there is none.

    Raises:
        ClipRejectedError: The file is not a video that can be decoded.
    """
    pieces: list[Sound] = []
    with open_video(path) as reader:
        origin_s = reader.origin_s
    try:
        for piece in sound_pieces(path, origin_s, span):
            pieces.append(piece)  # noqa: PERF402  (what came before a flaw is kept)
    except SoundFlawError:
        if not pieces:
            return None
    samples = np.concatenate([piece.samples for piece in pieces])
    return Sound(samples=samples, rate_hz=pieces[0].rate_hz, start_s=pieces[0].start_s)


def sound_pieces(path: Path, origin_s: float, span: Span) -> Iterator[Sound]:
    """Yield a stretch of the first sound track of a video in pieces that follow each other without a gap.

    Samples are 16 bit; more than two channels are mixed down to two. Time stamps place the first sample, the others
    are counted from there: stamps are rounded, samples are not.

    Raises:
        SoundFlawError: There is no sound at that time, or none from some place on.
    """
    following: int | None = None
    for run in _runs(path, origin_s + span.start_s):
        begin, end = round(span.start_s * run.rate_hz), round(span.end_s * run.rate_hz)
        place = round((run.start_s - origin_s) * run.rate_hz)
        if following is not None:
            if abs(place - following) > IN_STEP_S * run.rate_hz and following < end:
                raise SoundFlawError(
                    SoundFlaw.DISCONTINUOUS,
                    f"at {following / run.rate_hz:.2f} s the time stamps go on with {place / run.rate_hz:.2f} s",
                )
            place = following
        if place >= end:
            break
        samples = run.samples[max(begin - place, 0) : end - place]
        if len(samples):
            following = place + len(run.samples)
            yield Sound(samples=samples, rate_hz=run.rate_hz, start_s=max(place, begin) / run.rate_hz)
    if following is None:
        raise SoundFlawError(
            SoundFlaw.NO_SAMPLES, f"the track is empty from {span.start_s:.2f} s to {span.end_s:.2f} s"
        )


def _runs(path: Path, begin_s: float, *, seek: bool = True) -> Iterator[Sound]:
    """Yield what the decoder gives, from before `begin_s` on, at times of the file's clock."""
    container: Any
    with av.open(str(path), options=OPEN_OPTIONS, metadata_errors="replace") as container:
        stream = _track(container)
        entry_s = begin_s - PREROLL_S
        origin_s = float((stream.start_time or 0) * stream.time_base)
        sought = seek and entry_s - origin_s > SEEK_BEYOND_S and bool(SEEKABLE & set(container.format.name.split(",")))
        if sought:
            container.seek(int(entry_s / stream.time_base), stream=stream, backward=True)
        runs = _resampled(_decoded(container, stream, begin_s), stream)
        first = next(runs, None)
        if not sought or (first is not None and first.start_s <= begin_s):
            yield from () if first is None else chain([first], runs)
            return
    yield from _runs(path, begin_s, seek=False)  # it did not go where it was told to


def _track(container: Any) -> Any:
    if not container.streams.audio:
        raise SoundFlawError(SoundFlaw.NO_TRACK, "the file has no sound track")
    stream = container.streams.audio[0]
    if stream.codec_context is None or not stream.rate or not stream.channels:
        raise SoundFlawError(SoundFlaw.UNSUPPORTED, "the sound track is of an unknown codec or says no rate")
    return stream


def _decoded(container: Any, stream: Any, begin_s: float) -> Iterator[Any]:
    """Yield decoded frames; damage before `begin_s` is passed over, because frames of sound stand by themselves."""
    packets = container.demux(stream)
    while True:
        packet = None
        try:
            packet = next(packets, None)
            if packet is None:
                return
            frames = packet.decode()
            damaged = packet.is_corrupt or any(frame.is_corrupt for frame in frames)
        except MemoryError:  # FFmpeg's is an FFmpegError too, but says nothing about the file
            raise
        except av.EOFError:
            return
        except av.FFmpegError:
            frames, damaged = [], True
        if not damaged:
            yield from frames
        elif packet is None or packet.pts is None or (packet.pts + (packet.duration or 0)) * stream.time_base > begin_s:
            raise SoundFlawError(SoundFlaw.DAMAGED, "the sound track cannot be decoded from some place on")


def _resampled(frames: Iterator[Any], stream: Any) -> Iterator[Sound]:
    """Yield the samples as 16 bit in one or two channels, at times of the file's clock."""
    channels = min(stream.channels, 2)  # surround sound is mixed down
    resampler: Any = av.AudioResampler(format="s16", layout=LAYOUTS[channels], rate=stream.rate)
    following_s = 0.0
    for decoded in frames:
        try:
            resampled = resampler.resample(decoded)
        except ValueError as error:
            raise SoundFlawError(SoundFlaw.DAMAGED, f"the sound track changes its format: {error}") from error
        for frame in resampled:
            samples: Int16[np.ndarray, "samples channels"] = frame.to_ndarray().reshape(-1, channels)
            start_s = following_s if frame.pts is None else float(frame.pts * frame.time_base)
            following_s = start_s + len(samples) / stream.rate
            yield Sound(samples=samples, rate_hz=stream.rate, start_s=start_s)
