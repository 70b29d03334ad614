"""Pictures to bytes and back."""

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
from jaxtyping import UInt8

from pipeline.config import PipelineConfig

SUFFIX = {"jpeg": ".jpg", "png": ".png", "webp": ".webp"}


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


def decode(encoded: bytes) -> UInt8[np.ndarray, "height width 3"]:
    """Return the picture.

    Raises:
        ValueError: The bytes are not a picture.
    """
    bgr = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ValueError(f"{len(encoded)} bytes are not a picture this can decode")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """Keep OpenCV to one thread: where one process per core is at work, its threads only get in each other's way."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
