import numpy as np
import pytest
import skimage.data

from eval.features import FeatureCache, Frames
from eval.metrics.geometry import LandmarkMetric, akd_l1, akd_l2, face_size, nme, nme_bbox
from eval.metrics.loading import load_metrics
from eval.specs.geometry import AKD_L1, AKD_L2, NME_BBOX, NME_FAN, NME_INTEROCULAR
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


def test_the_box_of_a_face_of_thirty_by_forty_pixels_has_the_size_of_its_area() -> None:
    points = np.zeros((1, 68, 2), np.float32)
    points[0, :2] = [[10, 20], [40, 60]]
    points[0, 2:] = [20, 30]
    assert face_size(points) == pytest.approx([np.sqrt(30 * 40)])
    assert nme_bbox(points + np.float32([3, 4]), points) == pytest.approx([5 / np.sqrt(1200)])


def test_a_head_turned_to_the_side_leaves_the_box_as_large_as_it_is() -> None:
    """The eye corners close up; an error of five pixels stays what it is."""
    profile = TARGET.copy()
    profile[:, 45] = profile[:, 36] + np.float32([0.5, 0])
    moved = profile + np.float32([3, 4])
    assert (nme(moved, profile, np.full(3, 0.5)) > 9).all()
    assert (nme_bbox(moved, profile) < 0.1).all()


def test_two_formulas_go_by_the_name_of_akd() -> None:
    """Golden: a shift by (3, 4) is (3 + 4) / 2 or 5 pixels, and twice as many of a frame of 256 in one of 128."""
    moved = TARGET + np.float32([3, 4])
    assert akd_l1(moved, TARGET, 256) == pytest.approx([3.5] * 3, rel=1e-5)
    assert akd_l2(moved, TARGET, 256) == pytest.approx([5] * 3, rel=1e-5)
    assert akd_l1(moved, TARGET, 128) == pytest.approx([7] * 3, rel=1e-5)
    assert akd_l2(moved, TARGET, 128) == pytest.approx([10] * 3, rel=1e-5)


def test_akd_equals_the_distances_of_scipy() -> None:
    from scipy.spatial.distance import cityblock, euclidean

    moved = TARGET + RNG.normal(0, 3, TARGET.shape)
    pairs = [list(zip(*frame, strict=True)) for frame in zip(moved, TARGET, strict=True)]
    assert akd_l1(moved, TARGET) == pytest.approx(
        [np.mean([cityblock(*pair) / 2 for pair in frame]) for frame in pairs]
    )
    assert akd_l2(moved, TARGET) == pytest.approx([np.mean([euclidean(*pair) for pair in frame]) for frame in pairs])


@pytest.mark.parametrize("error", [akd_l1, akd_l2, nme_bbox])
def test_more_noise_on_the_landmarks_is_worse(error) -> None:
    noise = RNG.normal(0, 1, TARGET.shape)
    errors = [error(TARGET + times * noise, TARGET) for times in (0.5, 1, 2, 4)]
    assert (np.diff(errors, axis=0) > 0).all()


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    """A square photograph of a face, 128 px."""
    import cv2

    return cv2.resize(skimage.data.astronaut()[30:230, 125:325], (128, 128), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def metric() -> LandmarkMetric:
    return load_metrics([NME_INTEROCULAR]).frame[0]


@pytest.mark.slow
def test_a_frame_equals_itself(metric: LandmarkMetric, portrait: np.ndarray) -> None:
    frames = Frames.of(portrait[None])
    measured = metric.score(frames, frames, FeatureCache())
    assert measured.statuses == ("ok",)
    assert measured.values[0] == 0


@pytest.mark.slow
def test_a_shift_of_the_picture_is_measured_in_pixels(metric: LandmarkMetric, portrait: np.ndarray) -> None:
    cache = FeatureCache()
    target = Frames.of(np.stack([portrait] * 2))
    moved = Frames.of(np.stack([np.roll(portrait, shift, axis=1) for shift in (3, 6)]))
    eyes = np.linalg.norm(np.diff(cache.features(metric.landmarks, target)[0].reshape(68, 2)[[36, 45]], axis=0))
    assert metric.score(moved, target, cache).values == pytest.approx(np.array([3, 6]) / eyes, rel=0.15)


@pytest.mark.slow
def test_a_frame_without_a_face_fails_and_a_target_without_one_says_nothing(
    metric: LandmarkMetric, portrait: np.ndarray
) -> None:
    blank = np.zeros_like(portrait)
    generated = Frames.of(np.stack([blank, portrait, blank]))
    target = Frames.of(np.stack([portrait, blank, blank]))
    measured = metric.score(generated, target, FeatureCache())
    assert measured.statuses == ("no_face", "target_no_face", "target_no_face")
    assert np.isnan(measured.values).all()


@pytest.mark.slow
def test_all_metrics_of_landmarks_share_one_search_of_the_frames(portrait: np.ndarray) -> None:
    from eval.specs.profiles import FACE_EXTRAS

    cache = FeatureCache()
    frames = Frames.of(portrait[None])
    first, *rest = load_metrics([NME_INTEROCULAR, NME_BBOX, AKD_L1, AKD_L2, *FACE_EXTRAS]).frame
    searched = 0
    find = first.landmarks.backend.find

    def counted(pixels: np.ndarray) -> list:
        nonlocal searched
        searched += 1
        return find(pixels)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(first.landmarks.backend, "find", counted, raising=False)
        for metric in (first, *rest):
            metric.score(frames, frames, cache)
    assert searched == 1


def test_the_paper_profile_takes_its_points_from_fan_under_a_name_of_its_own() -> None:
    assert NME_INTEROCULAR in SPECS["embedded"]
    assert NME_FAN in SPECS["paper"]
    assert NME_INTEROCULAR not in SPECS["paper"]
    assert NME_FAN.id != NME_INTEROCULAR.id
    assert "fan-2dfan4" in NME_FAN.weights


@pytest.mark.slow
def test_fan_with_random_weights_gives_the_points_of_its_metric(
    metric: LandmarkMetric, portrait: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its points mean nothing, but they are FAN's, kept apart from the mesh's in the cache of features."""
    import torch
    from face_alignment.models import FAN

    from pipeline.backends import load_backend
    from pipeline.fan import Fan

    torch.manual_seed(0)
    fan = Fan(FAN(1))
    monkeypatch.setattr(Fan, "load", lambda: fan)
    monkeypatch.setattr(Fan, "weight_ids", ("facemesh-468",))  # a file that is here
    load_backend.cache_clear()
    (own,) = load_metrics([NME_FAN]).frame
    load_backend.cache_clear()
    assert isinstance(own, LandmarkMetric)
    assert own.landmarks.key != metric.landmarks.key
    frames, cache = Frames.of(portrait[None]), FeatureCache()
    face = own.landmarks.backend.find(portrait)[0]
    expected, _ = fan([portrait], face.box[None])
    assert cache.features(own.landmarks, frames)[0].reshape(68, 2) == pytest.approx(expected[0], abs=1e-3)
    assert own.score(frames, frames, cache).values[0] == 0
    moved = Frames.of(np.roll(portrait, 3, axis=1)[None])
    assert own.score(moved, frames, cache).values[0] > 0
