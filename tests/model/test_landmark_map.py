"""The raster shows what the points say, to a fraction of a pixel."""

import numpy as np
import pytest

from model.landmark_map import draw, draw_all, mirror
from pipeline.landmarks import MIRRORED
from tests.model.conftest import face_points


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


def test_no_frames_give_no_rasters() -> None:
    assert draw_all(np.zeros((0, 68, 2), np.float32), 32).shape == (0, 32, 32, 3)
