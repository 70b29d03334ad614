"""FAN through headshot against face-alignment's own code: same network, here with random weights."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pipeline.fan import HEATMAP_PX, Fan, crop, peaks, square_around

BOXES = np.array([[60, 60, 160, 180], [30, 50, 130, 150], [90, 100, 250, 236]], np.float32)


@pytest.fixture(scope="module")
def random_weight_network() -> torch.nn.Module:
    """Return one stage of FAN with random weights: its points mean nothing, but the arithmetic is all there."""
    from face_alignment.models import FAN

    torch.manual_seed(0)
    return FAN(1).eval()


@pytest.fixture
def picture() -> np.ndarray:
    """Return smooth noise."""
    import cv2

    noise = np.random.default_rng(0).integers(0, 256, (30, 32, 3), np.uint8)
    return cv2.resize(noise, (256, 240), interpolation=cv2.INTER_CUBIC)


def points_of_face_alignment(network: torch.nn.Module, picture: np.ndarray, *, mirrored_too: bool) -> np.ndarray:
    """Return what the package finds with a network of ours, without its download."""
    from face_alignment import FaceAlignment, LandmarksType

    package = FaceAlignment.__new__(FaceAlignment)
    package.device, package.dtype, package.verbose, package.max_batch_size = "cpu", torch.float32, False, 1
    package.flip_input, package.landmarks_type = mirrored_too, LandmarksType.TWO_D
    package.face_detector = SimpleNamespace(reference_scale=195)
    package.face_alignment_net = network
    return np.stack(package.get_landmarks_from_image(picture, detected_faces=BOXES.tolist()))


@pytest.mark.slow
@pytest.mark.parametrize("mirrored_too", [False, True])
def test_agrees_with_face_alignment_within_its_rounding(
    random_weight_network: torch.nn.Module, picture: np.ndarray, mirrored_too: bool
) -> None:
    """Heat maps lead to the package's own points; ours keep what it rounds away."""
    from face_alignment.utils import get_preds_fromhm

    fan = Fan(random_weight_network, mirrored_too=mirrored_too)
    squares = np.stack([square_around(box) for box in BOXES])
    maps = fan.heatmaps(np.stack([crop(picture, square) for square in squares]))
    theirs = points_of_face_alignment(random_weight_network, picture, mirrored_too=mirrored_too)
    for box, own, expected in zip(BOXES.astype(np.float64), maps, theirs, strict=True):
        width, height = box[2:] - box[:2]
        centre = (box[:2] + box[2:]) / 2 - (0, 0.12 * height)
        _, decoded, _ = get_preds_fromhm(own[None], centre, (width + height) / 195)
        assert np.array_equal(decoded[0], expected)

    ours, _ = fan([picture] * len(BOXES), BOXES)
    pixel_of_map = (squares[:, 2] - squares[:, 0])[:, None, None] / HEATMAP_PX
    assert (np.abs(ours - theirs) <= 0.5 * pixel_of_map + 2).all()
    assert np.abs(ours - theirs).mean() < 1
    assert np.ptp(ours, axis=1).min() > 20  # the points do lie apart


@pytest.mark.slow
def test_a_batch_gives_what_single_faces_give(random_weight_network: torch.nn.Module, picture: np.ndarray) -> None:
    fan = Fan(random_weight_network, batch=2)
    together, scores = fan([picture] * len(BOXES), BOXES)
    alone = [fan([picture], box[None])[0][0] for box in BOXES]
    assert np.allclose(together, alone, atol=1e-2)
    assert ((scores >= 0) & (scores <= 1)).all()


def test_peaks_of_gaussians_are_found_between_pixels() -> None:
    centres = np.random.default_rng(1).uniform(4, 59, (3, 68, 2))
    y, x = np.mgrid[:HEATMAP_PX, :HEATMAP_PX]
    squared = (x - centres[..., None, None, 0]) ** 2 + (y - centres[..., None, None, 1]) ** 2
    found, heat = peaks(np.exp(-squared / (2 * 1.2**2)).astype(np.float32))
    assert np.abs(found - centres).max() < 0.01
    assert heat.min() > 0.8


def test_a_peak_at_the_edge_or_on_a_plateau_stays_on_its_pixel() -> None:
    maps = np.zeros((1, 2, 8, 8), np.float32)
    maps[0, 0, 0, 7] = 1
    found, _ = peaks(maps)
    assert found.tolist() == [[[7, 0], [0, 0]]]


def test_a_moved_picture_moves_the_crop(picture: np.ndarray) -> None:
    moved = np.roll(picture, (7, 11), axis=(0, 1))
    shift = np.array([11, 7, 11, 7], np.float32)
    inner = np.array([110, 100, 150, 145], np.float32)
    assert np.array_equal(crop(picture, square_around(inner)), crop(moved, square_around(inner + shift)))


def test_outside_the_picture_is_black() -> None:
    white = np.full((50, 60, 3), 255, np.uint8)
    pixels = crop(white, square_around(np.array([40, 10, 80, 60], np.float32)))
    assert pixels[128, 20].min() == 255
    assert pixels[:, -20:].max() == 0


def test_weights_that_cannot_be_had_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from weights.errors import WeightUnavailable

    monkeypatch.setenv("HEADSHOT_CACHE", str(tmp_path))
    with pytest.raises(WeightUnavailable, match="fan-2dfan4"):
        Fan.load()
