"""Pictures of a trial: as they were, all of one length, and obvious fakes obvious."""

import cv2
import numpy as np
import pytest

from reports.study.pictures import encode, equally_long, swirled
from tests.reports.drawing import drawn_face


def decoded(jpeg: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def test_a_smooth_picture_gets_as_long_as_a_rough_one_and_no_pixel_changes() -> None:
    rough = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    smooth = np.full((128, 128, 3), 90, np.uint8)
    plain = [encode(rough), encode(smooth), encode(drawn_face("ada", 3, 128))]
    assert len(plain[0]) > 10 * len(plain[1])
    padded = equally_long(plain)
    assert len({len(one) for one in padded}) == 1
    for before, after in zip(plain, padded, strict=True):
        assert np.array_equal(decoded(before), decoded(after))


@pytest.mark.parametrize("gap", [0, 1, 65_533, 65_534, 65_537, 65_538, 200_000])
def test_any_difference_in_length_can_be_filled(gap: int) -> None:
    one = encode(drawn_face("ada", 3, 64))
    longer = one[:-2] + b"\x00" * gap + one[-2:]
    filled, other = equally_long([one, longer])
    assert len(filled) == len(other)
    assert np.array_equal(decoded(filled), decoded(one))


def test_a_picture_keeps_its_colours() -> None:
    face = drawn_face("ben", 8, 128)
    assert np.abs(decoded(encode(face)).astype(int) - face).mean() < 2


def test_an_obvious_fake_is_turned_in_the_middle_and_whole_at_the_edge() -> None:
    y, x = np.mgrid[:96, :96]
    stripes = np.repeat(((x // 8 % 2) * 255).astype(np.uint8)[..., None], 3, axis=2)
    turned = swirled(stripes)
    off = np.abs(turned.astype(int) - stripes).mean(axis=2)
    radius = np.hypot(x - 47.5, y - 47.5)
    assert off[radius < 40].mean() > 60
    assert off[radius > 49].mean() < 1
