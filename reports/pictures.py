"""Pictures for the page: small WebP images, each with words for those who do not see it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from model.disclosure.label import ALTERED, DigitalSourceType, label_below
from model.disclosure.mark import plain_picture
from model.disclosure.statement import Shown
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
    uri = media.add(plain_picture(image, ".webp", QUALITY), "webp", recorded=True)
    return Picture(uri=uri, alt=alt, width=image.shape[1], height=image.shape[0])


def marked_picture(image: UInt8[np.ndarray, "height width 3"], alt: str, mark: str, media: Media) -> Picture:
    """Publish an RGB picture of what never happened, with all marks; its label is on a strip below the frame."""
    shown = shown_as(mark, alt)
    whole = label_below(image, text=mark) if media.marks.label else image
    uri = media.add_synthetic(whole, "webp", shown, place="drawn", quality=QUALITY)
    return Picture(uri=uri, alt=shown.description, width=whole.shape[1], height=whole.shape[0])


def shown_as(mark: str, about: str) -> Shown:
    """Return what a picture with this label shows, for its metadata."""
    source_type = DigitalSourceType.ALTERED if mark == ALTERED else DigitalSourceType.GENERATED
    return Shown(description=f"{mark}: {about}", source_type=source_type, label=mark)
