"""Sound as samples, and as the FLAC files in which it is stored."""

import io
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from jaxtyping import Int16

LAYOUTS = {1: "mono", 2: "stereo"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """Samples of one stretch; what was not recorded is absent, never filled with silence."""

    samples: Int16[np.ndarray, "samples channels"]
    rate_hz: int
    start_s: float
    """Time of the first sample, counted from the first frame of the video file, or of the clip in a dataset."""


class FlacEncoder:
    """Makes a FLAC file of samples that come piece by piece; nothing is lost.

    The same samples give the same bytes, in whatever pieces they come.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz, self._layout = rate_hz, LAYOUTS[channels]
        self._file = io.BytesIO()
        options = {"fflags": "+bitexact", "metadata_header_padding": "0"}
        self._container: Any = av.open(self._file, "w", format="flac", options=options)
        self._stream = self._container.add_stream("flac", rate=rate_hz, layout=self._layout, format="s16")

    @property
    def size_bytes(self) -> int:
        """Bytes written so far."""
        return self._file.tell()

    def add(self, samples: Int16[np.ndarray, "samples channels"]) -> None:
        """Append samples."""
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.reshape(1, -1)), "s16", self._layout)
        frame.sample_rate = self._rate_hz
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> bytes:
        """Return the file; nothing can be added any more."""
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._file.getvalue()


def encode_flac(sound: Sound) -> bytes:
    """Return the samples as a FLAC file."""
    encoder = FlacEncoder(sound.rate_hz, sound.samples.shape[1])
    encoder.add(sound.samples)
    return encoder.finish()


def decode_flac(encoded: bytes) -> Int16[np.ndarray, "samples channels"]:
    """Return the samples of a FLAC file."""
    container: Any
    with av.open(io.BytesIO(encoded)) as container:
        stream = container.streams.audio[0]
        parts = [frame.to_ndarray().reshape(-1, stream.channels) for frame in container.decode(stream)]
    return np.concatenate(parts)
