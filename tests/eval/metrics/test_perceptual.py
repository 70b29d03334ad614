from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from eval.features import Frames
from eval.metrics.perceptual import Lpips
from weights.errors import HeadshotError
from weights.fetch import fetch

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lpips_alex() -> Lpips:
    return Lpips.load(fetch("lpips-alexnet"))


@pytest.fixture(scope="module")
def photos() -> np.ndarray:
    astronaut = skimage.data.astronaut()
    return np.stack([astronaut[y : y + 96, x : x + 96] for y, x in ((0, 180), (100, 60), (300, 300))] * 7)


def distance(metric: Lpips, one: np.ndarray, other: np.ndarray) -> float:
    return metric(Frames.of(one[None]), Frames.of(other[None]))[0]


def read(path: Path) -> np.ndarray:
    return cv2.imread(str(path))[..., ::-1]


def test_published_values_of_five_image_pairs(lpips_alex: Lpips, shared_dir: Path) -> None:
    folder = shared_dir / "reference/lpips"
    published = {"I03": 0.7237, "I04": 0.2572, "I06": 0.0508, "I08": 0.0521, "I19": 0.4253}
    for name, value in published.items():
        found = distance(lpips_alex, read(folder / f"dist_{name}.png"), read(folder / f"ref_{name}.png"))
        assert round(found, 4) == value, name


def test_published_values_of_the_example_triple(lpips_alex: Lpips, shared_dir: Path) -> None:
    folder = shared_dir / "reference/lpips"
    reference = read(folder / "ex_ref.png")
    found = [distance(lpips_alex, reference, read(folder / f"ex_p{index}.png")) for index in (0, 1)]
    assert [round(value, 3) for value in found] == [0.722, 0.138]


def test_equals_the_forward_pass_of_the_package(lpips_alex: Lpips, photos: np.ndarray) -> None:
    import torch

    noisy = np.clip(photos + np.random.default_rng(0).normal(0, 25, photos.shape), 0, 255).astype(np.uint8)
    inputs = [torch.from_numpy(side).permute(0, 3, 1, 2) / 127.5 - 1 for side in (noisy, photos)]
    with torch.inference_mode():
        expected = lpips_alex.network(*inputs).flatten().numpy()
    assert lpips_alex(Frames.of(noisy), Frames.of(photos)) == pytest.approx(expected, abs=1e-6)


def test_identical_frames_are_at_no_distance_and_noise_moves_away(lpips_alex: Lpips, photos: np.ndarray) -> None:
    noise = np.random.default_rng(0).normal(0, 1, photos[0].shape)
    noisy = [np.clip(photos[0] + scale * noise, 0, 255).astype(np.uint8) for scale in (0, 5, 20, 60)]
    found = [distance(lpips_alex, frame, photos[0]) for frame in noisy]
    assert found[0] == 0
    assert found == sorted(found)
    assert found[1] > 0


def test_frames_are_scored_independently_of_their_batch(lpips_alex: Lpips, photos: np.ndarray) -> None:
    """21 frames are two batches; targets are remembered between calls and must be those of the call."""
    generated = photos[::-1].copy()
    together = lpips_alex(Frames.of(generated), Frames.of(photos))
    alone = [distance(lpips_alex, one, other) for one, other in zip(generated, photos, strict=True)]
    assert together == pytest.approx(alone, abs=1e-6)
    assert together == pytest.approx(lpips_alex(Frames.of(generated), Frames.of(photos)), abs=0)


def test_parameters_of_another_network_are_refused() -> None:
    with pytest.raises(HeadshotError, match="AlexNet"):
        Lpips.load(fetch("lpips-vgg16"))
