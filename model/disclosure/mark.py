"""The one way out: pictures and videos that show a synthesised person, as files with all their marks.

What is measured is never marked; what is shown is marked last: label, watermark, encoding, metadata, signature.
"""

from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from jaxtyping import UInt8

from model.disclosure import watermark
from model.disclosure.credentials import MIME, signed
from model.disclosure.label import label, label_below
from model.disclosure.statement import ALL, Marks, Shown
from model.disclosure.video import Coding, encode
from model.disclosure.xmp import packet, with_packet
from pipeline.audio import Sound
from weights.errors import HeadshotError
from weights.files import publish

Place = Literal["corner", "below", "drawn"]
"""Of the label: over the lower right corner, on a strip below the picture, or in the picture as it is given."""
PICTURE_SUFFIXES = (".png", ".jpg", ".webp")
RECORDED = "recorded-"
"""How the names of files begin that show nothing synthetic, in a folder of media that holds both."""


def marked_picture(
    picture: UInt8[np.ndarray, "height width 3"],
    suffix: str,
    shown: Shown,
    marks: Marks = ALL,
    *,
    place: Place = "below",
    quality: int = 92,
    full_colour: bool = False,
) -> bytes:
    """Return a picture as a file with its marks.

    Args:
        picture: RGB; what is synthetic in it, or beside it.
        suffix: `.png`, `.jpg` or `.webp`.
        shown: What it shows, for the metadata and the manifest.
        marks: Which marks.
        place: Of the label; a picture that has it (`drawn`) is not labelled again.
        quality: Of JPEG and WebP, up to 100.
        full_colour: Keep colour at full resolution in a JPEG, too.

    Raises:
        HeadshotError: The suffix is another one, or there is no certificate to sign with.
    """
    pixels = _pixels(picture, shown, marks, place)
    return _said(plain_picture(pixels, suffix, quality, full_colour=full_colour), suffix, shown, marks)


def plain_picture(
    picture: UInt8[np.ndarray, "height width 3"], suffix: str, quality: int = 92, *, full_colour: bool = False
) -> bytes:
    """Return a picture that shows nothing synthetic as a file; see `marked_picture`.

    Raises:
        HeadshotError: The suffix is another one.
    """
    if suffix not in PICTURE_SUFFIXES:
        *most, last = PICTURE_SUFFIXES
        raise HeadshotError(f"pictures are written with the endings {', '.join(most)} or {last}, not {suffix!r}")
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444 if full_colour else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    options = {
        ".jpg": [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling],
        ".webp": [cv2.IMWRITE_WEBP_QUALITY, quality],
    }
    done, encoded = cv2.imencode(suffix, np.ascontiguousarray(picture[..., ::-1]), options.get(suffix, []))
    if not done:
        raise RuntimeError(f"OpenCV could not encode a picture of shape {picture.shape} as {suffix}")
    return encoded.tobytes()


def marked_video(
    frames: UInt8[np.ndarray, "frames height width 3"],
    fps: float,
    shown: Shown,
    marks: Marks = ALL,
    *,
    place: Literal["corner", "drawn"] = "corner",
    coding: Coding | None = None,
    sound: Sound | None = None,
) -> bytes:
    """Return frames as H.264 in MP4 with their marks; the watermark is in every frame.

    Args:
        frames: RGB; height and width even, as 4:2:0 colour needs.
        fps: Frames per second.
        shown: What the video shows, for the metadata and the manifest.
        marks: Which marks.
        place: Of the label.
        coding: How closely it is encoded; nearly like the original if None.
        sound: What is heard, from the first frame on.

    Raises:
        ValueError: There is no frame, or a side is odd.
        HeadshotError: ffmpeg could not encode it, or there is no certificate to sign with.
    """
    height, width = frames.shape[1:3]
    if not len(frames) or height % 2 or width % 2:
        raise ValueError(f"frames of shape {frames.shape}: need one or more frames with even sides")
    tags = {"comment": shown.text, "description": shown.text}
    if marks.source_type:
        tags["digital_source_type"] = shown.source_type.value
    pixels = (_pixels(frame, shown, marks, place) for frame in frames)
    encoded = encode(pixels, (height, width), fps, tags=tags, coding=coding or Coding(), sound=sound)
    return _said(encoded, ".mp4", shown, marks)


def write_picture(
    path: Path,
    picture: UInt8[np.ndarray, "height width 3"],
    shown: Shown | None,
    marks: Marks = ALL,
    *,
    place: Place = "below",
) -> None:
    """Write a marked picture, or a plain one where nothing synthetic is shown; it appears whole or not at all.

    Raises:
        HeadshotError: The name has no ending of `PICTURE_SUFFIXES`; see `marked_picture`.
    """
    suffix = path.suffix.lower().replace(".jpeg", ".jpg")
    if shown is None:
        write(path, plain_picture(picture, suffix))
    else:
        write(path, marked_picture(picture, suffix, shown, marks, place=place))


def write(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all."""
    with publish(path) as temporary:
        temporary.write_bytes(content)


def _pixels(
    picture: UInt8[np.ndarray, "height width 3"], shown: Shown, marks: Marks, place: Place
) -> UInt8[np.ndarray, "height_then width 3"]:
    """Return the picture with the marks that are in its pixels."""
    if marks.label and place == "below":
        picture = label_below(picture, text=shown.label)
    if marks.label and place == "corner":
        picture = label(picture, shown.label)
    return watermark.embed(picture) if marks.watermark else picture


def _said(encoded: bytes, suffix: str, shown: Shown, marks: Marks) -> bytes:
    """Return the file with the marks that are beside its pixels; the signature comes last and covers all."""
    assert suffix in MIME
    content = with_packet(encoded, suffix, packet(shown, marks))
    return signed(content, suffix, shown, marks) if marks.credentials else content
