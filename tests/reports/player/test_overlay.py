"""Lines over the pictures: where the landmarks are, and where eyes look."""

import re
from xml.etree import ElementTree as ET

import numpy as np

from pipeline.landmarks import rescale
from reports.player.film import Layout
from reports.player.overlay import ASKED, DOTS_PER_PX, gaze_sheet, landmark_sheet
from tests.reports.drawing import drawn_landmarks

SVG = "{http://www.w3.org/2000/svg}"
SIZE_PX = 128
LAYOUT = Layout.of(3, SIZE_PX)


def faces(count: int = 3) -> np.ndarray:
    return np.stack([rescale(drawn_landmarks(20 * row), 64, SIZE_PX) for row in range(count)])


def cells(svg: bytes) -> dict[tuple[int, int], list[np.ndarray]]:
    """Return the poly-lines of each cell, in pixels of its frame, by the cell's corner."""
    root = ET.fromstring(svg)
    assert (int(root.get("width")), int(root.get("height"))) == (LAYOUT.width_px, LAYOUT.height_px)
    found = {}
    for cell in root.findall(f"{SVG}svg"):
        assert cell.get("viewBox") == f"0 0 {SIZE_PX * DOTS_PER_PX} {SIZE_PX * DOTS_PER_PX}"
        path = cell.find(f"{SVG}g/{SVG}path").get("d")
        lines = [
            np.cumsum([[int(one) for one in pair.split(",")] for pair in re.findall(r"-?\d+,-?\d+", line)], axis=0)
            for line in path.split("M")[1:]
        ]
        found[int(cell.get("x")), int(cell.get("y"))] = [line / DOTS_PER_PX for line in lines]
    return found


def test_every_landmark_lies_where_it_was_measured() -> None:
    points = faces()
    found = cells(landmark_sheet(points, LAYOUT, ASKED))
    for place, frame in enumerate(points):
        drawn = np.concatenate(found[LAYOUT.corner(place)])
        assert drawn.shape == frame.shape, "all 68, each once"
        assert np.abs(drawn - frame).max() <= 0.5 / DOTS_PER_PX + 1e-4


def test_a_frame_without_a_face_stays_empty() -> None:
    points = faces()
    points[1, 7] = np.nan
    found = cells(landmark_sheet(points, LAYOUT, ASKED))
    assert set(found) == {LAYOUT.corner(0), LAYOUT.corner(2)}


def test_irises_behind_the_landmarks_are_no_landmarks() -> None:
    with_irises = np.concatenate([faces(), np.full((3, 2, 2), np.nan)], axis=1)
    assert landmark_sheet(with_irises, LAYOUT, ASKED) == landmark_sheet(faces(), LAYOUT, ASKED)


def test_lines_of_sight_begin_at_the_irises_and_point_where_the_eyes_look() -> None:
    points = faces()
    irises = np.stack([points[:, 36:42].mean(axis=1), points[:, 42:48].mean(axis=1)], axis=1)
    angles = np.array([[0.0, 0.0], [30.0, 0.0], [0.0, -30.0]])
    found = cells(gaze_sheet(irises, points, angles, LAYOUT))
    eye_px = np.linalg.norm(points[0, 36] - points[0, 39])
    for place, direction in enumerate([(0, 0), (1, 0), (0, -1)]):
        for iris, (start, end) in zip(irises[place], found[LAYOUT.corner(place)], strict=True):
            assert np.abs(start - iris).max() <= 0.2
            assert np.abs(end - start - 0.5 * 1.5 * eye_px * np.array(direction)).max() <= 0.4


def test_eyes_that_were_not_measured_have_no_line() -> None:
    points = faces()
    irises, angles = np.full((3, 2, 2), np.nan), np.zeros((3, 2))
    assert cells(gaze_sheet(irises, points, angles, LAYOUT)) == {}
