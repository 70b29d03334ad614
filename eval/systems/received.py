"""Frames that somebody else's program left on disk: read only where they are exactly what was asked for."""

import os
import stat
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import UInt8

Frame = UInt8[np.ndarray, "size size 3"]
Found = dict[int, Frame | str]
"""By place in the task: a frame, or why there is none."""

MISSING = "missing: was not written"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_EIGHT_BITS, _RGB = 8, 2


class NotAFrameError(ValueError):
    """A picture is not the frame that was asked for; the message is the reason."""


def read_pngs(paths: Sequence[Path], size_px: int) -> Found:
    """Return the frame in each file, or why there is none.

    Nothing but a file at that very place counts: behind a link there could be anything.

    Args:
        paths: Where frames were to be written; their folder has no link in its path.
        size_px: Side of a frame.
    """
    found: Found = {}
    for place, path in enumerate(paths):
        try:
            found[place] = decode_png(_bytes_of(path, most_bytes=_most_bytes(size_px)), size_px)
        except NotAFrameError as error:
            found[place] = str(error)
    return found


def read_video(path: Path, count: int, size_px: int) -> Found:
    """Return the frames of a video in the order in which they are shown.

    A video does not say which frame is which. One with more or fewer frames than asked for fails as a whole.
    """
    frames: list[Frame] = []
    try:
        _check_place(path)
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                if (frame.width, frame.height) != (size_px, size_px):
                    raise NotAFrameError(_wrong_size(frame.width, frame.height, size_px))
                if len(frames) == count:
                    raise NotAFrameError(f"bad_output: the video has more than the {count} frames asked for")
                frames.append(np.asarray(frame.to_ndarray(format="rgb24")))
        if len(frames) < count:
            raise NotAFrameError(f"bad_output: the video has {len(frames)} frames, {count} were asked for")
    except NotAFrameError as error:
        return dict.fromkeys(range(count), str(error))
    except (av.FFmpegError, IndexError, ValueError) as error:
        return dict.fromkeys(range(count), f"bad_output: the video cannot be decoded ({error})")
    return dict(enumerate(frames))


def read_parquet(path: Path, count: int, size_px: int) -> Found:
    """Return the frames of a table with the columns `frame`, the place from 0, and `image`, a PNG.

    An image is binary, or a struct with the field `bytes` as Hugging Face writes them. Rows may come in any order.
    """
    try:
        _check_place(path)
        table = pq.read_table(path, columns=["frame", "image"])
        rows = list(zip(table["frame"].to_pylist(), table["image"].to_pylist(), strict=True))
    except NotAFrameError as error:
        return dict.fromkeys(range(count), str(error))
    except (pa.ArrowInvalid, KeyError, OSError) as error:
        return dict.fromkeys(range(count), f"bad_output: the table cannot be read ({error})")
    places = [place for place, _ in rows]
    strays = [place for place in places if place not in range(count)]
    if strays:
        return dict.fromkeys(range(count), _not_asked(f"frame {strays[0]}", count))
    found: Found = dict.fromkeys(range(count), MISSING)
    for place, image in rows:
        data = image["bytes"] if isinstance(image, dict) else image
        if places.count(place) > 1:
            found[place] = "bad_output: the frame is there more than once"
        elif isinstance(data, bytes):
            found[place] = _decoded_or_reason(data, size_px)
    return found


def read_folder(folder: Path, count: int, size_px: int) -> Found:
    """Return the frames `00000.png`, `00001.png` and so on of a folder.

    A picture with another number means that the counting is another one than ours: then no frame is what its name says,
    and all of them fail.
    """
    names = frame_names(count)
    stray = next((path.name for path in sorted(folder.glob("*.png")) if path.name not in names), None)
    if stray is not None:
        return dict.fromkeys(range(count), _not_asked(stray, count))
    return read_pngs([folder / name for name in names], size_px)


def frame_names(count: int) -> list[str]:
    """Return the file names of frames, by place."""
    return [f"{place:05d}.png" for place in range(count)]


def decode_png(data: bytes, size_px: int) -> Frame:
    """Return the picture in a PNG of 8-bit RGB and just this size.

    Size and checksums are looked at before anything is decoded: a decoder would make a picture out of half a file, and
    would take all memory for one that says it is large.

    Raises:
        NotAFrameError: It is something else.

    Source: PNG specification (third edition), sections 5.2 to 5.6 and 11.2.1.
    """
    if not data.startswith(_SIGNATURE):
        raise NotAFrameError(f"bad_output: is no PNG, it begins with {data[:4]!r}" if data else "bad_output: is empty")
    if len(data) < 33:
        raise NotAFrameError("bad_output: is cut off")
    width, height, depth, colours = struct.unpack(">IIBB", data[16:26])
    if (width, height) != (size_px, size_px):
        raise NotAFrameError(_wrong_size(width, height, size_px))
    if (depth, colours) != (_EIGHT_BITS, _RGB):
        raise NotAFrameError(f"bad_output: is a PNG of {depth} bits and colour type {colours}, not of 8-bit RGB (2)")
    _check_chunks(data)
    frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if frame is None or frame.shape != (size_px, size_px, 3):
        raise NotAFrameError("bad_output: cannot be decoded")
    return np.ascontiguousarray(frame[..., ::-1])


def _check_chunks(data: bytes) -> None:
    start = len(_SIGNATURE)
    while start + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, start)
        kind, end = data[start + 4 : start + 8], start + 8 + length
        if end + 4 > len(data):
            break
        if struct.unpack_from(">I", data, end)[0] != zlib.crc32(data[start + 4 : end]):
            raise NotAFrameError("bad_output: is damaged, a checksum does not fit")
        if kind == b"IEND":
            return
        start = end + 4
    raise NotAFrameError("bad_output: is cut off")


def _decoded_or_reason(data: bytes, size_px: int) -> Frame | str:
    try:
        return decode_png(data, size_px)
    except NotAFrameError as error:
        return str(error)


def _bytes_of(path: Path, most_bytes: int) -> bytes:
    """Return the content of a file, without following a link to it or waiting for a pipe."""
    _check_place(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise NotAFrameError(f"bad_output: cannot be opened ({error.strerror})") from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NotAFrameError("bad_output: is no file")
        if status.st_size > most_bytes:
            raise NotAFrameError(f"bad_output: is a file of {status.st_size} bytes, too much for one frame")
        return file.read()


def _check_place(path: Path) -> None:
    if not os.path.lexists(path):
        raise NotAFrameError(MISSING)
    if os.path.realpath(path) != str(path):
        raise NotAFrameError("bad_output: lies behind a link")
    if not path.is_file():
        raise NotAFrameError("bad_output: is no file")


def _most_bytes(size_px: int) -> int:
    """Return more than any PNG of that size takes, with room for what programs write into it besides."""
    return 2 * size_px * size_px * 3 + 2**20


def _wrong_size(width: int, height: int, size_px: int) -> str:
    return f"bad_output: is {width} x {height} pixels, {size_px} x {size_px} were asked for"


def _not_asked(what: str, count: int) -> str:
    return f"bad_output: {what} was not asked for: frames are counted from 0 to {count - 1}"


READERS: dict[str, Callable[[Path, int, int], Found]] = {
    "": read_folder,
    ".parquet": read_parquet,
    ".mp4": read_video,
    ".webm": read_video,
}
"""How the frames of a task are read that lie under its name with one of these endings; "" is a folder."""
