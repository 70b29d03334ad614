"""The raster shows what the points say, to a fraction of a pixel."""

import numpy as np
import pytest

from model.landmark_map import draw, draw_all, mirror
from pipeline.landmarks import MIRRORED
from tests.model.conftest import face_points, with_irises


def test_parts_have_the_published_colours() -> None:
    points = face_points()
    raster = draw(points, 64)
    chin, eye_corner, lip = (np.rint(points[i]).astype(int) for i in (8, 36, 51))
    assert raster[chin[1], chin[0]].min() > 100  # white
    red, green, blue = raster[eye_corner[1], eye_corner[0]].astype(int)
    assert min(red, blue) > 60
    assert green < 60  # magenta
    red, green, blue = raster[lip[1], lip[0]].astype(int)
    assert min(red, green) > 60
    assert blue < 60  # yellow


def test_a_third_of_a_pixel_changes_the_raster() -> None:
    assert not np.array_equal(draw(face_points(), 64), draw(face_points((0.34, 0)), 64))


def test_shifting_points_by_whole_pixels_shifts_the_raster() -> None:
    here, there = draw(face_points(), 64), draw(face_points((3, 2)), 64)
    assert np.array_equal(here[:-2, :-3], there[2:, 3:])


def test_points_outside_the_image_are_cut_off() -> None:
    assert not draw(face_points((200, 0)), 64).any()


def test_points_that_were_not_found_are_refused() -> None:
    points = face_points()
    points[5] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        draw(points, 64)


def test_mirroring_twice_is_the_identity() -> None:
    points = face_points((3, 1))[None]
    assert np.allclose(mirror(mirror(points, 64), 64), points)
    assert sorted(MIRRORED) == list(range(68))


def test_mirrored_points_lie_on_the_mirrored_face() -> None:
    """Left and right change places: a symmetric face is its own mirror image, point by point."""
    points = face_points((-0.5, 0))[None]  # symmetric about the middle of a 64 px image
    assert np.allclose(mirror(points, 64), points, atol=0.01)


def test_irises_are_discs_in_a_colour_of_their_own_where_there_are_any() -> None:
    points = face_points()
    looking_left, looking_right = with_irises(points, -2), with_irises(points, 2)
    plain, left, right = (draw(some, 64) for some in (points, looking_left, looking_right))
    iris = np.rint(looking_left[68]).astype(int)
    red, green, blue = left[iris[1], iris[0]].astype(int)
    assert red > 200
    assert 60 < green < 200
    assert blue < 60
    assert not np.array_equal(left, right)
    eyes = np.abs(left.astype(int) - plain).max(axis=2) > 0
    assert 4 < eyes.sum() < 40  # two small discs, and nothing else


def test_mirrored_irises_change_eyes() -> None:
    points = with_irises(face_points(), 2)[None]
    mirrored = mirror(points, 64)[0]
    assert np.allclose(mirrored[69], [63 - points[0, 68, 0], points[0, 68, 1]])
    assert np.allclose(mirror(mirrored[None], 64), points)


def test_another_number_of_points_is_refused() -> None:
    with pytest.raises(ValueError, match="69 landmarks"):
        draw(with_irises(face_points(), 0)[:69], 64)


def test_no_frames_give_no_rasters() -> None:
    assert draw_all(np.zeros((0, 68, 2), np.float32), 32).shape == (0, 32, 32, 3)
