"""MS-SSIM: structural similarity over five scales."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from eval.features import FeatureCache, Frames
from eval.metrics.image import similarity_terms
from eval.metrics.measured import TARGET_TOO_SMALL, Measured
from eval.specs.spec import MetricSpec

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_RADIUS = 5
SMALLEST_PX = 2 * _RADIUS * 2 ** (len(WEIGHTS) - 1) + 1
"""Below, the window is larger than the picture at the last scale."""


@dataclass(frozen=True, slots=True)
class MsSsim:
    """MS-SSIM of frames that are large enough for it."""

    spec: MetricSpec

    @property
    def key(self) -> str:
        """Names everything the value depends on besides the pixels."""
        return self.spec.versioned_id

    def measure(self, generated: Frames, target: Frames, cache: FeatureCache) -> Float[np.ndarray, " frames"]:  # noqa: ARG002
        """Return the value of each pair."""
        return ms_ssim(generated.pixels, target.pixels)

    def score(self, generated: Frames, target: Frames, cache: FeatureCache) -> Measured:
        """Compare each generated frame with its target; small frames have no value."""
        if target.pixels.shape[1] < SMALLEST_PX:
            return Measured.of(np.full(len(target), np.nan), {TARGET_TOO_SMALL: np.ones(len(target), bool)})
        return Measured.of(cache.pair_values(self, generated, target))


def ms_ssim(
    generated: UInt8[np.ndarray, "frames size size 3"], target: UInt8[np.ndarray, "frames size size 3"]
) -> Float[np.ndarray, " frames"]:
    """Return the structural similarity over five scales of each frame, in [0, 1].

    Raises:
        ValueError: The frames are smaller than 161 pixels.

    Source: Wang, Simoncelli and Bovik 2003, equation 7; equals `pytorch_msssim.ms_ssim(data_range=255)`, which takes
    negative factors as 0.
    """
    if generated.shape[1] < SMALLEST_PX:
        raise ValueError(f"frames of {generated.shape[1]} px have no fifth scale; {SMALLEST_PX} px is the least")
    pairs = zip(generated, target, strict=True)
    return np.array([_of_pair(x.astype(np.float64), y.astype(np.float64)) for x, y in pairs])


def _of_pair(x: Float[np.ndarray, "size size 3"], y: Float[np.ndarray, "size size 3"]) -> float:
    inside = slice(_RADIUS, -_RADIUS)
    product = np.ones(3)
    for scale, weight in enumerate(WEIGHTS):
        luminance, contrast = similarity_terms(x, y)
        last = scale == len(WEIGHTS) - 1
        factor = (luminance * contrast if last else contrast)[inside, inside].mean(axis=(0, 1))
        product *= np.maximum(factor, 0) ** weight
        x, y = _halved(x), _halved(y)
    return float(product.mean())


def _halved(image: Float[np.ndarray, "size size 3"]) -> Float[np.ndarray, "half half 3"]:
    """Return the mean of each 2 x 2 pixels; an odd size gets a black border first, as in pytorch_msssim."""
    odd = image.shape[0] % 2
    padded = np.pad(image, ((odd, odd), (odd, odd), (0, 0)))
    even = padded.shape[0] // 2 * 2
    quarters = padded[:even, :even].reshape(even // 2, 2, even // 2, 2, 3)
    return np.asarray(quarters.mean(axis=(1, 3)))
