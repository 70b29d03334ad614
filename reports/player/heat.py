"""The error map: how far apart two pictures are, pixel by pixel, in colours of one fixed scale."""

import cv2
import numpy as np
from jaxtyping import Float

FULL_LEVELS = 64
"""Difference that has the last colour, in grey levels of 256; larger ones have it, too. Fixed, so that maps compare."""
STOPS = 17
"""Colours of the scale; between them it is straight."""


def colours() -> Float[np.ndarray, "stops 3"]:
    """Return the scale from no difference to `FULL_LEVELS` as RGB from 0 to 1: dark to light, also without colour.

    Source: "inferno" of Matplotlib (van der Walt and Smith), as OpenCV has it.
    """
    levels = np.linspace(0, 255, STOPS).round().astype(np.uint8)
    bgr = cv2.applyColorMap(levels[:, None], cv2.COLORMAP_INFERNO)[:, 0]
    return np.asarray(bgr[:, ::-1] / 255)


def difference_matrix() -> str:
    """Return the values of a colour matrix that turns a difference of RGB into its mean, stretched to the scale."""
    share = f"{255 / FULL_LEVELS / 3:.5f}"
    mean = " ".join((share, share, share, "0", "0"))
    return " ".join((mean, mean, mean, "0 0 0 0 1"))


def transfer_tables() -> tuple[str, str, str]:
    """Return the table of each colour channel, for the transfer function of an SVG filter."""
    red, green, blue = (" ".join(f"{value:.3f}" for value in channel) for channel in colours().T)
    return red, green, blue


def legend_stops() -> tuple[tuple[str, str], ...]:
    """Return (offset, colour) of the scale for a gradient."""
    return tuple(
        (f"{place / (STOPS - 1):.4f}", "#" + "".join(f"{round(255 * value):02x}" for value in colour))
        for place, colour in enumerate(colours())
    )
