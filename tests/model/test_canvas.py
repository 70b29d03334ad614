"""The canvas: what a larger source and a smoothed correction are good for."""

import cv2
import numpy as np
import torch

from model.batches import Batches
from model.blocks import smoothed
from model.canvas import canvas_images, reduced
from model.checkpoint import Networks
from model.person import Person, identity_embedding, warped_to
from model.presets import Preset
from pipeline.landmarks import rescale
from tests.model.conftest import DrawnClip, face_points

CPU = torch.device("cpu")
RNG = np.random.default_rng(0)
TEXTURE = cv2.GaussianBlur(RNG.integers(0, 256, (128, 128, 3), dtype=np.uint8), (0, 0), 0.8)[None]
"""A picture with detail down to the pixel, at twice the size of the networks."""
POINTS = np.stack([face_points()])


def sharpness(frames: np.ndarray) -> float:
    return float(np.abs(np.diff(frames.astype(float), axis=-2)).mean())


def test_a_canvas_from_larger_frames_is_sharper_and_lies_in_the_same_place() -> None:
    moved = POINTS + 0.5
    small = canvas_images(reduced(TEXTURE, 64), POINTS, moved, 64)
    large = canvas_images(TEXTURE, rescale(POINTS, 64, 128), rescale(moved, 64, 128), 64)
    assert large.shape == small.shape == (1, 64, 64, 3)
    assert sharpness(large) > 1.1 * sharpness(small)
    assert np.corrcoef(large.ravel(), small.ravel())[0, 1] > 0.9


def test_a_face_that_stays_is_the_frame_itself() -> None:
    frame = reduced(TEXTURE, 64)
    np.testing.assert_allclose(canvas_images(frame, POINTS, POINTS, 64).astype(int), frame, atol=2)


def test_reducing_averages_over_areas() -> None:
    frames = np.zeros((2, 3, 8, 8, 3), np.uint8)
    frames[..., ::2, ::2, :] = 200
    assert reduced(frames, 4).shape == (2, 3, 4, 4, 3)
    assert (reduced(frames, 4) == 50).all()
    assert reduced(frames, 8) is frames


def test_smoothing_takes_out_a_checkerboard_and_leaves_what_is_even() -> None:
    rows, columns = torch.meshgrid(torch.arange(12), torch.arange(12), indexing="ij")
    checkerboard = ((rows + columns) % 2 * 2.0 - 1)[None, None]
    assert smoothed(checkerboard)[..., 1:-1, 1:-1].abs().max() < 1e-6
    slope = columns[None, None].float()
    assert torch.allclose(smoothed(slope)[..., 1:-1], slope[..., 1:-1])


def test_smoothing_is_the_binomial_filter() -> None:
    picture = torch.rand(1, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    line = torch.tensor([1.0, 2.0, 1.0]) / 4
    kernel = torch.outer(line, line).expand(3, 1, 3, 3)
    wanted = torch.nn.functional.conv2d(picture, kernel, groups=3)
    assert torch.allclose(smoothed(picture)[..., 1:-1, 1:-1], wanted, atol=1e-6)


class Doubled(DrawnClip):
    """The same person in a dataset with frames twice as large."""

    def read(self, positions: list[int]) -> tuple[np.ndarray, np.ndarray]:
        frames, landmarks = super().read(positions)
        large = np.repeat(np.repeat(frames, 2, axis=1), 2, axis=2)
        return large, rescale(landmarks, 64, 128)


def test_episodes_from_larger_frames_are_those_of_the_networks_size() -> None:
    def batch_of(kind: type[DrawnClip]) -> object:
        people = [kind("ada", (200, 150, 120)), kind("bob", (120, 90, 60))]
        return Batches(people, ["ada", "bob"], size_px=64, shots=2, batch=4, seed=0).batch_at(0, CPU)

    one, other = batch_of(DrawnClip), batch_of(Doubled)
    for name in ("support_frames", "support_maps", "target_frames", "target_maps", "canvas"):
        small, large = getattr(one, name), getattr(other, name)
        assert small.shape == large.shape
        assert (small - large).abs().mean() < 0.06, name


def test_a_person_in_larger_frames_is_embedded_and_warped_at_the_networks_size(
    tiny: Preset, people: list[DrawnClip]
) -> None:
    torch.manual_seed(0)
    networks = Networks(tiny, clips=1)
    small = Person(frames=people[0].images[:2], landmarks=people[0].points[:2], size_px=64)
    doubled = np.repeat(np.repeat(small.frames, 2, axis=1), 2, axis=2)
    large = Person(frames=doubled, landmarks=rescale(small.landmarks, 64, 128), size_px=64)
    with torch.no_grad():
        torch.testing.assert_close(identity_embedding(networks, large, CPU), identity_embedding(networks, small, CPU))
    for person in (small, large):
        assert warped_to(person, person.landmarks[::-1], CPU).shape == (2, 6, 64, 64)
