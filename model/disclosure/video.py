"""Frames to H.264 in MP4, in memory."""

import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import ffmpeg
import imageio_ffmpeg
import numpy as np
from jaxtyping import UInt8

from pipeline.audio import Sound, encode_flac
from weights.errors import HeadshotError


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """How closely and how slowly a video is encoded."""

    crf: int = 16
    """Constant rate factor: 16 looks like the original, 23 is usual on the web."""
    preset: str = "medium"
    keyframe_every: int = 250
    """Frames; with 1, a player can jump to any frame at once."""


def encode(
    frames: Iterable[UInt8[np.ndarray, "height width 3"]],
    size: tuple[int, int],
    fps: float,
    *,
    tags: dict[str, str],
    coding: Coding,
    sound: Sound | None = None,
) -> bytes:
    """Return the frames as an MP4 file, which begins with its index, so that a browser can start at once.

    Args:
        frames: RGB pictures.
        size: Their height and width, both even, as 4:2:0 colour needs.
        fps: Frames per second.
        tags: Metadata of the container.
        coding: How.
        sound: What is heard, from the first frame on; as AAC.

    Raises:
        HeadshotError: ffmpeg could not encode them.
    """
    with tempfile.TemporaryDirectory() as folder:
        path, track = Path(folder) / "video.mp4", Path(folder) / "sound.flac"
        if sound is not None:
            track.write_bytes(encode_flac(sound))
        _encode(frames, _command(path, size, fps, tags, coding, track if sound is not None else None))
        return path.read_bytes()


def _command(
    path: Path, size: tuple[int, int], fps: float, tags: dict[str, str], coding: Coding, sound: Path | None
) -> list[str]:
    """Compile ffmpeg's arguments: raw RGB on standard input and a file of sound, tagged BT.709 H.264 and AAC out."""
    height, width = size
    stream = ffmpeg.input("pipe:", format="rawvideo", pix_fmt="rgb24", s=f"{width}x{height}", r=fps)
    stream = stream.filter("scale", out_color_matrix="bt709", out_range="tv")
    heard: dict[str, str] = {} if sound is None else {"acodec": "aac", "audio_bitrate": "192k"}
    stream = ffmpeg.output(
        *([stream] if sound is None else [stream, ffmpeg.input(str(sound))]),
        str(path),
        **heard,
        vcodec="libx264",
        pix_fmt="yuv420p",
        crf=coding.crf,
        preset=coding.preset,
        g=coding.keyframe_every,
        movflags="+faststart+use_metadata_tags",
        color_primaries="bt709",
        color_trc="bt709",
        colorspace="bt709",
        **{f"metadata:g:{place}": f"{key}={value}" for place, (key, value) in enumerate(tags.items())},
    )
    stream = stream.global_args("-nostdin", "-loglevel", "error")
    command: list[str] = ffmpeg.compile(stream, cmd=imageio_ffmpeg.get_ffmpeg_exe(), overwrite_output=True)
    return command


def _encode(frames: Iterable[UInt8[np.ndarray, "height width 3"]], command: list[str]) -> None:
    """Feed the frames to ffmpeg one by one; its messages go to a file, because an unread pipe would block it."""
    with tempfile.TemporaryFile() as messages:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=messages)
        assert process.stdin is not None
        try:
            _feed(frames, process.stdin)
        finally:
            code = process.wait()
        if code:
            messages.seek(0)
            reason = messages.read().decode(errors="replace").strip()
            raise HeadshotError(f"ffmpeg could not encode the video (exit code {code}): {reason}")


def _feed(frames: Iterable[UInt8[np.ndarray, "height width 3"]], pipe: IO[bytes]) -> None:
    try:
        with pipe:
            for frame in frames:
                pipe.write(np.ascontiguousarray(frame).data)
    except BrokenPipeError:
        return  # ffmpeg gave up; its exit code and message say why
