import cv2
import numpy as np
import pytest
import skimage.data
from scipy.spatial.transform import Rotation

from eval.features import FeatureCache, Frames
from eval.metrics.eyes import blink_agreement, blink_recall, eye_width, gaze_error, openness_error, shut
from eval.metrics.loading import load_metrics
from eval.specs.expression import BLINK_AGREEMENT, BLINK_RECALL, EYE_OPENNESS
from eval.specs.gaze import GAZE
from pipeline.backends import load_backend

NONE = np.full((1, 4), np.nan)
OPEN, SHUT, WINK = (np.array([[right, left, 0.0, 0.0]]) for right, left in ((0.3, 0.4), (0.1, 0.1), (0.4, 0.3)))


def looking(yaw: float, pitch: float) -> np.ndarray:
    return np.array([[0.3, 0.3, yaw, pitch]])


def test_openness_is_compared_eye_by_eye() -> None:
    """Golden: the mean openness of these two is the same, that of each eye is not."""
    assert openness_error(WINK, OPEN) == pytest.approx([0.1])
    assert openness_error(SHUT, OPEN) == pytest.approx([0.25])
    assert openness_error(OPEN, OPEN) == pytest.approx([0])
    assert np.isnan(openness_error(NONE, OPEN))[0]


def test_eyes_are_shut_below_a_fifth_of_their_width() -> None:
    just = np.array([[0.19, 0.2, 0, 0], [0.2, 0.21, 0, 0], [np.nan] * 4])
    assert shut(just).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("generated", "target", "agreement", "recall"),
    [
        (OPEN, OPEN, 1, np.nan),
        (SHUT, OPEN, 0, np.nan),
        (OPEN, SHUT, 0, 0),
        (SHUT, SHUT, 1, 1),
        (NONE, SHUT, np.nan, np.nan),
    ],
)
def test_blinks_agree_or_do_not(generated: np.ndarray, target: np.ndarray, agreement: float, recall: float) -> None:
    assert blink_agreement(generated, target) == pytest.approx([agreement], nan_ok=True)
    assert blink_recall(generated, target) == pytest.approx([recall], nan_ok=True)


def test_a_gaze_to_the_side_is_off_by_that_angle() -> None:
    assert gaze_error(looking(10, 0), looking(-20, 0)) == pytest.approx([30])
    assert gaze_error(looking(0, -5), looking(0, 10)) == pytest.approx([15])
    assert gaze_error(looking(1e-6, 0), looking(0, 0)) == pytest.approx([1e-6], rel=1e-3)
    assert gaze_error(looking(8, 3), looking(8, 3)) == pytest.approx([0])


def test_the_gaze_error_equals_the_angle_between_directions_that_scipy_turned() -> None:
    angles = np.random.default_rng(0).uniform(-40, 40, (2, 50, 2))
    ahead = [Rotation.from_euler("YX", side * [1, -1], degrees=True).apply([0, 0, 1]) for side in angles]
    expected = np.degrees(np.arccos(np.sum(ahead[0] * ahead[1], axis=1)))
    one, other = (np.column_stack([np.full((50, 2), 0.3), side]) for side in angles)
    assert gaze_error(one, other) == pytest.approx(expected)


