"""Anchors, decoding and merging of the face detector, on numbers that can be checked by hand."""

import numpy as np
import pytest

from pipeline.blazeface import FULL_RANGE, SHORT_RANGE, anchor_centres, box_iou, decode, letterbox, merge


def test_anchors_are_as_many_as_the_networks_have_outputs() -> None:
    assert anchor_centres(SHORT_RANGE).shape == (896, 2)
    assert anchor_centres(FULL_RANGE).shape == (2304, 2)


def test_anchors_run_row_by_row_from_the_finest_map() -> None:
    anchors = anchor_centres(SHORT_RANGE)
    assert anchors[0] == pytest.approx([0.5 / 16, 0.5 / 16])
    assert anchors[2] == pytest.approx([1.5 / 16, 0.5 / 16])
    assert anchors[32] == pytest.approx([0.5 / 16, 1.5 / 16])
    assert anchors[512] == pytest.approx([0.5 / 8, 0.5 / 8])
    assert anchors[-1] == pytest.approx([7.5 / 8, 7.5 / 8])


def test_decoding_adds_offsets_to_the_anchor() -> None:
    raw = np.zeros((1, 16), np.float32)
    raw[0, :4] = (12.8, -12.8, 25.6, 51.2)  # centre offset, then width and height, in input pixels
    raw[0, 4:6] = (6.4, 0)
    points = decode(raw, np.array([[0.5, 0.5]], np.float32), 128)
    assert points[0, 0] == pytest.approx([0.5, 0.2])
    assert points[0, 1] == pytest.approx([0.7, 0.6])
    assert points[0, 2] == pytest.approx([0.55, 0.5])


def test_candidates_of_one_face_become_their_weighted_mean_and_faces_stay_apart() -> None:
    def candidate(left: float) -> np.ndarray:
        return np.concatenate([[[left, 0], [left + 10, 10]], np.zeros((6, 2))])

    points = np.stack([candidate(0), candidate(1), candidate(50)]).astype(np.float32)
    faces = merge(points, np.array([0.9, 0.6, 0.7], np.float32))
    assert [face.score for face in faces] == pytest.approx([0.9, 0.7])
    assert faces[0].box[0] == pytest.approx(0.4)
    assert faces[1].box[0] == pytest.approx(50)


def test_overlap_of_boxes() -> None:
    box = np.array([0, 0, 10, 10], np.float32)
    others = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 0, 30, 10], [3, 3, 3, 3]], np.float32)
    assert box_iou(box, others) == pytest.approx([1, 1 / 3, 0, 0])


def test_letterboxing_keeps_the_aspect_and_centres_on_grey() -> None:
    square = letterbox(np.full((50, 100, 3), 255, np.uint8), 128)
    assert square.shape == (128, 128, 3)
    assert (square[32:96] == 1).all()
    assert (square[:32] == 0).all()
    assert (square[96:] == 0).all()
