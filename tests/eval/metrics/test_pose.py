import cv2
import numpy as np
import pytest
import skimage.data
from scipy.spatial.transform import Rotation

from eval.features import FeatureCache, Frames
from eval.metrics.loading import load_metrics
from eval.metrics.pose import pose_error
from eval.specs.pose import APD, APD_PITCH, APD_ROLL, APD_YAW


def test_errors_are_absolute_and_go_the_short_way_round() -> None:
    found = np.array([[10.0, -5, 179], [0, 0, -90]])
    wanted = np.array([[4.0, 5, -179], [0, 0, 90]])
    assert pose_error(found, wanted).tolist() == [[6, 10, 2], [0, 0, 180]]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_about_one_axis_the_error_is_the_angle_of_the_rotation_between(axis: int) -> None:
    """Scipy's rotation vectors as the outside reference."""
    rng = np.random.default_rng(axis)
    one, other = np.zeros((2, 20, 3))
    one[:, axis], other[:, axis] = rng.uniform(-90, 90, (2, 20))
    between = Rotation.from_euler("yxz", one, degrees=True).inv() * Rotation.from_euler("yxz", other, degrees=True)
    assert pose_error(one, other)[:, axis] == pytest.approx(np.degrees(between.magnitude()))


def test_a_pose_that_is_not_known_has_no_error() -> None:
    assert np.isnan(pose_error(np.full((1, 3), np.nan), np.zeros((1, 3)))).all()


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return cv2.resize(skimage.data.astronaut()[30:230, 125:325], (160, 160), interpolation=cv2.INTER_AREA)


def leaning(portrait: np.ndarray, angle: float) -> np.ndarray:
    """Turn the picture, clockwise where positive."""
    turn = cv2.getRotationMatrix2D((80, 80), -angle, 1)
    return cv2.warpAffine(portrait, turn, (160, 160), borderMode=cv2.BORDER_REPLICATE)


@pytest.mark.slow
def test_a_head_that_leans_by_ten_degrees_is_off_by_ten_degrees_of_roll(portrait: np.ndarray) -> None:
    metrics = load_metrics([APD, APD_YAW, APD_PITCH, APD_ROLL]).frame
    target = Frames.of(np.stack([portrait] * 4))
    generated = Frames.of(np.stack([portrait, leaning(portrait, 5), leaning(portrait, 10), leaning(portrait, -20)]))
    cache = FeatureCache()
    mean, yaw, pitch, roll = (metric.score(generated, target, cache).values for metric in metrics)
    assert roll == pytest.approx([0, 5, 10, 20], abs=1.5)
    assert max(yaw.max(), pitch.max()) < 4
    assert mean == pytest.approx((yaw + pitch + roll) / 3)
    assert (np.diff(mean) > 0).all()


@pytest.mark.slow
def test_a_head_to_the_other_side_is_worse_than_one_ahead(portrait: np.ndarray) -> None:
    """The portrait looks aside; its mirror image is twice as far from it as a head that looks ahead."""
    metric = load_metrics([APD_YAW]).frame[0]
    cache, frames = FeatureCache(), Frames.of(portrait[None])
    yaw = abs(float(cache.features(metric.fit, frames)[0, -3]))
    mirrored = Frames.of(np.ascontiguousarray(portrait[None, :, ::-1]))
    assert metric.score(mirrored, frames, cache).values == pytest.approx([2 * yaw], abs=2)


@pytest.mark.slow
def test_a_frame_without_a_face_has_no_pose(portrait: np.ndarray) -> None:
    blank = np.zeros_like(portrait)
    measured = (
        load_metrics([APD])
        .frame[0]
        .score(Frames.of(np.stack([blank, portrait])), Frames.of(np.stack([portrait, blank])), FeatureCache())
    )
    assert measured.statuses == ("no_face", "target_no_face")
    assert np.isnan(measured.values).all()
