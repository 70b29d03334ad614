import numpy as np
import pytest
import skimage.data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from eval.features import FeatureCache, Frames
from eval.metrics.image import SsimMaps, l1, mean_of_maps, psnr, ssim, ssim_skimage_default
from eval.metrics.multiscale import SMALLEST_PX, MsSsim, ms_ssim
from eval.specs.image import MS_SSIM


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


def test_ssim_skimage_default_equals_scikit_image_untold(pair: tuple[np.ndarray, np.ndarray]) -> None:
    expected = [structural_similarity(x, y, channel_axis=-1, data_range=255) for x, y in zip(*pair, strict=True)]
    assert ssim_skimage_default(*pair) == pytest.approx(expected, abs=1e-9)
    assert np.abs(ssim(*pair) - expected).max() > 0.01, "the two must not be mistaken for each other"


def test_both_ssims_give_the_published_values_of_a_noisy_photograph() -> None:
    """0.357959 is from IPOL's `imdiff`, 0.367452 what scikit-image's own tests hold for its default."""
    photo = skimage.data.camera()
    noise = 20 * np.random.RandomState(5).randn(*photo.shape)  # the generator that was published with
    noisy = np.clip(photo + noise, 0, 255).astype(np.uint8)
    grey = [np.repeat(image[None, ..., None], 3, axis=-1) for image in (photo, noisy)]
    assert ssim(*grey)[0] == pytest.approx(0.357959091663361, abs=1e-3)
    assert ssim_skimage_default(*grey)[0] == pytest.approx(0.3674518327910367, abs=1e-9)


@pytest.mark.parametrize("size_px", [176, 161, 190])
def test_ms_ssim_equals_pytorch_msssim(size_px: int) -> None:
    """161 and 190 become odd on the way."""
    import torch
    from pytorch_msssim import ms_ssim as theirs

    photo = skimage.data.astronaut()[:size_px, 150 : 150 + size_px]
    noisy = np.clip(photo + np.random.default_rng(5).normal(0, 40, photo.shape), 0, 255).astype(np.uint8)
    sides = np.stack([noisy, 255 - photo]), np.stack([photo, photo])
    tensors = [torch.from_numpy(side).permute(0, 3, 1, 2).double() for side in sides]
    expected = theirs(*tensors, data_range=255, size_average=False).numpy()
    assert ms_ssim(*sides) == pytest.approx(expected, abs=1e-5)
    assert 0.1 < expected[0] < 0.99
    assert ms_ssim(sides[1], sides[1]) == pytest.approx([1, 1])


def test_frames_too_small_for_ms_ssim_are_left_out_for_all_alike() -> None:
    small = Frames.of(np.zeros((2, SMALLEST_PX - 1, SMALLEST_PX - 1, 3), np.uint8))
    measured = MsSsim(MS_SSIM).score(small, small, FeatureCache())
    assert measured.statuses == ("target_too_small",) * 2
    assert np.isnan(measured.values).all()
    with pytest.raises(ValueError, match="160 px"):
        ms_ssim(small.pixels, small.pixels)


def test_l1_is_the_mean_absolute_difference(pair: tuple[np.ndarray, np.ndarray]) -> None:
    noisy, photo = pair
    assert l1(noisy, photo) == pytest.approx(np.abs(noisy / 255 - photo / 255).mean(axis=(1, 2, 3)), abs=1e-12)
    black, white = (np.full((1, 16, 16, 3), value, np.uint8) for value in (0, 255))
    assert l1(black, white)[0] == 1


def test_remembered_maps_are_those_of_the_frames_asked_for(pair: tuple[np.ndarray, np.ndarray]) -> None:
    maps, (noisy, photo) = SsimMaps(), map(Frames.of, pair)
    assert mean_of_maps(maps(noisy, photo)) == pytest.approx(ssim(*pair))
    backwards = maps(noisy.take([1, 0]), photo.take([1, 0]))
    assert mean_of_maps(backwards) == pytest.approx(ssim(*pair)[::-1])
    assert mean_of_maps(maps(photo, photo)) == pytest.approx([1, 1])


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


@pytest.mark.parametrize("metric", [ssim, psnr, ssim_skimage_default])
def test_more_noise_is_worse(metric, pair: tuple[np.ndarray, np.ndarray]) -> None:
    photo = pair[1][:1]
    noise = np.random.default_rng(0).normal(0, 1, photo.shape)
    values = [metric(np.clip(photo + scale * noise, 0, 255).astype(np.uint8), photo)[0] for scale in (2, 8, 32)]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[2]


@pytest.mark.parametrize("metric", [ssim, psnr, l1, ssim_skimage_default])
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
