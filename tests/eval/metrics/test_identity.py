from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from eval.features import FeatureCache, Frames
from eval.metrics.identity import (
    EmbeddingMetric,
    aed_mean_absolute,
    aed_root_mean_square,
    aed_squared,
    cosine,
    mean_absolute,
    root_mean_square,
)
from eval.metrics.loading import load_metrics
from eval.specs.identity import AED_FOMM, AED_FOMM_SQUARED, AED_RMS, CSIM_MOBILE
from eval.specs.profiles import SPECS

CSIM = next(spec for spec in SPECS["embedded"] if spec.id == "csim.fr-feature-512")


def test_cosine_of_known_vectors() -> None:
    one = np.array([[1.0, 0], [1, 0], [1, 0], [1, 1]])
    other = np.array([[5.0, 0], [0, 2], [-3, 0], [1, 0]])
    assert cosine(one, other) == pytest.approx([1, 0, -1, np.sqrt(0.5)])


def test_cosine_of_an_absent_embedding_is_nan() -> None:
    assert np.isnan(cosine(np.array([[np.nan, 1]]), np.array([[1.0, 1]])))[0]


def test_two_formulas_that_one_repository_prints_as_aed() -> None:
    """Golden values published with both formulas in github.com/MrTornado24/Next3D/issues/40."""
    a, b = (np.random.default_rng(seed).random((2, 4)) for seed in (0, 1))
    assert float(root_mean_square(a.ravel(), b.ravel())) == pytest.approx(0.5001152789168666, abs=1e-12)
    assert float(mean_absolute(a.ravel(), b.ravel())) == pytest.approx(0.42166963796730605, abs=1e-12)
    assert mean_absolute(a, b).mean() == pytest.approx(0.42166963796730605, abs=1e-12)


def test_aed_of_strangers_is_its_worst_bound() -> None:
    """Embeddings at right angles, of any length."""
    one, other = np.zeros((2, 1, 512))
    one[0, :256], other[0, 256:] = 3, 5
    assert aed_mean_absolute(one, other) == pytest.approx([AED_FOMM.worst])
    assert aed_root_mean_square(one, other) == pytest.approx([AED_RMS.worst])
    assert aed_squared(one, other) == pytest.approx([AED_FOMM_SQUARED.worst])


def test_the_summed_squares_of_aed_are_csim_once_more() -> None:
    one, other = np.random.default_rng(2).normal(size=(2, 6, 512))
    assert aed_squared(one, other) == pytest.approx(2 - 2 * cosine(one, other))
    assert aed_root_mean_square(one, other) ** 2 * 512 == pytest.approx(aed_squared(one, other))


@pytest.mark.parametrize("aed", [aed_mean_absolute, aed_root_mean_square, aed_squared])
def test_a_face_further_from_the_target_has_a_larger_aed(aed) -> None:
    rng = np.random.default_rng(3)
    target, noise = rng.normal(size=(2, 5, 512))
    values = [aed(target + times * noise, target) for times in (0, 0.2, 0.4, 0.8)]
    assert values[0] == pytest.approx(np.zeros(5))
    assert (np.diff(values, axis=0) > 0).all()
    assert aed(7 * target, target) == pytest.approx(np.zeros(5), abs=1e-12)
    assert np.isnan(aed(np.full((1, 4), np.nan), np.ones((1, 4))))[0]


