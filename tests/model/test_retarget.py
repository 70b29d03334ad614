"""Movement carried over to another face: what stays, what moves, and by how much."""

import numpy as np
import pytest

from model.retarget import carried_over
from tests.reports.drawing import drawn_landmarks

DRIVING = np.stack([drawn_landmarks(row) for row in range(30)])
"""A face whose mouth opens and whose head sways."""


def stretched(points: np.ndarray) -> np.ndarray:
    """Return another person: the same face, a quarter longer."""
    middle = points.mean(axis=-2, keepdims=True)
    return np.asarray((points - middle) * [1.0, 1.25] + middle, np.float32)


def test_a_person_who_drives_themselves_moves_as_they_did() -> None:
    np.testing.assert_allclose(carried_over(DRIVING, DRIVING[4:7]), DRIVING, atol=1e-4)


def test_size_and_place_in_the_picture_are_the_persons_own() -> None:
    support = DRIVING[10:11] * 0.5 + 20
    moved = carried_over(DRIVING, support)
    np.testing.assert_allclose(moved, DRIVING * 0.5 + 20, atol=1e-4)


def test_proportions_are_kept() -> None:
    moved = carried_over(DRIVING, stretched(DRIVING[5:6]))
    width, height = np.ptp(moved[..., :17, :], axis=1).T
    own_width, own_height = np.ptp(stretched(DRIVING[5])[:17], axis=0)
    np.testing.assert_allclose(width / height, own_width / own_height, rtol=0.02)
    assert abs(np.ptp(DRIVING[5, :17, 0]) / np.ptp(DRIVING[5, :17, 1]) - own_width / own_height) > 0.1


@pytest.mark.parametrize("opened", [0, 8])
def test_a_mouth_that_opens_in_the_driver_opens_in_the_person(opened: int) -> None:
    gaps = DRIVING[:, 66, 1] - DRIVING[:, 62, 1]
    moved = carried_over(DRIVING, stretched(DRIVING[opened : opened + 1]))
    moved_gaps = moved[:, 66, 1] - moved[:, 62, 1]
    assert np.corrcoef(gaps, moved_gaps)[0, 1] > 0.999


def test_irises_are_carried_along() -> None:
    with_irises = np.concatenate([DRIVING, DRIVING[:, 36:38]], axis=1)
    assert carried_over(with_irises, with_irises[:2]).shape == (30, 70, 2)
