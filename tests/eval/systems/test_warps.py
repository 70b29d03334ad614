"""The warps bend what they are given, onto the landmarks they are given, and nothing else."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from eval.rendering.render import TaskInputs
from eval.systems.protocol import Support, System
from eval.systems.warps import WarpNearest, WarpNearest2x, WarpNearestUnsharp, enlarged, unsharp
from eval.tasks.making import make_tasks
from pipeline.landmarks import rescale
from tests.eval.conftest import DrawnStore
from tests.model.conftest import face_image, face_points

SKIN = (200, 150, 120)
WARPS = (WarpNearest(), WarpNearest2x(), WarpNearestUnsharp())
each_warp = pytest.mark.parametrize("system", WARPS, ids=lambda system: system.name)


@pytest.fixture
def support() -> Support:
    points = np.stack([face_points(), face_points((6, 4), mouth=5)])
    frames = np.stack([face_image(one, SKIN) for one in points])
    return Support(frames=frames, landmarks=points, size_px=64, seed=0)


def gap(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other).mean())


def detail(frame: np.ndarray) -> float:
    """Return the energy of the upper half of the frequencies."""
    spectrum = np.abs(np.fft.fft2(frame.mean(axis=2))) ** 2
    upper = np.abs(np.fft.fftfreq(frame.shape[0])) > 0.25
    return float(spectrum[upper].sum() + spectrum[:, upper].sum())


def test_a_warp_onto_its_own_landmarks_is_the_frame(support: Support) -> None:
    assert np.array_equal(WarpNearest().adapt(support).render(support.landmarks), support.frames)


def test_at_double_resolution_it_is_the_frame_enlarged_and_reduced(support: Support) -> None:
    shown = WarpNearest2x().adapt(support).render(support.landmarks)
    assert gap(shown, support.frames) < 1.0


def test_with_unsharp_masking_it_is_the_sharpened_frame(support: Support) -> None:
    shown = WarpNearestUnsharp().adapt(support).render(support.landmarks)
    assert np.array_equal(shown, np.stack([unsharp(frame) for frame in support.frames]))


@each_warp
def test_a_shifted_target_shifts_the_face(system: System, support: Support) -> None:
    target = support.landmarks[0] + np.float32([5, -3])
    shown = system.adapt(support).render(target[None])[0]
    inner = slice(24, 38)
    expected = np.roll(support.frames[0], (-3, 5), axis=(0, 1))
    assert gap(shown[inner, inner], expected[inner, inner]) < 0.3 * gap(
        support.frames[0][inner, inner], expected[inner, inner]
    )


@each_warp
def test_the_frame_with_the_nearest_landmarks_is_bent(system: System, support: Support) -> None:
    grey = np.full_like(support.frames[0], 128)
    marked = replace(support, frames=np.stack([support.frames[0], grey]))
    shown = system.adapt(marked).render(support.landmarks + np.float32(0.1))
    assert (shown[1] == 128).all()
    assert shown[0].std() > 20


@each_warp
def test_no_driving_frame_gives_no_frame(system: System, support: Support) -> None:
    assert system.adapt(support).render(support.landmarks[:0]).shape == (0, 64, 64, 3)


def test_unsharp_masking_adds_detail_and_leaves_flat_parts_alone(support: Support) -> None:
    soft = cv2.GaussianBlur(support.frames[0], (0, 0), 1.0)
    assert detail(unsharp(soft)) > 1.3 * detail(soft)
    flat = np.full((8, 8, 3), 77, np.uint8)
    assert np.array_equal(unsharp(flat), flat)


def test_unsharp_masking_is_half_of_what_the_blur_takes() -> None:
    frame = np.full((9, 9, 3), 100, np.uint8)
    frame[4, 4] = 200
    weights = np.exp(-(np.arange(-4, 5) ** 2) / 2.0)
    centre = 100 + 100 / weights.sum() ** 2
    assert abs(int(unsharp(frame)[4, 4, 0]) - (200 + 0.5 * (200 - centre))) <= 1


def test_double_resolution_keeps_more_detail_where_the_data_set_has_it(support: Support) -> None:
    """A half-pixel shift blurs a fine pattern, but a whole pixel of a frame twice as large does not."""
    rng = np.random.default_rng(0)
    stored = rng.integers(0, 256, (1, 128, 128, 3), dtype=np.uint8)
    frame = cv2.resize(stored[0], (64, 64), interpolation=cv2.INTER_AREA)[None]
    one = Support(frames=frame, landmarks=support.landmarks[:1], size_px=64, seed=0)
    target = one.landmarks + np.float32(0.5)
    plain, twice, from_stored = (
        detail(system.adapt(given).render(target)[0])
        for system, given in (
            (WarpNearest(), one),
            (WarpNearest2x(), one),
            (WarpNearest2x(), replace(one, frames_2x=stored)),
        )
    )
    assert from_stored > 2 * max(plain, twice)


def test_enlarged_frames_agree_with_rescaled_landmarks() -> None:
    frame = np.zeros((1, 64, 64, 3), np.uint8)
    frame[0, 20, 41] = 255
    weights = enlarged(frame, 128)[0, :, :, 0].astype(float)
    ys, xs = np.mgrid[:128, :128]
    found = [(weights * xs).sum() / weights.sum(), (weights * ys).sum() / weights.sum()]
    assert np.allclose(found, rescale(np.array([41.0, 20.0]), 64, 128), atol=0.05)


@pytest.mark.parametrize(("stored_px", "asked_px", "given"), [(64, 32, (1, 64, 64, 3)), (32, 32, None), (48, 32, None)])
def test_frames_of_twice_the_size_are_given_only_where_they_are_stored(
    store: DrawnStore, stored_px: int, asked_px: int, given: tuple[int, ...] | None
) -> None:
    held = replace(store, stored_px=stored_px)
    tasks = make_tasks(held, [1], size_px=asked_px)
    inputs = TaskInputs.load(held, tasks, tasks.tasks[0])
    larger = inputs.support.frames_2x
    assert (None if larger is None else larger.shape) == given
    without = replace(inputs, support=replace(inputs.support, frames_2x=None))
    assert (inputs.content_sha256() == without.content_sha256()) == (given is None)