@pytest.fixture(scope="module")
def metric() -> EmbeddingMetric:
    return load_metrics([CSIM], workers=2).frame[0]


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return cv2.resize(skimage.data.astronaut()[30:230, 125:325], (160, 160), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def variants(portrait: np.ndarray) -> np.ndarray:
    """The same person: as she is, compressed, turned, darker, badly blurred."""
    turn = cv2.getRotationMatrix2D((80, 80), 15, 0.9)
    return np.stack(
        [
            portrait,
            cv2.imdecode(cv2.imencode(".jpg", portrait, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_COLOR),
            cv2.warpAffine(portrait, turn, (160, 160)),
            (portrait * 0.6).astype(np.uint8),
            cv2.GaussianBlur(portrait, (0, 0), 3),
        ]
    )


@pytest.mark.slow
def test_the_same_person_is_recognised_and_blur_takes_identity_away(
    metric: EmbeddingMetric, portrait: np.ndarray, variants: np.ndarray
) -> None:
    target = Frames.of(np.stack([portrait] * len(variants)))
    same, compressed, turned, darker, blurred = metric.score(Frames.of(variants), target, FeatureCache()).values
    assert same == pytest.approx(1, abs=1e-6)
    assert min(compressed, turned, darker) > 0.8
    assert blurred < min(compressed, turned, darker)


@pytest.mark.slow
def test_strangers_lie_around_zero(metric: EmbeddingMetric, portrait: np.ndarray, shared_dir: Path) -> None:
    from pipeline.video import read_frames

    clips = sorted((shared_dir / "clips").glob("LipNet-GRID__*.mpg"))
    if not clips:
        pytest.skip("no clips beside the checkout")
    stranger = next(iter(read_frames(clips[0], 0.0, 1.0, 25.0))).rgb
    side = min(stranger.shape[:2])
    square = cv2.resize(stranger[:side, :side], (160, 160), interpolation=cv2.INTER_AREA)
    measured = metric.score(Frames.of(square[None]), Frames.of(portrait[None]), FeatureCache())
    assert measured.statuses == ("ok",)
    assert abs(measured.values[0]) < 0.3


@pytest.mark.slow
def test_embeddings_equal_insightface_on_its_own_alignment(metric: EmbeddingMetric, variants: np.ndarray) -> None:
    """The whole path at once: landmarks, crop, colour order and normalisation."""
    import warnings

    from insightface.model_zoo import get_model
    from insightface.utils.face_align import norm_crop

    from pipeline.backends import load_backend
    from pipeline.landmarks import five_points
    from weights.fetch import fetch

    theirs = get_model(str(fetch("fr-feature-512")), providers=["CPUExecutionProvider"])
    ours = FeatureCache().features(metric.embedding, Frames.of(variants))
    for frame, row in zip(variants, ours, strict=True):
        points = five_points(load_backend().find(frame)[0].points)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            crop = norm_crop(frame[..., ::-1].copy(), points)
        expected = theirs.get_feat(crop)[0]
        assert cosine(row[None], expected[None])[0] == pytest.approx(1, abs=1e-4)


@pytest.mark.slow
def test_order_batch_and_number_of_workers_do_not_matter(variants: np.ndarray) -> None:
    together = FeatureCache().features(load_metrics([CSIM], workers=3).frame[0].embedding, Frames.of(variants))
    single = load_metrics([CSIM], workers=1).frame[0].embedding
    for index in reversed(range(len(variants))):
        alone = FeatureCache().features(single, Frames.of(variants[index : index + 1]))
        assert alone[0] == pytest.approx(together[index], abs=1e-5)


@pytest.mark.slow
def test_a_frame_without_a_face_has_no_identity(metric: EmbeddingMetric, portrait: np.ndarray) -> None:
    measured = metric.score(Frames.of(np.zeros_like(portrait)[None]), Frames.of(portrait[None]), FeatureCache())
    assert measured.statuses == ("no_face",)
    assert np.isnan(measured.values[0])


@pytest.mark.slow
def test_a_second_network_sees_the_same_person(portrait: np.ndarray, variants: np.ndarray) -> None:
    second = load_metrics([CSIM_MOBILE]).frame[0]
    target = Frames.of(np.stack([portrait] * (len(variants) + 1)))
    frames = Frames.of(np.stack([*variants, np.zeros_like(portrait)]))
    measured = second.score(frames, target, FeatureCache())
    same, compressed, turned, darker, blurred, _ = measured.values
    assert same == pytest.approx(1, abs=1e-6)
    assert min(compressed, turned, darker) > 0.8
    assert blurred < min(compressed, turned, darker)
    assert measured.statuses[-1] == "no_face"
