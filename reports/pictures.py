"""Pictures for the page: small WebP images, each with words for those who do not see it."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from model.disclosure.label import label_below
from reports.media import Media

QUALITY = 82


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A published picture."""

    uri: str
    """Where the page finds it."""
    alt: str
    width: int
    height: int


def picture(image: UInt8[np.ndarray, "height width 3"], alt: str, media: Media) -> Picture:
    """Publish a recorded RGB picture, or a drawing.

    Args:
        image: RGB.
        alt: What it shows, in words.
        media: Where it goes.
    """
    done, data = cv2.imencode(".webp", image[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    if not done:
        raise RuntimeError("OpenCV could not encode a picture as WebP")
    return Picture(uri=media.add(bytes(data), "webp"), alt=alt, width=image.shape[1], height=image.shape[0])


def marked_picture(image: UInt8[np.ndarray, "height width 3"], alt: str, mark: str, media: Media) -> Picture:
    """Publish an RGB picture of what never happened, with its label in the pixels, on a strip below the frame."""
    return picture(label_below(image, text=mark), f"{mark}: {alt}", media)
