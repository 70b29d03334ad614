import numpy as np
import pytest
import skimage.data

from eval.features import FeatureCache, Frames
from eval.metrics.geometry import FaceLandmarks, Nme, nme
from eval.specs.geometry import NME_FAN, NME_INTEROCULAR
from eval.specs.profiles import SPECS

RNG = np.random.default_rng(1)
TARGET = RNG.uniform(0, 100, (3, 68, 2)).astype(np.float32)


def test_a_shift_by_three_and_four_pixels_is_an_error_of_five() -> None:
    values = nme(TARGET + np.float32([3, 4]), TARGET, np.array([10.0, 20.0, 50.0]))
    assert values == pytest.approx([0.5, 0.25, 0.1], rel=1e-5)


def test_one_wrong_point_counts_a_sixty_eighth() -> None:
    predicted = TARGET.copy()
    predicted[1, 7] += [0, 6.8]
    assert nme(predicted, TARGET, np.ones(3)) == pytest.approx([0, 0.1, 0], abs=1e-5)


def test_the_size_of_the_picture_does_not_matter() -> None:
    predicted, eyes = TARGET + RNG.normal(0, 2, TARGET.shape), np.array([30.0, 31.0, 32.0])
    assert nme(predicted * 4, TARGET * 4, eyes * 4) == pytest.approx(nme(predicted, TARGET, eyes), rel=1e-5)


def test_a_point_that_was_not_found_makes_the_frame_unmeasurable() -> None:
    predicted = TARGET.copy()
    predicted[2, 0] = np.nan
    assert np.isnan(nme(predicted, TARGET, np.ones(3))).tolist() == [False, False, True]


def test_eyes_at_one_place_are_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        nme(TARGET, TARGET, np.array([1.0, 0.0, 1.0]))


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    """A square photograph of a face, 128 px."""
    import cv2

    return cv2.resize(skimage.data.astronaut()[30:230, 125:325], (128, 128), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def metric() -> Nme:
    from pipeline.backends import load_backend

    return Nme(NME_INTEROCULAR, FaceLandmarks.load(load_backend()))


@pytest.mark.slow
def test_a_frame_equals_itself(metric: Nme, portrait: np.ndarray) -> None:
    frames = Frames.of(portrait[None])
    measured = metric.score(frames, frames, FeatureCache())
    assert measured.statuses == ("ok",)
    assert measured.values[0] == 0


@pytest.mark.slow
def test_a_shift_of_the_picture_is_measured_in_pixels(metric: Nme, portrait: np.ndarray) -> None:
    cache = FeatureCache()
    target = Frames.of(np.stack([portrait] * 2))
    moved = Frames.of(np.stack([np.roll(portrait, shift, axis=1) for shift in (3, 6)]))
    eyes = np.linalg.norm(np.diff(cache.features(metric.landmarks, target)[0].reshape(68, 2)[[36, 45]], axis=0))
    assert metric.score(moved, target, cache).values == pytest.approx(np.array([3, 6]) / eyes, rel=0.15)


@pytest.mark.slow
def test_a_frame_without_a_face_fails_and_a_target_without_one_says_nothing(metric: Nme, portrait: np.ndarray) -> None:
    blank = np.zeros_like(portrait)
    generated = Frames.of(np.stack([blank, portrait, blank]))
    target = Frames.of(np.stack([portrait, blank, blank]))
    measured = metric.score(generated, target, FeatureCache())
    assert measured.statuses == ("no_face", "target_no_face", "target_no_face")
    assert np.isnan(measured.values).all()


def test_the_paper_profile_takes_its_points_from_fan_under_a_name_of_its_own() -> None:
    assert NME_INTEROCULAR in SPECS["embedded"]
    assert NME_FAN in SPECS["paper"]
    assert NME_INTEROCULAR not in SPECS["paper"]
    assert NME_FAN.id != NME_INTEROCULAR.id
    assert "fan-2dfan4" in NME_FAN.weights


@pytest.mark.slow
def test_fan_with_random_weights_gives_the_points_of_its_metric(
    metric: Nme, portrait: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its points mean nothing, but they are FAN's, kept apart from the mesh's in the cache of features."""
    import torch
    from face_alignment.models import FAN

    from eval.metrics.loading import load_metrics
    from pipeline.backends import load_backend
    from pipeline.fan import Fan

    torch.manual_seed(0)
    fan = Fan(FAN(1))
    monkeypatch.setattr(Fan, "load", lambda: fan)
    monkeypatch.setattr(Fan, "weight_ids", ("facemesh-468",))  # a file that is here
    load_backend.cache_clear()
    (own,) = load_metrics([NME_FAN]).frame
    load_backend.cache_clear()
    assert isinstance(own, Nme)
    assert own.landmarks.key != metric.landmarks.key
    frames, cache = Frames.of(portrait[None]), FeatureCache()
    face = own.landmarks.backend.find(portrait)[0]
    expected, _ = fan([portrait], face.box[None])
    assert cache.features(own.landmarks, frames)[0].reshape(68, 2) == pytest.approx(expected[0], abs=1e-3)
    assert own.score(frames, frames, cache).values[0] == 0
    moved = Frames.of(np.roll(portrait, 3, axis=1)[None])
    assert own.score(moved, frames, cache).values[0] > 0
