"""The warp moves what lies on landmarks, and little else."""

import cv2
import numpy as np

from model.warp import warp
from tests.model.conftest import face_image, face_points


def test_equal_landmarks_leave_the_frame_as_it_is() -> None:
    points = face_points()
    frame = face_image(points, (200, 150, 120))
    difference = np.abs(warp(frame, points, points).astype(int) - frame)
    assert difference.mean() < 0.5


def test_a_mark_on_a_landmark_lands_on_its_target() -> None:
    points, target = face_points(), face_points((5, -3))
    for number in (8, 30, 48):
        frame = np.zeros((64, 64, 3), np.uint8)
        cv2.circle(frame, np.rint(points[number]).astype(int).tolist(), 2, (255, 255, 255), -1)
        ys, xs = np.nonzero(warp(frame, points, target)[:, :, 0] > 100)
        off = np.rint(points[number]) - points[number]
        assert np.allclose([xs.mean(), ys.mean()], target[number] + off, atol=1.0)


def test_the_border_stays_in_place() -> None:
    rng = np.random.default_rng(0)
    frame = cv2.GaussianBlur(rng.integers(0, 256, (64, 64, 3), np.uint8), (0, 0), 3)
    moved = warp(frame, face_points(), face_points((4, 3)))
    edge = np.zeros((64, 64), bool)
    edge[[0, -1]] = edge[:, [0, -1]] = True
    assert np.abs(moved.astype(int) - frame)[edge].mean() < 3
    assert np.abs(moved.astype(int) - frame)[20:50, 20:50].mean() > 5


def test_warping_comes_closer_to_the_target_frame_than_copying() -> None:
    points, target = face_points(), face_points((5, 2), mouth=3)
    source, wanted = (face_image(p, (200, 150, 120)).astype(int) for p in (points, target))
    warped = warp(source.astype(np.uint8), points, target)
    assert np.abs(warped - wanted).mean() < 0.5 * np.abs(source - wanted).mean()
