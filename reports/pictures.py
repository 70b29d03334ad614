"""Pictures for the page: small WebP images inside the page itself, each with words for those who do not see it."""

import base64
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from model.label import label_below

QUALITY = 82


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An encoded picture."""

    uri: str
    """A `data:` address."""
    alt: str
    width: int
    height: int


def picture(image: UInt8[np.ndarray, "height width 3"], alt: str) -> Picture:
    """Return a recorded RGB picture, or a drawing, ready for the page.

    Args:
        image: RGB.
        alt: What it shows, in words.
    """
    done, data = cv2.imencode(".webp", image[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    if not done:
        raise RuntimeError("OpenCV could not encode a picture as WebP")
    encoded = base64.b64encode(bytes(data)).decode("ascii")
    return Picture(uri=f"data:image/webp;base64,{encoded}", alt=alt, width=image.shape[1], height=image.shape[0])


def marked_picture(image: UInt8[np.ndarray, "height width 3"], alt: str, mark: str) -> Picture:
    """Return an RGB picture of what never happened, with its label in the pixels, on a strip below the frame."""
    return picture(label_below(image, text=mark), f"{mark}: {alt}")
