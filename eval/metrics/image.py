"""Pixel metrics: SSIM and PSNR."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

_SIGMA = 1.5
_RADIUS = 5
_WINDOW = (2 * _RADIUS + 1, 2 * _RADIUS + 1)
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_IDENTICAL_DB = 100.0


def psnr(
    generated: UInt8[np.ndarray, "frames size size 3"], target: UInt8[np.ndarray, "frames size size 3"]
) -> Float[np.ndarray, " frames"]:
    """Return the peak signal-to-noise ratio of each frame in dB, at most 100.

    Source: equals `skimage.metrics.peak_signal_noise_ratio` with `data_range=255`; differs in that identical
    frames give 100 dB instead of infinity.
    """
    gaps = generated.astype(np.int32) - target
    squared = np.mean(gaps * gaps, axis=(1, 2, 3), dtype=np.float64)
    floor = 255.0**2 / 10 ** (_IDENTICAL_DB / 10)
    return np.asarray(10 * np.log10(255.0**2 / np.maximum(squared, floor)))


def ssim(
    generated: UInt8[np.ndarray, "frames size size 3"], target: UInt8[np.ndarray, "frames size size 3"]
) -> Float[np.ndarray, " frames"]:
    """Return the structural similarity of each frame, mean over pixels and colours, in [-1, 1].

    Raises:
        ValueError: The frames are smaller than the window of 11 pixels.

    Source: Wang et al. 2004; equals `skimage.metrics.structural_similarity(gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False, data_range=255, channel_axis=-1)`. In double precision, because in single
    flat regions lose four digits to cancellation.
    """
    if generated.shape[1] < _WINDOW[0]:
        raise ValueError(f"frames of {generated.shape[1]} px are smaller than the window of {_WINDOW[0]} px")
    pairs = zip(generated, target, strict=True)
    return np.array([_ssim_of_pair(x.astype(np.float64), y.astype(np.float64)) for x, y in pairs])


def _ssim_of_pair(x: Float[np.ndarray, "size size 3"], y: Float[np.ndarray, "size size 3"]) -> float:
    mean_x, mean_y = _blur(x), _blur(y)
    product, squares = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    covariance = _blur(x * y) - product
    variances = _blur(x * x + y * y) - squares
    score = ((2 * product + _C1) * (2 * covariance + _C2)) / ((squares + _C1) * (variances + _C2))
    inside = slice(_RADIUS, -_RADIUS)
    return float(np.mean(score[inside, inside], dtype=np.float64))


def _blur(image: Float[np.ndarray, "size size 3"]) -> Float[np.ndarray, "size size 3"]:
    return np.asarray(cv2.GaussianBlur(image, _WINDOW, _SIGMA))
