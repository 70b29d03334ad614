"""The sound of a clip, cut to the same stretch as its frames."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from jaxtyping import Int16

from pipeline.container import OPEN_OPTIONS

LAYOUTS = {1: "mono", 2: "stereo"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """Samples of one stretch; what was not recorded is absent, never filled with silence."""

    samples: Int16[np.ndarray, "samples channels"]
    rate_hz: int
    start_s: float
    """Time of the first sample, counted from the first frame of the video file."""


def read_sound(path: Path, start_s: float, end_s: float) -> Sound | None:
    """Return the first sound track of a video between two times; None where there is none.

    Args:
        path: Video file, known to be one that can be read.
        start_s: Start, counted from the first frame of the file, as clips are.
        end_s: End (exclusive).
    """
    container: Any
    with av.open(str(path), options=OPEN_OPTIONS) as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        video = container.streams.video[0]
        origin_s = float((video.start_time or 0) * video.time_base)
        channels = min(stream.channels, 2)  # surround sound is mixed down
        resampler: Any = av.AudioResampler(format="s16", layout=LAYOUTS[channels], rate=stream.rate)
        parts: list[np.ndarray] = []
        first: int | None = None
        wanted = round(start_s * stream.rate), round(end_s * stream.rate)
        for decoded in container.decode(stream):
            for frame in resampler.resample(decoded):
                samples = frame.to_ndarray().reshape(-1, channels)
                at = round((float(frame.pts * frame.time_base) - origin_s) * stream.rate)
                low, high = max(wanted[0] - at, 0), min(wanted[1] - at, len(samples))
                if low < high:
                    first = at + low if first is None else first
                    parts.append(samples[low:high])
            if parts and at >= wanted[1]:
                break
    if first is None:
        return None
    return Sound(samples=np.concatenate(parts), rate_hz=stream.rate, start_s=first / stream.rate)


def encode_flac(sound: Sound) -> bytes:
    """Return the samples as a FLAC file: nothing is lost, and the same samples give the same bytes."""
    target = io.BytesIO()
    layout = LAYOUTS[sound.samples.shape[1]]
    with av.open(target, "w", format="flac", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("flac", rate=sound.rate_hz, layout=layout, format="s16")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.samples.reshape(1, -1)), "s16", layout)
        frame.sample_rate = sound.rate_hz
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return target.getvalue()


def decode_flac(encoded: bytes) -> Int16[np.ndarray, "samples channels"]:
    """Return the samples of a FLAC file."""
    container: Any
    with av.open(io.BytesIO(encoded)) as container:
        stream = container.streams.audio[0]
        parts = [frame.to_ndarray().reshape(-1, stream.channels) for frame in container.decode(stream)]
    return np.concatenate(parts)
