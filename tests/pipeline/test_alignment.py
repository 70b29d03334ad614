import warnings

import numpy as np
import pytest
import skimage.data
from skimage.transform import SimilarityTransform

from pipeline.alignment import ARCFACE_TEMPLATE, arcface_crop, similarity_transform

POINTS = np.array([[205.0, 112.0], [245.0, 108.0], [228.0, 138.0], [212.0, 155.0], [248.0, 151.0]])
"""Roughly the face of the photograph, turned a little."""


def test_recovers_a_known_similarity() -> None:
    angle, scale, shift = 0.3, 1.7, np.array([4.0, -2.0])
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = scale * POINTS @ rotation.T + shift
    found = similarity_transform(POINTS, moved)
    assert found == pytest.approx(np.column_stack([scale * rotation, shift]))


def test_equals_scikit_image_where_no_exact_similarity_exists() -> None:
    theirs = SimilarityTransform()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        assert theirs.estimate(POINTS, ARCFACE_TEMPLATE)
    assert similarity_transform(POINTS, ARCFACE_TEMPLATE) == pytest.approx(theirs.params[:2])


def test_never_mirrors() -> None:
    """Mirrored points are best fitted by a reflection, which is no similarity of a face."""
    found = similarity_transform(POINTS * [-1, 1], ARCFACE_TEMPLATE)
    assert np.linalg.det(found[:, :2]) > 0


def test_the_crop_equals_insightface() -> None:
    from insightface.utils.face_align import arcface_dst, norm_crop

    photo = skimage.data.astronaut()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        theirs = norm_crop(photo, POINTS)
    assert arcface_crop(photo, POINTS) == pytest.approx(theirs, abs=1)
    assert pytest.approx(arcface_dst, abs=1e-4) == ARCFACE_TEMPLATE


def test_points_that_coincide_are_refused() -> None:
    with pytest.raises(ValueError, match="coincide"):
        similarity_transform(np.ones((5, 2)), ARCFACE_TEMPLATE)
