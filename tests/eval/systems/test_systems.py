from pathlib import Path

import numpy as np
import pytest

from eval.systems.baselines import CopySource, MeanFrame, NearestFrame
from eval.systems.builtin import BASELINES, load_system
from eval.systems.protocol import Support
from weights.errors import HeadshotError


@pytest.fixture
def support() -> Support:
    rng = np.random.default_rng(0)
    return Support(
        frames=rng.integers(0, 256, (4, 8, 8, 3), dtype=np.uint8),
        landmarks=rng.uniform(0, 8, (4, 68, 2)).astype(np.float32),
        size_px=8,
        seed=0,
    )


def test_copy_source_shows_the_first_frame_whatever_the_driver_does(support: Support) -> None:
    frames = CopySource().adapt(support).render(support.landmarks[1:])
    assert np.array_equal(frames, np.stack([support.frames[0]] * 3))


def test_nearest_frame_shows_the_frame_with_the_nearest_landmarks(support: Support) -> None:
    driving = support.landmarks[[2, 0, 3]] + np.float32(0.1)
    frames = NearestFrame().adapt(support).render(driving)
    assert np.array_equal(frames, support.frames[[2, 0, 3]])


def test_mean_frame_is_the_mean_of_the_support(support: Support) -> None:
    frames = MeanFrame().adapt(support).render(support.landmarks)
    assert frames.dtype == np.uint8
    assert np.abs(frames[0] - support.frames.mean(axis=0)).max() <= 0.5
    assert (frames == frames[0]).all()


def test_at_one_shot_the_baselines_agree(support: Support) -> None:
    one = Support(frames=support.frames[:1], landmarks=support.landmarks[:1], size_px=8, seed=0)
    shown = [load_system(name).adapt(one).render(support.landmarks) for name in BASELINES]
    assert all(np.array_equal(frames, shown[0]) for frames in shown)


def test_an_unknown_system_is_named_with_the_known_ones() -> None:
    with pytest.raises(HeadshotError, match=r"'copy'.*copy-source"):
        load_system("copy")


def test_the_reference_needs_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match="headshot train"):
        load_system("reference-ff")
    with pytest.raises(HeadshotError, match="headshot train"):
        load_system("reference-ft", checkpoint=tmp_path)
