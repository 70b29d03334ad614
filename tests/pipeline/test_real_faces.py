"""The real networks on real people: needs the weights and the sample clips."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.backends import load_backend
from pipeline.clip_frames import ClipFrames
from pipeline.clip_work import process_clip
from pipeline.config import PipelineConfig
from pipeline.iris import _direction_deg, _openness, load_iris
from pipeline.landmarks import eye_openness, interocular
from pipeline.recognition import Likeness, load_recogniser
from pipeline.verdicts import Reject, RejectReason
from pipeline.video import read_frames
from tests.pipeline.conftest import clip_of

pytestmark = pytest.mark.slow

MIRRORED = [
    *range(16, -1, -1),
    *range(26, 16, -1),
    *(27, 28, 29, 30, 35, 34, 33, 32, 31),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
    *(64, 63, 62, 61, 60, 67, 66, 65),
]
"""Which of the 68 points each one becomes in a mirror."""


@pytest.fixture(scope="module")
def stills(samples: dict[str, Path]) -> list[np.ndarray]:
    """Every tenth frame of two people."""
    paths = (samples["pyfeat-man"], samples["carphone-man"])
    return [frame.rgb for path in paths for frame in read_frames(path) if frame.index % 10 == 0]


def points_in(rgb: np.ndarray) -> np.ndarray:
    (face, *_) = load_backend().find(rgb)
    return face.points


def processed(path: Path, **changes: object) -> ClipFrames:
    frames = process_clip(path, clip_of(path, **changes), PipelineConfig(size_px=128))
    assert isinstance(frames, ClipFrames)
    return frames


def test_a_mirrored_picture_has_mirrored_points(stills: list[np.ndarray]) -> None:
    """On average to a tenth of a network pixel: half a pixel of confusion about pixel centres would show."""
    shifts, distances = [], []
    for rgb in stills:
        points = points_in(rgb)
        mirrored = points_in(np.ascontiguousarray(rgb[:, ::-1]))[MIRRORED]
        mirrored[:, 0] = rgb.shape[1] - 1 - mirrored[:, 0]
        difference = (points - mirrored) / interocular(points)
        shifts.append(difference[17:, 0].mean())
        distances.append(np.linalg.norm(difference, axis=1).mean())
    assert abs(np.mean(shifts)) < 0.005
    assert np.mean(distances) < 0.03


@pytest.mark.parametrize("degrees", [-30, 15, 40])
def test_a_turned_picture_has_turned_points(stills: list[np.ndarray], degrees: int) -> None:
    rgb = stills[0]
    height, width = rgb.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    expected = points_in(rgb) @ turn[:, :2].T + turn[:, 2]
    found = points_in(cv2.warpAffine(rgb, turn, (width, height), borderMode=cv2.BORDER_REPLICATE))
    assert np.linalg.norm(found - expected, axis=1).mean() / interocular(found) < 0.04


def test_points_lie_where_dlib_sees_them(samples: dict[str, Path], dlib_points) -> None:  # type: ignore[no-untyped-def]
    """An independent network, trained on other data, agrees to a few hundredths of the eye distance."""
    errors = []
    for frame in read_frames(samples["pyfeat-man"]):
        if frame.index % 12 == 0 and (theirs := dlib_points(frame.rgb)) is not None:
            ours = points_in(frame.rgb)
            errors.append(np.linalg.norm(ours - theirs, axis=1).mean() / interocular(theirs))
    assert len(errors) >= 4
    assert np.mean(errors) < 0.06


@pytest.fixture(scope="module")
def dlib_points():  # type: ignore[no-untyped-def]
    """Return a function from a picture to dlib's 68 points of its largest face."""
    dlib = pytest.importorskip("dlib")
    from weights.fetch import fetch

    detector, predictor = dlib.get_frontal_face_detector(), dlib.shape_predictor(str(fetch("dlib-68")))

    def points(rgb: np.ndarray) -> np.ndarray | None:
        boxes = detector(rgb, 0)
        if not boxes:
            return None
        shape = predictor(rgb, max(boxes, key=lambda box: box.area()))
        return np.array([(part.x, part.y) for part in shape.parts()], np.float32)

    return points


def test_opening_the_mouth_moves_the_lips_apart(samples: dict[str, Path]) -> None:
    """The man in the car speaks: at the widest, the opening is dark; at the narrowest, it is not there."""
    frames = processed(samples["carphone-man"])
    opening = np.linalg.norm(frames.landmarks[:, 62] - frames.landmarks[:, 66], axis=1)
    opening = opening / interocular(frames.landmarks)
    assert opening.max() > 0.25
    assert opening.min() < 0.03

    def darkness(row: int) -> float:
        x, y = frames.landmarks[row, 60:68].mean(axis=0).round().astype(int)
        return float(frames.images[row, y - 1 : y + 2, x - 1 : x + 2].mean())

    assert darkness(int(opening.argmax())) < darkness(int(opening.argmin())) - 20