def test_shut_eyes_look_nowhere() -> None:
    assert np.isnan(gaze_error(SHUT, OPEN))[0]
    assert np.isnan(gaze_error(OPEN, SHUT))[0]


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return cv2.resize(skimage.data.astronaut()[30:230, 125:325], (160, 160), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def points(portrait: np.ndarray) -> np.ndarray:
    return load_backend().find(portrait)[0].points


def closing(portrait: np.ndarray, points: np.ndarray, share: float) -> np.ndarray:
    """Paint lids over the eyes, more and more opaque."""
    frame = portrait.copy()
    for eye in (points[36:42], points[42:48]):
        (x, y), width = eye.mean(axis=0), np.linalg.norm(eye[3] - eye[0])
        skin = portrait[int(y + 0.55 * width), int(x)].tolist()
        lid = cv2.ellipse(
            frame.copy(), (round(x), round(y)), (int(0.55 * width), int(0.3 * width)), 0, 0, 360, skin, -1
        )
        corners = [(round(x + side * 0.45 * width), round(y + 0.15 * width)) for side in (-1, 1)]
        cv2.line(lid, *corners, (40, 25, 20), 1)
        frame = cv2.addWeighted(lid, share, frame, 1 - share, 0)
    return frame


def glancing(portrait: np.ndarray, points: np.ndarray, shift_px: float) -> np.ndarray:
    """Move what is inside the eyes to the right, and leave the corners where they are."""
    x, y = np.meshgrid(np.arange(160, dtype=np.float32), np.arange(160, dtype=np.float32))
    moved = np.zeros_like(x)
    for eye in (points[36:42], points[42:48]):
        centre, width = eye.mean(axis=0), np.linalg.norm(eye[3] - eye[0])
        far = ((x - centre[0]) / (0.5 * width)) ** 2 + ((y - centre[1]) / (0.35 * width)) ** 2
        moved += shift_px * np.exp(-(far**2)).astype(np.float32)
    return cv2.remap(portrait, x - moved, y, cv2.INTER_LINEAR)


@pytest.mark.slow
def test_eyes_that_close_are_a_growing_error_and_in_the_end_a_blink(portrait: np.ndarray, points: np.ndarray) -> None:
    openness, agreement, gaze = load_metrics([EYE_OPENNESS, BLINK_AGREEMENT, GAZE]).frame
    cache, target = FeatureCache(), Frames.of(np.stack([portrait] * 4))
    generated = Frames.of(np.stack([closing(portrait, points, share) for share in (0, 0.3, 0.6, 1)]))
    values = openness.score(generated, target, cache).values
    assert values[0] == 0
    assert (np.diff(values) > 0).all()
    assert agreement.score(generated, target, cache).values.tolist() == [1, 1, 1, 0]
    assert gaze.score(generated, target, cache).statuses == ("ok", "ok", "ok", "eyes_shut")


@pytest.mark.slow
def test_a_blink_is_recalled_only_where_the_target_blinks(portrait: np.ndarray, points: np.ndarray) -> None:
    recall, gaze = load_metrics([BLINK_RECALL, GAZE]).frame
    blink, cache = closing(portrait, points, 1), FeatureCache()
    generated, target = Frames.of(np.stack([blink, portrait, blink])), Frames.of(np.stack([blink, blink, portrait]))
    measured = recall.score(generated, target, cache)
    assert measured.statuses == ("ok", "ok", "target_eyes_open")
    assert measured.values[:2].tolist() == [1, 0]
    assert gaze.score(generated, target, cache).statuses == ("target_eyes_shut", "target_eyes_shut", "eyes_shut")


@pytest.mark.slow
def test_eyes_that_glance_aside_are_a_growing_error_of_gaze(portrait: np.ndarray, points: np.ndarray) -> None:
    gaze = load_metrics([GAZE]).frame[0]
    cache, target = FeatureCache(), Frames.of(np.stack([portrait] * 3))
    generated = Frames.of(np.stack([glancing(portrait, points, shift) for shift in (0, 1.5, 3)]))
    values = gaze.score(generated, target, cache).values
    assert values[0] == 0
    assert (np.diff(values) > 3).all()
    yaws = cache.features(gaze.eyes, generated)[:, 2]
    assert (np.diff(yaws) > 0).all()


@pytest.mark.slow
def test_a_mirror_image_has_the_eyes_of_the_other_side(portrait: np.ndarray) -> None:
    eyes = load_metrics([GAZE]).frame[0].eyes
    frames = np.stack([portrait, portrait[:, ::-1]])
    one, mirrored = FeatureCache().features(eyes, Frames.of(frames))
    assert mirrored[:2] == pytest.approx(one[1::-1], abs=0.01)
    assert mirrored[3] == pytest.approx(one[3], abs=1.5)


@pytest.mark.slow
def test_eyes_of_a_few_pixels_are_not_measured(portrait: np.ndarray) -> None:
    """The face is found all the same; an eye takes a tenth of the width of this picture."""
    metric = load_metrics([EYE_OPENNESS]).frame[0]
    frames = [cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA) for side in (64, 40)]
    cache = FeatureCache()
    statuses = []
    for frame in frames:
        one = Frames.of(frame[None])
        statuses += metric.score(one, one, cache).statuses
        assert 0.5 < eye_width(metric.eyes.landmarks.of(one, cache))[0] / (0.1 * len(frame)) < 1.5
    assert statuses == ["ok", "target_no_eyes"]


@pytest.mark.slow
def test_a_frame_without_a_face_has_no_eyes(portrait: np.ndarray) -> None:
    blank = np.zeros_like(portrait)
    generated, target = Frames.of(np.stack([blank, portrait])), Frames.of(np.stack([portrait, blank]))
    for metric in load_metrics([EYE_OPENNESS, BLINK_AGREEMENT, GAZE]).frame:
        measured = metric.score(generated, target, FeatureCache())
        assert measured.statuses == ("no_eyes", "target_no_eyes")
        assert np.isnan(measured.values).all()


@pytest.mark.slow
def test_neither_batch_nor_order_matters(portrait: np.ndarray, points: np.ndarray) -> None:
    eyes = load_metrics([GAZE]).frame[0].eyes
    frames = np.stack([portrait, closing(portrait, points, 0.6), glancing(portrait, points, 3)])
    together = FeatureCache().features(eyes, Frames.of(frames))
    for place in (2, 0, 1):
        assert np.array_equal(FeatureCache().features(eyes, Frames.of(frames[place : place + 1]))[0], together[place])
