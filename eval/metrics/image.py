"""Pixel metrics: PSNR, L1 and two kinds of SSIM, as maps over the picture and as means of them."""

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from eval.features import Frames, pair_digest
from eval.metrics.recent import Recent

_SIGMA = 1.5
_RADIUS = 5
_WINDOW = (2 * _RADIUS + 1, 2 * _RADIUS + 1)
_FLAT_RADIUS = 3
_FLAT_WINDOW = (2 * _FLAT_RADIUS + 1, 2 * _FLAT_RADIUS + 1)
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_IDENTICAL_DB = 100.0
_REMEMBERED_BYTES = 1 << 26

Images = UInt8[np.ndarray, "frames size size 3"]
Maps = Float[np.ndarray, "frames size size"]
"""A value for each pixel, NaN where there is none."""
Image = Float[np.ndarray, "height width 3"]


def psnr(generated: Images, target: Images) -> Float[np.ndarray, " frames"]:
    """Return the peak signal-to-noise ratio of each frame in dB, at most 100.

    Source: equals `skimage.metrics.peak_signal_noise_ratio` with `data_range=255`; differs in that identical
    frames give 100 dB instead of infinity.
    """
    gaps = generated.astype(np.int32) - target
    return decibels(np.mean(gaps * gaps, axis=(1, 2, 3), dtype=np.float64))


def decibels(squared_error: Float[np.ndarray, " frames"]) -> Float[np.ndarray, " frames"]:
    """Return the peak signal-to-noise ratio of mean squared errors in dB, at most 100."""
    floor = 255.0**2 / 10 ** (_IDENTICAL_DB / 10)
    return np.asarray(10 * np.log10(255.0**2 / np.maximum(squared_error, floor)))


def l1(generated: Images, target: Images) -> Float[np.ndarray, " frames"]:
    """Return the mean absolute difference of each frame as a fraction of 255, in [0, 1]."""
    return np.asarray(np.mean(absolute_error(generated, target), axis=(1, 2)))


def absolute_error(generated: Images, target: Images) -> Maps:
    """Return the absolute difference of each pixel as a fraction of 255, mean over colours."""
    return np.asarray(np.abs(generated.astype(np.int16) - target).sum(axis=-1) / (3 * 255.0))


def squared_error(generated: Images, target: Images) -> Maps:
    """Return the squared difference of each pixel, mean over colours."""
    gaps = generated.astype(np.int32) - target
    return np.asarray((gaps * gaps).sum(axis=-1) / 3.0)


def ssim(generated: Images, target: Images) -> Float[np.ndarray, " frames"]:
    """Return the structural similarity of each frame, mean over pixels and colours, in [-1, 1].

    Raises:
        ValueError: The frames are smaller than the window of 11 pixels.

    Source: Wang et al. 2004; equals `skimage.metrics.structural_similarity(gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False, data_range=255, channel_axis=-1)`. In double precision, because in single
    flat regions lose four digits to cancellation.
    """
    return mean_of_maps(ssim_maps(generated, target))


def ssim_skimage_default(generated: Images, target: Images) -> Float[np.ndarray, " frames"]:
    """Return the structural similarity of each frame as scikit-image computes it unless told otherwise, in [-1, 1].

    Raises:
        ValueError: The frames are smaller than the window of 7 pixels.

    Source: equals `skimage.metrics.structural_similarity(data_range=255, channel_axis=-1)`: flat windows, and
    variances with one less than the number of pixels.
    """
    return mean_of_maps(_maps(generated, target, _flat_similarity, _FLAT_RADIUS))


def ssim_maps(generated: Images, target: Images) -> Maps:
    """Return the structural similarity of the window around each pixel, mean over colours; NaN in the border."""
    return _maps(generated, target, _gaussian_similarity, _RADIUS)


class SsimMaps:
    """The maps of `ssim_maps`, remembered while several regions of the same frames are measured."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._recent: Recent[np.ndarray] = Recent(_REMEMBERED_BYTES, lambda found: found.nbytes)

    def __call__(self, generated: Frames, target: Frames) -> Maps:
        """Return the map of each frame."""
        keys = [pair_digest(*pair) for pair in zip(generated.digests, target.digests, strict=True)]
        found = self._recent.get(
            keys, lambda places: list(ssim_maps(generated.pixels[list(places)], target.pixels[list(places)]))
        )
        return np.stack(found)


def mean_of_maps(maps: Maps) -> Float[np.ndarray, " frames"]:
    """Return the mean over the pixels that have a value."""
    return np.asarray(np.nanmean(maps, axis=(1, 2)))


def _maps(generated: Images, target: Images, similarity: Callable[[Image, Image], Image], radius: int) -> Maps:
    window_px = 2 * radius + 1
    if generated.shape[1] < window_px:
        raise ValueError(f"frames of {generated.shape[1]} px are smaller than the window of {window_px} px")
    maps = np.full(generated.shape[:3], np.nan)
    inside = slice(radius, -radius)
    for row, (x, y) in enumerate(zip(generated, target, strict=True)):
        found = similarity(x.astype(np.float64), y.astype(np.float64))
        maps[row, inside, inside] = found[inside, inside].mean(axis=-1)
    return maps


def _gaussian_similarity(x: Image, y: Image) -> Image:
    luminance, contrast = similarity_terms(x, y)
    return luminance * contrast


def similarity_terms(x: Image, y: Image) -> tuple[Image, Image]:
    """Return luminance and contrast-structure of the Gaussian window around each pixel and colour."""
    mean_x, mean_y = _blur(x), _blur(y)
    product, squares = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    covariance = _blur(x * y) - product
    variances = _blur(x * x + y * y) - squares
    return (2 * product + C1) / (squares + C1), (2 * covariance + C2) / (variances + C2)


def _flat_similarity(x: Image, y: Image) -> Image:
    pixels = _FLAT_WINDOW[0] * _FLAT_WINDOW[1]
    mean_x, mean_y = _box(x), _box(y)
    product, squares = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    unbiased = pixels / (pixels - 1)
    covariance = unbiased * (_box(x * y) - product)
    variances = unbiased * (_box(x * x + y * y) - squares)
    return ((2 * product + C1) * (2 * covariance + C2)) / ((squares + C1) * (variances + C2))


def _blur(image: Image) -> Image:
    return np.asarray(cv2.GaussianBlur(image, _WINDOW, _SIGMA))


def _box(image: Image) -> Image:
    return np.asarray(cv2.blur(image, _FLAT_WINDOW))
