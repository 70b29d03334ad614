import numpy as np
import pytest
import skimage.data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from eval.metrics.image import psnr, ssim


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    """A photograph and a noisy copy, in two crops."""
    photo = skimage.data.astronaut()
    noisy = np.clip(photo + np.random.default_rng(5).normal(0, 20, photo.shape), 0, 255).astype(np.uint8)
    return tuple(np.stack([image[:96, 180:276], image[100:196, 60:156]]) for image in (noisy, photo))


def wang_ssim(one: np.ndarray, other: np.ndarray) -> float:
    return structural_similarity(
        one,
        other,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        channel_axis=-1,
    )


def test_ssim_equals_scikit_image_with_wang_settings(pair: tuple[np.ndarray, np.ndarray]) -> None:
    expected = [wang_ssim(x, y) for x, y in zip(*pair, strict=True)]
    assert ssim(*pair) == pytest.approx(expected, abs=1e-5)
    assert 0.1 < min(expected) < max(expected) < 0.9


def test_psnr_equals_scikit_image(pair: tuple[np.ndarray, np.ndarray]) -> None:
    expected = [peak_signal_noise_ratio(y, x, data_range=255) for x, y in zip(*pair, strict=True)]
    assert psnr(*pair) == pytest.approx(expected, abs=1e-9)


def test_ssim_of_two_flat_frames_is_the_luminance_term() -> None:
    """Without structure only means remain: (2ab + C1) / (a^2 + b^2 + C1) with C1 = 6.5025."""
    dark, light = (np.full((1, 16, 16, 3), value, np.uint8) for value in (100, 200))
    assert ssim(dark, light)[0] == pytest.approx((2 * 100 * 200 + 6.5025) / (100**2 + 200**2 + 6.5025), abs=1e-6)


def test_psnr_of_a_constant_error_follows_from_its_square() -> None:
    zero, ten = (np.full((1, 16, 16, 3), value, np.uint8) for value in (0, 10))
    assert psnr(zero, ten)[0] == pytest.approx(20 * np.log10(255 / 10))
    assert psnr(ten, zero)[0] == pytest.approx(20 * np.log10(255 / 10))


def test_psnr_is_zero_for_opposite_frames() -> None:
    black, white = (np.full((1, 16, 16, 3), value, np.uint8) for value in (0, 255))
    assert psnr(black, white)[0] == 0


def test_identical_frames_are_perfect(pair: tuple[np.ndarray, np.ndarray]) -> None:
    photo = pair[1]
    assert ssim(photo, photo) == pytest.approx(1, abs=1e-6)
    assert psnr(photo, photo) == pytest.approx(100)


def test_one_wrong_pixel_is_not_identical() -> None:
    """The bound of 100 dB lies above the best that two different frames of 128 px can reach."""
    frame = np.zeros((1, 128, 128, 3), np.uint8)
    other = frame.copy()
    other[0, 0, 0, 0] = 1
    assert psnr(other, frame)[0] < 100


@pytest.mark.parametrize("metric", [ssim, psnr])
def test_more_noise_is_worse(metric, pair: tuple[np.ndarray, np.ndarray]) -> None:
    photo = pair[1][:1]
    noise = np.random.default_rng(0).normal(0, 1, photo.shape)
    values = [metric(np.clip(photo + scale * noise, 0, 255).astype(np.uint8), photo)[0] for scale in (2, 8, 32)]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[2]


@pytest.mark.parametrize("metric", [ssim, psnr])
def test_frames_are_scored_independently_of_their_batch(metric, pair: tuple[np.ndarray, np.ndarray]) -> None:
    noisy, photo = pair
    one_by_one = [metric(noisy[i : i + 1], photo[i : i + 1])[0] for i in (1, 0)]
    assert list(metric(noisy[::-1], photo[::-1])) == one_by_one


def test_frames_smaller_than_the_window_are_refused() -> None:
    tiny = np.zeros((1, 8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match="8 px"):
        ssim(tiny, tiny)


@pytest.mark.slow
def test_ssim_of_published_image_pairs(shared_dir) -> None:
    """Published for the luma of these TID2013 pairs; ours is the mean over RGB, so it is near, not equal."""
    import cv2

    published = {"I03": 0.6993, "I04": 0.9978, "I06": 0.9989, "I08": 0.9669, "I19": 0.6519}
    for name, value in published.items():
        pair = [cv2.imread(str(shared_dir / f"reference/lpips/{kind}_{name}.png"))[None] for kind in ("dist", "ref")]
        assert ssim(*pair)[0] == pytest.approx(value, abs=0.12), name
