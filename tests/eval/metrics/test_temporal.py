import numpy as np
import pytest
import skimage.data

from eval.features import FeatureCache, Frames
from eval.metrics.temporal import FlickerMetric, difference_of_changes, dtssd
from eval.specs.time import DTSSD, T_LPIPS_EMBEDDED
from weights.fetch import fetch


def film(frames: int = 5) -> np.ndarray:
    """A photograph that slides by two pixels a frame."""
    photo = skimage.data.astronaut()
    return np.stack([photo[40:104, 180 + 2 * t : 244 + 2 * t] for t in range(frames)])


IN_A_ROW = np.array([-1, 0, 1, 2, 3])


def score(generated: np.ndarray, previous: np.ndarray | None = IN_A_ROW) -> np.ndarray:
    target = Frames.of(film(), previous)
    return FlickerMetric(DTSSD, dtssd).score(Frames.of(generated), target, FeatureCache()).values


def test_a_difference_of_changes_by_hand() -> None:
    flat = {value: np.full((1, 4, 4, 3), value, np.uint8) for value in (10, 20, 50, 255)}
    found = difference_of_changes(flat[10], flat[50], flat[10], flat[20])  # +40 where +10 was wanted
    assert found == pytest.approx([30 / 255])
    assert difference_of_changes(flat[255], flat[10], flat[10], flat[10]) == pytest.approx([245 / 255])


def test_an_error_that_stays_costs_nothing_and_one_that_comes_and_goes_does() -> None:
    dimmed = (film() // 2 + 40).astype(np.uint8)
    still = film() - np.uint8(0)
    still[:, :20, :20] = 0  # the same patch in every frame
    flicker = film().copy()
    flicker[1::2] = np.clip(flicker[1::2] + 30.0, 0, 255).astype(np.uint8)
    assert np.nanmax(score(film())) == 0
    assert np.nanmean(score(still)) < np.nanmean(score(dimmed)) < np.nanmean(score(flicker))


def test_a_frozen_picture_is_charged_with_the_movement_it_lacks() -> None:
    frozen = np.repeat(film()[:1], 5, axis=0)
    moves = np.diff(film().astype(np.float64), axis=0)
    assert score(frozen)[1:] == pytest.approx(np.sqrt(np.mean(moves**2, axis=(1, 2, 3))) / 255)


def test_only_frames_with_the_one_just_before_them_are_measured() -> None:
    previous = np.array([-1, 0, -1, 2, -1])
    target = Frames.of(film(), previous)
    measured = FlickerMetric(DTSSD, dtssd).score(Frames.of(film()), target, FeatureCache())
    alone = "target_no_neighbour"
    assert measured.statuses == (alone, "ok", alone, "ok", alone)
    assert np.isnan(score(film(), np.full(5, -1))).all()
    assert np.isnan(score(film(), None)).all()


@pytest.mark.slow
def test_t_lpips_is_the_difference_of_two_distances_of_the_package() -> None:
    import torch

    from eval.metrics.perceptual import ChangeLpips, Lpips

    lpips = Lpips.load(fetch("lpips-alexnet"))
    generated = film()
    generated[2] = np.clip(generated[2] + 40.0, 0, 255)
    metric = FlickerMetric(T_LPIPS_EMBEDDED, ChangeLpips(lpips))
    found = metric.score(Frames.of(generated), Frames.of(film(), IN_A_ROW), FeatureCache()).values
    tensors = [torch.from_numpy(side).permute(0, 3, 1, 2) / 127.5 - 1 for side in (generated, film())]
    with torch.inference_mode():
        changes = [lpips.network(side[:-1], side[1:]).flatten().numpy() for side in tensors]
    assert np.isnan(found[0])
    assert found[1:] == pytest.approx(np.abs(changes[0] - changes[1]), abs=1e-6)
    assert found[2] > found[1]
    assert found[4] == 0
