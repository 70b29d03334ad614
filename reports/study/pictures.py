"""Pictures of a trial: encoded alike, equally many bytes each, and obvious fakes."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import UInt8

QUALITY = 95
SWIRL_DEG = 150.0
"""How far the middle of a face is turned in a catch trial."""
_COMMENT_HEAD = 4
"""Marker and length of a JPEG comment."""
_MOST_IN_COMMENT = 65_533


def encode(image: UInt8[np.ndarray, "height width 3"]) -> bytes:
    """Return an RGB picture as JPEG, colour at full resolution, without any metadata."""
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    done, data = cv2.imencode(".jpg", image[..., ::-1], options)
    if not done:
        raise RuntimeError("OpenCV could not encode a picture as JPEG")
    return bytes(data)


def equally_long(pictures: Sequence[bytes]) -> list[bytes]:
    """Return JPEG files with comments of blanks behind their first marker, so that all are as long as the longest.

    A generated frame is often smoother than a real one and makes a smaller file; its length would give it away.
    """
    longest = max(map(len, pictures), default=0) + _COMMENT_HEAD
    return [_padded(one, longest - len(one)) for one in pictures]


def swirled(image: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height width 3"]:
    """Return a picture whose middle is turned like a whirl, less farther out: nobody takes it for a photograph."""
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    dx, dy = x - (width - 1) / 2, y - (height - 1) / 2
    radius = np.hypot(dx, dy) / (min(height, width) / 2)
    turn = np.deg2rad(SWIRL_DEG) * np.clip(1 - radius, 0, 1)
    cos, sin = np.cos(turn), np.sin(turn)
    at_x, at_y = dx * cos - dy * sin + (width - 1) / 2, dx * sin + dy * cos + (height - 1) / 2
    turned = cv2.remap(
        image, at_x.astype(np.float32), at_y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(turned)


def _padded(jpeg: bytes, missing: int) -> bytes:
    """Return a JPEG file with so many more bytes of comment (ITU-T T.81, B.2.4.5); at least `_COMMENT_HEAD` or none."""
    comments = []
    while missing:
        size = min(missing, _COMMENT_HEAD + _MOST_IN_COMMENT)
        if 0 < missing - size < _COMMENT_HEAD:
            size -= _COMMENT_HEAD  # what is left has to hold a comment, too
        comments.append(b"\xff\xfe" + (size - 2).to_bytes(2, "big") + b" " * (size - _COMMENT_HEAD))
        missing -= size
    return jpeg[:2] + b"".join(comments) + jpeg[2:]
