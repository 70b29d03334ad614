"""Labelled synthetic videos: nothing that shows a synthesised person leaves without saying so."""

import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import ffmpeg
import imageio_ffmpeg
import numpy as np
from jaxtyping import UInt8

from model.label import DigitalSourceType, label
from pipeline.audio import Sound, encode_flac
from weights.errors import HeadshotError
from weights.files import publish

STATEMENT = (
    "AI-generated: the person in this video was synthesised by headshot from still frames and the facial "
    "landmarks of another recording. It does not show anything the person did or said."
)


def write_video(
    frames: UInt8[np.ndarray, "frames height width 3"],
    path: Path,
    fps: float,
    *,
    source_type: DigitalSourceType = DigitalSourceType.GENERATED,
    sound: Sound | None = None,
) -> None:
    """Write the frames as H.264 in MP4, labelled in the picture and in the container's metadata.

    The metadata are `comment`, `description` and `digital_source_type` (an IPTC term). They are tags, which a
    re-encoding may drop; the label in the picture stays.

    Args:
        frames: RGB pictures; height and width even, as 4:2:0 colour needs.
        path: The video to write, ending in `.mp4`; it appears whole or not at all.
        fps: Frames per second.
        source_type: Whether the pictures are all synthetic or stand beside recorded ones.
        sound: What is heard, from the first frame on; written as AAC.

    Raises:
        ValueError: There is no frame, or a side is odd.
        HeadshotError: ffmpeg could not write the file.
    """
    if not len(frames) or frames.shape[1] % 2 or frames.shape[2] % 2:
        raise ValueError(f"frames of shape {frames.shape}: need one or more frames with even sides")
    with publish(path) as temporary, tempfile.NamedTemporaryFile(suffix=".flac") as track:
        if sound is not None:
            track.write(encode_flac(sound))
            track.flush()
        heard = Path(track.name) if sound is not None else None
        _encode(
            (label(frame[None])[0] for frame in frames),
            _command(temporary, frames.shape[2], frames.shape[1], fps, source_type, heard),
        )


def _command(
    path: Path, width: int, height: int, fps: float, source_type: DigitalSourceType, sound: Path | None
) -> list[str]:
    """Compile ffmpeg's arguments: raw RGB on standard input and a file of sound, tagged BT.709 H.264 and AAC out."""
    tags = {"comment": STATEMENT, "description": STATEMENT, "digital_source_type": source_type.value}
    stream = ffmpeg.input("pipe:", format="rawvideo", pix_fmt="rgb24", s=f"{width}x{height}", r=fps)
    stream = stream.filter("scale", out_color_matrix="bt709", out_range="tv")
    heard: dict[str, str] = {} if sound is None else {"acodec": "aac", "audio_bitrate": "192k"}
    stream = ffmpeg.output(
        *([stream] if sound is None else [stream, ffmpeg.input(str(sound))]),
        str(path),
        **heard,
        vcodec="libx264",
        pix_fmt="yuv420p",
        crf=16,
        preset="medium",
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
            raise HeadshotError(f"ffmpeg could not write {command[-2]} (exit code {code}): {reason}")


def _feed(frames: Iterable[UInt8[np.ndarray, "height width 3"]], pipe: IO[bytes]) -> None:
    try:
        with pipe:
            for frame in frames:
                pipe.write(np.ascontiguousarray(frame).data)
    except BrokenPipeError:
        return  # ffmpeg gave up; its exit code and message say why
