"""Radial power spectra: how much of each size of detail a picture has."""

import numpy as np
from jaxtyping import Float, Int, UInt8

_LUMA = np.array([0.299, 0.587, 0.114])
"""Rec. 601."""
_ROUNDING_VARIANCE = 1 / 12
"""Of rounding to whole numbers: the least power that an 8-bit picture can be told to have."""


def spectral_distance(
    generated: UInt8[np.ndarray, "frames size size 3"], target: UInt8[np.ndarray, "frames size size 3"]
) -> Float[np.ndarray, " frames"]:
    """Return the root mean square distance of the radial power spectra of each frame and its target in dB.

    Source: radial averages as in Durall et al. 2020, "Watch your up-convolution"; the log-spectral distance of Gray and
    Markel 1976 over radii.
    """
    gaps = [radial_spectrum_db(x) - radial_spectrum_db(y) for x, y in zip(generated, target, strict=True)]
    return np.array([np.sqrt(np.mean(gap**2)) for gap in gaps])


def radial_spectrum_db(frame: UInt8[np.ndarray, "size size 3"]) -> Float[np.ndarray, " radii"]:
    """Return the power at radii of 1 to half the size in periods a picture, in dB; white noise has its variance."""
    luma = frame @ _LUMA
    size_px = len(luma)
    window = np.outer(*[np.hanning(size_px + 2)[1:-1]] * 2)  # without its zeros at the ends
    power = np.abs(np.fft.fft2((luma - luma.mean()) * window)) ** 2 / np.sum(window**2)
    radii = _radii(size_px).ravel()
    sums, counts = np.bincount(radii, weights=power.ravel()), np.bincount(radii)
    rings = slice(1, size_px // 2 + 1)
    return np.asarray(10 * np.log10(sums[rings] / counts[rings] + _ROUNDING_VARIANCE))


def _radii(size_px: int) -> Int[np.ndarray, "size size"]:
    """Return the rounded distance of each frequency from zero."""
    frequencies = np.fft.fftfreq(size_px, 1 / size_px)
    return np.asarray(np.round(np.hypot(*np.meshgrid(frequencies, frequencies))).astype(np.int64))
