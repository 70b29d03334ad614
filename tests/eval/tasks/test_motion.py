"""What counts as near and far: pose and shape of the face, and nothing else."""

import numpy as np
import pytest

from eval.tasks.motion import BOUNDS, STRATA, Motion, distance_to_nearest, spread


def face(rng: np.random.Generator, frames: int = 1) -> np.ndarray:
    return rng.normal(0, 20, (frames, 68, 2)) + 64


def motion(pose_deg: list[list[float]], landmarks: np.ndarray) -> Motion:
    return Motion.of(np.array(pose_deg), landmarks)


@pytest.fixture
def points() -> np.ndarray:
    return face(np.random.default_rng(0))


def test_a_turn_of_the_head_is_its_angle_in_radians(points: np.ndarray) -> None:
    still, turned = motion([[0, 0, 0]], points), motion([[3, 4, 12]], points)
    assert distance_to_nearest(turned, still) == pytest.approx([np.radians(13)])


def test_a_moved_face_is_how_far_its_points_moved_in_radii(points: np.ndarray) -> None:
    centred = points - points.mean(axis=1, keepdims=True)
    radius = np.sqrt(np.mean(np.sum(centred**2, axis=-1)))
    turned = centred @ np.array([[np.cos(0.2), -np.sin(0.2)], [np.sin(0.2), np.cos(0.2)]])
    gap = distance_to_nearest(motion([[0, 0, 0]], turned), motion([[0, 0, 0]], points))
    assert gap == pytest.approx([2 * np.sin(0.1)])  # every point moves along a chord of its own circle
    assert gap == pytest.approx(np.sqrt(np.mean(np.sum((turned - centred) ** 2, axis=-1))) / radius)


def test_both_add_up_as_the_sides_of_a_right_angle(points: np.ndarray) -> None:
    other = points + np.random.default_rng(1).normal(0, 3, points.shape)
    still, turned = motion([[0, 0, 0]], points), motion([[0, 9, 0]], points)
    bent, both = motion([[0, 0, 0]], other), motion([[0, 9, 0]], other)
    parts = [distance_to_nearest(one, still)[0] for one in (turned, bent)]
    assert distance_to_nearest(both, still)[0] == pytest.approx(np.hypot(*parts))


def test_where_the_face_is_and_how_large_plays_no_part(points: np.ndarray) -> None:
    here, elsewhere = motion([[1, 2, 3]], points), motion([[1, 2, 3]], points * 0.5 + np.array([40.0, -7.0]))
    assert distance_to_nearest(elsewhere, here) == pytest.approx([0.0], abs=1e-12)


def test_the_nearest_frame_counts_and_more_frames_never_make_it_farther() -> None:
    rng = np.random.default_rng(0)
    shown, asked = motion(rng.normal(0, 9, (8, 3)).tolist(), face(rng, 8)), motion([[0, 0, 0]] * 5, face(rng, 5))
    each = [distance_to_nearest(asked, shown.take(np.array([place]))) for place in range(8)]
    assert distance_to_nearest(asked, shown) == pytest.approx(np.min(each, axis=0))


def test_a_frame_without_pose_or_points_is_not_known(points: np.ndarray) -> None:
    both = np.concatenate([points, points, np.full_like(points, np.nan)])
    assert motion([[0, 0, 0], [np.nan, 0, 0], [0, 0, 0]], both).known.tolist() == [True, False, False]


def test_the_bounds_belong_to_the_farther_stratum() -> None:
    near, far = BOUNDS.near_below, BOUNDS.far_from
    assert BOUNDS.of(np.array([0, near - 1e-9, near, far - 1e-9, far, 9])) == (
        "near", "near", "middle", "middle", "far", "far"
    )  # fmt: skip


def counts(codes: np.ndarray, chosen: np.ndarray) -> list[int]:
    return np.bincount(codes[chosen], minlength=len(STRATA)).tolist()


def test_each_stratum_gets_an_equal_share_and_the_rest_goes_to_those_that_have_more() -> None:
    codes = np.array([0] * 100 + [1] * 50 + [2] * 4)
    assert counts(codes, spread(codes, 30)) == [13, 13, 4]
    assert counts(codes, spread(codes, 12)) == [4, 4, 4]
    assert counts(codes, spread(codes, 999)) == [100, 50, 4]


def test_frames_of_a_stratum_are_spread_evenly_in_time() -> None:
    codes = np.zeros(91, int)
    assert spread(codes, 10).tolist() == list(range(0, 91, 10))
