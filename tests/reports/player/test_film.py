"""Sheets: every frame where the page looks for it, none in its neighbour's place, labelled one by one."""

import cv2
import numpy as np
import pytest

from model.disclosure.label import LABEL, label_below
from reports.player.film import Layout, encoded, sheet


def cut(picture: np.ndarray, layout: Layout, place: int) -> np.ndarray:
    x, y = layout.corner(place)
    return picture[y : y + layout.size_px, x : x + layout.size_px]


def noise(count: int, size_px: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, size_px, size_px, 3), np.uint8)


@pytest.mark.parametrize(("count", "size_px"), [(1, 64), (7, 64), (16, 100), (32, 128)])
def test_every_frame_stands_where_the_layout_says(count: int, size_px: int) -> None:
    frames, layout = noise(count, size_px), Layout.of(count, size_px)
    picture = sheet(frames, layout, LABEL)
    assert picture.shape == (layout.height_px, layout.width_px, 3)
    for place in range(count):
        assert np.array_equal(cut(picture, layout, place), frames[place])


def test_each_frame_of_what_never_happened_has_its_own_label() -> None:
    frames, layout = noise(5, 64), Layout.of(5, 64)
    picture = sheet(frames, layout, LABEL)
    for place in range(5):
        x, y = layout.corner(place)
        labelled = label_below(frames[place], layout.strip_px, LABEL)
        assert np.array_equal(picture[y : y + len(labelled), x : x + 64], labelled)


def test_recorded_frames_have_an_empty_strip() -> None:
    layout = Layout.of(4, 64)
    strip = sheet(noise(4, 64), layout)[64 : 64 + layout.strip_px, :64]
    assert len(np.unique(strip.reshape(-1, 3), axis=0)) == 1


@pytest.mark.parametrize("size_px", [64, 96, 100, 128, 256])
def test_compression_carries_nothing_over_from_one_frame_to_its_neighbour(size_px: int) -> None:
    layout = Layout.of(9, size_px)
    frames = np.zeros((9, size_px, size_px, 3), np.uint8)
    frames[1::2, ..., 0] = 255  # red beside black, which half resolution would mix
    decoded = cv2.imdecode(np.frombuffer(encoded(sheet(frames, layout)), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    for place in range(9):
        # where the side is no multiple of 8, a frame shares its last block with the grey between frames
        inside = slice(0, size_px // 8 * 8)
        gap = np.abs(cut(decoded, layout, place)[inside, inside].astype(int) - frames[place][inside, inside])
        assert gap.max() <= 3


def test_a_sheet_is_about_as_wide_as_it_is_high() -> None:
    layout = Layout.of(32, 128)
    assert (layout.columns, layout.rows) == (6, 6)
    assert 0.8 < layout.width_px / layout.height_px < 1.25
