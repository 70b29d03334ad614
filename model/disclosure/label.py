"""The label on every picture of a synthesised person, in the picture and in the words of its metadata."""

from enum import StrEnum

import cv2
import numpy as np
from jaxtyping import UInt8

LABEL = "AI-generated"
ALTERED = "Altered"
"""For recorded frames that were bent by a formula: no AI, but not what happened either."""
LABEL_FRACTION = 1 / 11
"""Height of the label's bar as a fraction of the picture's height."""
BAR_RGB = (44, 48, 56)
FONT = cv2.FONT_HERSHEY_SIMPLEX


class DigitalSourceType(StrEnum):
    """The IPTC terms that fit what headshot makes.

    Source: IPTC NewsCodes, controlled vocabulary Digital Source Type.
    """

    GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    """Every pixel came out of a trained network."""
    COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
    """Synthesised pictures beside recorded ones."""
    ALTERED = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic"
    """Recorded pictures that were bent by a formula, without a trained network."""


def label(picture: UInt8[np.ndarray, "height width 3"], text: str = LABEL) -> UInt8[np.ndarray, "height width 3"]:
    """Return a copy of the picture with the label on a dark bar in the lower right corner.

    The lower right is the synthesised half where the two halves stand side by side.

    Args:
        picture: RGB, at least 32 pixels high and 64 wide.
        text: The label.
    """
    height, width = picture.shape[:2]
    bar = _label_bar(max(round(height * LABEL_FRACTION), 11), width, text)
    labelled = picture.copy()
    labelled[height - bar.shape[0] :, width - bar.shape[1] :] = bar
    return labelled


def label_below(
    image: UInt8[np.ndarray, "height width 3"], height_px: int = 0, text: str = LABEL
) -> UInt8[np.ndarray, "taller width 3"]:
    """Return the picture with the label on a strip below it, so that no scored pixel is covered.

    Args:
        image: RGB.
        height_px: Of the strip; 0 is what a single face needs, somewhat more than a seventh of the width.
        text: The label.
    """
    bar = _label_bar(height_px or max(round(image.shape[1] / 6.5), 11), image.shape[1], text)
    strip = np.full((bar.shape[0], image.shape[1], 3), BAR_RGB, np.uint8)
    strip[:, : bar.shape[1]] = bar
    return np.concatenate([image, strip])


def _label_bar(height_px: int, widest_px: int, text: str = LABEL) -> UInt8[np.ndarray, "height width 3"]:
    """Draw the label, white on near-black, as high as asked unless that would be wider than the picture."""
    scale = height_px / 32
    width_px = cv2.getTextSize(text, FONT, scale, 1)[0][0] + height_px // 2
    if width_px > widest_px:
        return _label_bar(height_px - 1, widest_px, text)
    bar = np.full((height_px, width_px, 3), BAR_RGB, np.uint8)
    baseline = round(height_px * 0.71)
    thickness = max(round(height_px / 20), 1)
    cv2.putText(bar, text, (height_px // 4, baseline), FONT, scale, (255, 255, 255), thickness, cv2.LINE_AA)
    return bar
