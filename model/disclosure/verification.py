"""Which marks a published file carries, read from the file alone."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
from jaxtyping import UInt8

from model.disclosure import credentials, watermark, xmp
from model.disclosure.certificate import Certificate
from model.disclosure.credentials import MIME, Credentials
from model.disclosure.label import DigitalSourceType
from model.disclosure.mark import RECORDED
from model.disclosure.watermark import Reading
from model.disclosure.xmp import Stated
from weights.errors import HeadshotError

MOST_FRAMES = 48
"""Of a video that are asked for the watermark, from its beginning; they vote together."""
_SYNTHETIC = frozenset(DigitalSourceType)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one file carries."""

    path: Path
    stated: Stated
    credentials: Credentials
    watermark: Reading | None
    """None where there are no pixels to read, or too few."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The marks that it does not carry, or not intact, in the words of the command line.

        The label counts as there where the metadata say that it is: only people can see it.
        """
        found = {
            "label": bool(self.stated.label),
            "source-type": self.stated.source_type in _SYNTHETIC,
            "credentials": self.credentials.validity == "valid" and self.credentials.source_type in _SYNTHETIC,
            "watermark": self.watermark is not None and self.watermark.found,
        }
        return tuple(name for name, there in found.items() if not there)

    @property
    def complete(self) -> bool:
        """Whether it verifies as synthetic by every mark."""
        return not self.missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What there is to verify in some paths."""

    files: tuple[Path, ...]
    recorded: int
    """Files in folders that say by their name that they show nothing synthetic."""


def find(paths: tuple[Path, ...]) -> Listing:
    """Return the pictures and videos among files and below folders.

    Raises:
        HeadshotError: A path is not there, a file is of another kind, or there is nothing to verify.
    """
    files: list[Path] = []
    recorded = 0
    for path in paths:
        if path.is_dir():
            inside = [one for one in sorted(path.rglob("[!.]*")) if one.is_file() and _suffix(one) in MIME]
            shown = [one for one in inside if not one.name.startswith(RECORDED)]
            files, recorded = files + shown, recorded + len(inside) - len(shown)
        elif not path.is_file():
            raise HeadshotError(f"{path} is not there; give pictures, videos, or folders of them")
        elif _suffix(path) not in MIME:
            raise HeadshotError(f"{path}: headshot marks files that end in {', '.join(MIME)}, and reads no others")
        else:
            files.append(path)
    if not files and not recorded:
        raise HeadshotError(
            f"no picture or video in {', '.join(map(str, paths))}; give files, or folders that hold some"
        )
    return Listing(files=tuple(files), recorded=recorded)


def verify(path: Path, known: Certificate | None = None) -> Verdict:
    """Return which marks a file carries.

    Args:
        path: A picture or a video.
        known: The certificate of this machine, to tell whether it signed.
    """
    content, suffix = path.read_bytes(), _suffix(path)
    try:
        reading = watermark.read(_frames(content, suffix))
    except _UnreadableError:
        reading = None
    return Verdict(
        path=path,
        stated=xmp.read(content),
        credentials=credentials.read(content, suffix, known),
        watermark=reading,
    )


class _UnreadableError(Exception):
    """There are no pixels, or too few for the watermark."""


def _frames(content: bytes, suffix: str) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    """Yield the picture, or the first frames of the video, as RGB."""
    for frame in _video(content) if suffix == ".mp4" else _picture(content):
        if not watermark.fits(*frame.shape[:2]):
            raise _UnreadableError
        yield frame


def _picture(content: bytes) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if decoded is None:
        raise _UnreadableError
    yield cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)


def _video(content: bytes) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
    try:
        with av.open(io.BytesIO(content), "r") as video:
            for frame in islice(video.decode(video=0), MOST_FRAMES):
                yield frame.to_ndarray(format="rgb24")
    except (av.FFmpegError, IndexError) as error:
        raise _UnreadableError from error


def _suffix(path: Path) -> str:
    return path.suffix.lower().replace(".jpeg", ".jpg")
