"""The watermark: what it survives, what it costs, and that unmarked pictures do not have it."""

import cv2
import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from model.disclosure import watermark
from tests.model.disclosure.conftest import faces


def jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


@pytest.mark.parametrize("size_px", [64, 96, 128, 256])
def test_every_bit_survives_jpeg_70_and_the_picture_stays_as_good_as_it_was(size_px: int) -> None:
    (face,) = faces(1, size_px)
    marked = watermark.embed(face)
    assert watermark.read([marked]).wrong_bits == 0
    assert watermark.read([jpeg(marked, 70)]).found
    assert peak_signal_noise_ratio(face, marked) > 34


def test_brightness_is_left_alone() -> None:
    (face,) = faces(1, 128)
    difference = cv2.cvtColor(watermark.embed(face), cv2.COLOR_RGB2GRAY).astype(int) - cv2.cvtColor(
        face, cv2.COLOR_RGB2GRAY
    )
    assert np.abs(difference).mean() < 1, "the mark is in the colours"


@pytest.mark.parametrize("grey", [0, 44, 128, 255])
def test_flat_pictures_are_not_taken_for_marked_ones_and_black_and_white_ones_can_be_marked(grey: int) -> None:
    flat = np.full((128, 128, 3), grey, np.uint8)
    assert not watermark.read([flat]).found
    assert watermark.read([watermark.embed(flat)]).found


def test_a_picture_half_of_which_is_black_keeps_every_bit() -> None:
    (face,) = faces(1, 128)
    face[:, :64] = 0
    assert watermark.read([jpeg(watermark.embed(face), 90)]).wrong_bits == 0


def test_unmarked_pictures_say_nothing() -> None:
    rng = np.random.default_rng(1)
    noise = [rng.integers(0, 256, (128, 128, 3), dtype=np.uint8) for _ in range(100)]
    wrong = [watermark.read([picture]).wrong_bits for picture in (*noise, *faces(20, 128))]
    assert min(wrong) > watermark.MOST_WRONG
    assert np.mean(wrong) == pytest.approx(16, abs=2)


def test_frames_that_are_too_bad_alone_are_read_together() -> None:
    """Noise of its own in each frame spoils different blocks of each."""
    rng = np.random.default_rng(2)
    marked = [watermark.embed(face) for face in faces(24, 128)]
    spoilt = [np.clip(frame + rng.normal(0, 35, frame.shape), 0, 255).astype(np.uint8) for frame in marked]
    alone = [watermark.read([frame]).wrong_bits for frame in spoilt]
    assert min(alone) > watermark.MOST_WRONG
    assert watermark.read(spoilt).found


def test_what_is_too_small_stays_as_it_is_and_the_given_picture_is_never_changed() -> None:
    tiny = faces(1, 40)[0]
    assert np.array_equal(watermark.embed(tiny), tiny)
    face = faces(1, 64)[0]
    before = face.copy()
    watermark.embed(face)
    assert np.array_equal(face, before)


def test_sides_that_are_no_multiples_of_eight_keep_their_edges() -> None:
    face = faces(1, 100)[0]
    marked = watermark.embed(face)
    assert marked.shape == face.shape
    assert np.array_equal(marked[96:], face[96:])
    assert watermark.read([marked]).wrong_bits == 0


def test_which_block_speaks_for_which_bit_is_written_down() -> None:
    """Another order would not read what is out there."""
    order = watermark._bit_of_block(256)
    assert np.array_equal(np.bincount(order, minlength=32), np.full(32, 8))
    assert order[:8].tolist() == ORDER


ORDER = [1, 14, 7, 28, 24, 18, 6, 29]