def test_head_chin_and_eyes_are_inside_every_crop(samples: dict[str, Path]) -> None:
    for name in ("pyfeat-man", "carphone-man"):
        frames = processed(samples[name])
        assert frames.ok.all()
        low, high = frames.landmarks.min(axis=(0, 1)), frames.landmarks.max(axis=(0, 1))
        assert (low > [4, 20]).all()
        assert (high < [124, 124]).all()
        assert np.isfinite(frames.sharpness).all()
        assert (frames.landmark_scores > 0.5).all()


def test_two_people_side_by_side_need_a_hint(samples: dict[str, Path]) -> None:
    path = samples["obama"]
    config = PipelineConfig(size_px=128)
    verdict = process_clip(path, clip_of(path), config)
    assert isinstance(verdict, Reject)
    assert verdict.reason == RejectReason.AMBIGUOUS_FACE
    first = next(read_frames(path)).rgb
    height, width = first.shape[:2]
    for face in load_backend().find(first):
        x0, y0, x1, y1 = (float(value) for value in face.box)
        box = (x0 / width, y0 / height, x1 / width, y1 / height)
        chosen = processed(path, face_box=box)
        assert np.abs(chosen.box[0] - face.box).max() < 5


def test_following_agrees_with_finding_anew(samples: dict[str, Path]) -> None:
    """A face followed through the clip sits where a fresh search of the last frame finds it."""
    frames = list(read_frames(samples["pyfeat-man"]))
    backend = load_backend()
    face = backend.find(frames[0].rgb)[0]
    for frame in frames[1:]:
        followed = backend.follow(frame.rgb, face)
        assert followed is not None
        face = followed
    fresh = points_in(frames[-1].rgb)
    assert np.linalg.norm(face.points - fresh, axis=1).mean() / interocular(fresh) < 0.02


@pytest.mark.slow
def test_irises_are_the_dark_of_the_eyes_and_mirror_with_the_picture(stills: list[np.ndarray]) -> None:
    network = load_iris()
    for rgb in stills:
        points = points_in(rgb)
        if eye_openness(points) < 0.2:
            continue
        gaze = network(rgb, points)
        width_px = np.linalg.norm(points[39] - points[36])
        for iris, eye in zip(gaze.irises, (points[36:42], points[42:48]), strict=True):
            assert np.linalg.norm(iris - eye.mean(axis=0)) < 0.35 * width_px
        flipped = np.ascontiguousarray(rgb[:, ::-1])
        mirrored_points = (rgb.shape[1] - 1, 0) + points[MIRRORED] * (-1, 1)
        mirrored = network(flipped, mirrored_points.astype(np.float32))
        assert mirrored.yaw_deg == pytest.approx(-gaze.yaw_deg, abs=0.5)
        assert mirrored.pitch_deg == pytest.approx(gaze.pitch_deg, abs=0.5)
        assert mirrored.openness == pytest.approx(gaze.openness[::-1], abs=0.02)


def test_an_eye_that_is_three_high_and_ten_wide_is_open_by_three_tenths() -> None:
    contour = np.zeros((71, 2))
    contour[[0, 8]] = [[0, 0], [10, 0]]
    contour[[11, 13]] = [[3, -1], [7, -2]]  # upper lid
    contour[[3, 5]] = [[3, 1], [7, 2]]
    assert _openness(contour) == pytest.approx(0.3)


def test_an_iris_moved_to_the_right_looks_to_the_right() -> None:
    first, last = np.array([10.0, 20.0]), np.array([50.0, 20.0])
    ahead, right = (_direction_deg(np.array([x, 20.0]), 16.0, first, last) for x in (30.0, 36.0))
    assert ahead == pytest.approx([0, 0])
    assert right[0] == pytest.approx(np.degrees(np.arcsin(6 / (16 * 12 / 11.7))))
    down = _direction_deg(np.array([30.0, 25.0]), 16.0, first, last)
    assert down[1] > 0


def test_another_person_in_the_same_clip_shows_in_the_identity_column(stills: list[np.ndarray]) -> None:
    likeness = Likeness(load_recogniser())
    man, driver = stills[:5], stills[-5:]  # of two clips, one after the other
    same = [likeness(rgb, points_in(rgb)) for rgb in man]
    other = [likeness(rgb, points_in(rgb)) for rgb in driver]
    assert same[0] == pytest.approx(1)
    assert min(same) > 0.6
    assert max(other) < 0.3


def test_identity_is_compared_as_often_as_asked(samples: dict[str, Path]) -> None:
    path = samples["pyfeat-man"]
    config = PipelineConfig(size_px=64, identity_every=25)
    frames = process_clip(path, clip_of(path, end_s=3), config)
    assert isinstance(frames, ClipFrames)
    compared = np.isfinite(frames.identity_similarity)
    assert np.array_equal(compared, frames.frame % 25 == 0)
    assert frames.identity_similarity[compared].min() > 0.6
