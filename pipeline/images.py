"""Pictures to bytes and back."""

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import simplejpeg
from jaxtyping import UInt8

from pipeline.config import PipelineConfig

SUFFIX = {"jpeg": ".jpg", "png": ".png", "webp": ".webp"}
JPEG_START = b"\xff\xd8"


def encode(rgb: UInt8[np.ndarray, "height width 3"], config: PipelineConfig) -> bytes:
    """Return the picture in the configured format; the same picture gives the same bytes."""
    suffix = SUFFIX[config.image_format]
    options = {
        "jpeg": [
            cv2.IMWRITE_JPEG_QUALITY,
            config.jpeg_quality,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
        ],
        "png": [cv2.IMWRITE_PNG_COMPRESSION, 6],
        "webp": [cv2.IMWRITE_WEBP_QUALITY, 101],  # above 100: lossless
    }[config.image_format]
    done, encoded = cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    assert done, "OpenCV reports every failure of imencode by exception"
    return encoded.tobytes()


def decode(
    encoded: bytes, out: UInt8[np.ndarray, "height width 3"] | None = None
) -> UInt8[np.ndarray, "height width 3"]:
    """Return the picture as RGB.

    JPEG goes through simplejpeg: the same libjpeg-turbo and the same pixels as OpenCV, a quarter less time.

    Args:
        encoded: A file in any of the formats of `encode`.
        out: Where to put the pixels; must have the size of the picture.

    Raises:
        ValueError: The bytes are not a picture, or a damaged one.
    """
    if encoded.startswith(JPEG_START):
        rgb = simplejpeg.decode_jpeg(encoded, buffer=out)
        if out is not None and rgb.shape != out.shape:
            raise ValueError(f"the picture has the shape {rgb.shape}, not {out.shape}")
        return np.asarray(rgb)
    rgb = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR_RGB)
    if rgb is None:
        raise ValueError(f"{len(encoded)} bytes are not a picture this can decode")
    if out is None:
        return np.asarray(rgb)
    out[...] = rgb
    return out


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """Keep OpenCV to one thread: where one process per core is at work, its threads only get in each other's way."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
