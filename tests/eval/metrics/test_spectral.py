import cv2
import numpy as np
import pytest
import skimage.data

from eval.metrics.spectral import radial_spectrum_db, spectral_distance


def noise(deviation: float, seed: int, size_px: int = 128) -> np.ndarray:
    grey = np.random.default_rng(seed).normal(128, deviation, (1, size_px, size_px, 1))
    return np.repeat(np.clip(grey.round(), 0, 255).astype(np.uint8), 3, axis=-1)


def photo() -> np.ndarray:
    return skimage.data.astronaut()[None, 20:148, 160:288].copy()


def test_white_noise_has_its_variance_at_every_radius() -> None:
    powers = np.mean([radial_spectrum_db(noise(20, seed)[0]) for seed in range(30)], axis=0)
    assert powers[3:] == pytest.approx(20 * np.log10(20), abs=0.6)


def test_twice_the_noise_is_six_decibels_away() -> None:
    found = np.mean([spectral_distance(noise(10, seed), noise(20, seed))[0] for seed in range(10)])
    assert found == pytest.approx(20 * np.log10(2), abs=0.1)


def test_equals_sums_over_every_frequency() -> None:
    """The textbook transform, frequency by frequency, of a small picture."""
    frame = np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    luma = frame @ np.array([0.299, 0.587, 0.114])
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1, 9) / 9)
    window = np.outer(hann, hann)
    values = (luma - luma.mean()) * window
    rings: dict[int, list[float]] = {}
    for v in range(-4, 4):
        for u in range(-4, 4):
            turn = np.exp(-2j * np.pi * (v * np.arange(8)[:, None] + u * np.arange(8)) / 8)
            power = abs(np.sum(values * turn)) ** 2 / np.sum(window**2)
            rings.setdefault(round(float(np.hypot(u, v))), []).append(power)
    expected = [10 * np.log10(np.mean(rings[radius]) + 1 / 12) for radius in range(1, 5)]
    assert radial_spectrum_db(frame) == pytest.approx(expected, abs=1e-9)


def test_brightness_and_mirroring_do_not_matter_and_identical_is_nothing() -> None:
    dark = photo() // 2
    assert spectral_distance(dark + 20, dark)[0] == pytest.approx(0, abs=1e-9)
    assert spectral_distance(photo()[:, ::-1], photo())[0] == pytest.approx(0, abs=1e-9)


def test_blur_lacks_high_frequencies_and_more_blur_is_farther() -> None:
    blurred = [cv2.GaussianBlur(photo()[0], (0, 0), sigma)[None] for sigma in (0.6, 1.2, 2.4)]
    found = [spectral_distance(one, photo())[0] for one in blurred]
    assert found == sorted(found)
    assert found[0] > 1
    gap = radial_spectrum_db(blurred[1][0]) - radial_spectrum_db(photo()[0])
    assert gap[-10:].max() < -10 < gap[:3].min()


def test_flat_frames_have_a_finite_distance_within_the_bound_that_failures_count_as() -> None:
    flat = np.zeros_like(photo())
    assert spectral_distance(flat, flat)[0] == 0
    assert 10 < spectral_distance(flat, photo())[0] < 60


def test_frames_are_scored_independently_of_their_batch() -> None:
    one, other = noise(10, 0), photo()
    both = spectral_distance(np.concatenate([one, other]), np.concatenate([other, one]))
    assert both.tolist() == [spectral_distance(one, other)[0], spectral_distance(other, one)[0]]
