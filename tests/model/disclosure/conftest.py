"""Pictures of drawn faces and a certificate of the tests' own."""

from pathlib import Path

import numpy as np
import pytest

from tests.reports.drawing import drawn_face


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which nothing was signed before."""
    monkeypatch.setenv("HEADSHOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HEADSHOT_CERTIFICATE", raising=False)
    monkeypatch.delenv("HEADSHOT_KEY", raising=False)
    return tmp_path / "cache"


def faces(count: int, size_px: int) -> np.ndarray:
    """Return frames of a drawn face that moves, on a background with some grain."""
    grain = np.random.default_rng(0).normal(0, 6, (size_px, size_px, 3))
    frames = np.stack([drawn_face("ada", row, size_px) for row in range(count)])
    return np.clip(frames + grain, 0, 255).astype(np.uint8)
