"""Irises come out of a dataset behind the landmarks, for those who ask for them."""

from pathlib import Path

import numpy as np
import pytest

from pipeline import cutting
from pipeline.iris import Gaze
from pipeline.store import Store
from tests.pipeline.conftest import SMALL, manifest_of, run
from weights.errors import HeadshotError


def beside_the_middle(_: np.ndarray, points: np.ndarray) -> Gaze:
    """Find irises five and seven pixels right of the middle of the face."""
    irises = points.mean(axis=0) + np.array([(5, 0), (7, 0)])
    return Gaze(irises=irises.astype(np.float32), yaw_deg=0.0, pitch_deg=0.0, openness=np.full(2, 0.3, np.float32))


@pytest.mark.usefixtures("discs_are_faces")
def test_irises_follow_the_68_points_in_pixels_of_the_size_asked_for(
    videos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "load_iris", lambda: beside_the_middle)
    run(manifest_of(videos[0]), tmp_path / "data", SMALL.model_copy(update={"gaze": True}))
    plain = Store.open(tmp_path / "data")
    store, clip = plain.with_irises(), plain.clips[0]
    rows = store.usable_rows(clip)[3:9]
    points = store.landmarks(clip, rows)
    assert points.shape == (6, 70, 2)
    assert np.array_equal(points[:, :68], plain.landmarks(clip, rows))
    offsets = points[:, 68:] - points[:, :68].mean(axis=1, keepdims=True)
    assert np.allclose(offsets[..., 1], 0, atol=0.02)
    assert np.allclose(offsets[:, 0, 0] / offsets[:, 1, 0], 5 / 7, atol=0.01)
    doubled = store.landmarks(clip, rows, 128)
    assert np.allclose((points + 0.5) * 2 - 0.5, doubled, atol=1e-3)


def test_a_dataset_without_irises_is_refused(made: Path) -> None:
    with pytest.raises(HeadshotError, match="headshot preprocess --gaze"):
        Store.open(made).with_irises()
