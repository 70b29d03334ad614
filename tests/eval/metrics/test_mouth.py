import cv2
import numpy as np
import pytest
import skimage.data

from eval.features import FeatureCache, Frames
from eval.metrics.loading import load_metrics
from eval.metrics.mouth import mouth_openness_error
from eval.specs.expression import MOUTH_OPENNESS


def face(gap_px: float, eyes_px: float = 50.0) -> np.ndarray:
    points = np.zeros((1, 68, 2), np.float32)
    points[0, 45] = [eyes_px, 0]
    points[0, 62], points[0, 66] = [25, 60], [25, 60 + gap_px]
    return points


def test_a_gap_of_ten_pixels_between_lips_is_a_fifth_of_fifty_between_eyes() -> None:
    assert mouth_openness_error(face(10), face(0)) == pytest.approx([0.2])
    assert mouth_openness_error(face(5), face(15)) == pytest.approx([0.2])
    assert mouth_openness_error(face(8), face(8)) == pytest.approx([0])


def test_each_face_is_measured_by_its_own_eyes() -> None:
    assert mouth_openness_error(3 * face(10), face(10)) == pytest.approx([0], abs=1e-6)


def test_a_face_without_a_measure_has_no_openness() -> None:
    assert np.isnan(mouth_openness_error(face(10, eyes_px=0), face(10)))[0]
    assert np.isnan(mouth_openness_error(np.full((1, 68, 2), np.nan, np.float32), face(10)))[0]


@pytest.mark.slow
def test_a_mouth_that_is_pulled_open_is_a_growing_error_and_no_face_is_none() -> None:
    """What lies between the lips is stretched, what lies below them moves down."""
    metric = load_metrics([MOUTH_OPENNESS]).frame[0]
    portrait = cv2.resize(skimage.data.astronaut()[30:230, 125:325], (160, 160), interpolation=cv2.INTER_AREA)
    cache = FeatureCache()
    points = metric.landmarks.of(Frames.of(portrait[None]), cache)[0]
    slit = round(float((points[62, 1] + points[66, 1]) / 2))
    x, y = np.meshgrid(np.arange(160, dtype=np.float32), np.arange(160, dtype=np.float32))
    frames = []
    for gap in (0, 5, 10):
        below = np.where(y > slit + gap, y - gap, np.minimum(y, slit))
        frames.append(cv2.remap(portrait, x, below, cv2.INTER_LINEAR))
        frames[-1][slit : slit + gap, round(points[60, 0]) : round(points[64, 0])] = (50, 15, 15)
    generated = Frames.of(np.stack([*frames, np.zeros_like(portrait)]))
    measured = metric.score(generated, Frames.of(np.stack([portrait] * 4)), cache)
    assert measured.statuses == ("ok", "ok", "ok", "no_face")
    assert measured.values[0] < 0.02
    assert (np.diff(measured.values[:3]) > 0.02).all()
