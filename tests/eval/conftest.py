"""A data set of drawn faces that behaves like `pipeline.store.Store`: the harness without video or networks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

SIZE_PX = 32


@dataclass(frozen=True)
class DrawnClip:
    key: str
    identity: str
    split: str
    usable_frames: int


@dataclass(frozen=True)
class DrawnStore:
    """Faces are grey discs that wander; person and clip decide colour and path."""

    root: Path
    clips: tuple[DrawnClip, ...]
    manifest_sha256: str = "a" * 64
    sha256: str = "d" * 64
    turn_deg: float = 0.25
    """How far a head turns from one row to the next."""
    gap_every: int = 10
    """Every so many rows one has no face."""
    frames_read: list[int] = field(default_factory=list)
    stored_px: int = SIZE_PX

    @property
    def info(self) -> SimpleNamespace:
        config = SimpleNamespace(size_px=self.stored_px)
        return SimpleNamespace(manifest_sha256=self.manifest_sha256, name="drawn", title="Drawn faces", config=config)

    def clip(self, key: str) -> DrawnClip:
        return next(clip for clip in self.clips if clip.key == key)

    def usable_rows(self, clip: DrawnClip) -> np.ndarray:
        """Every tenth row has no face, unless the store says otherwise."""
        rows = np.arange(2 * clip.usable_frames)
        return rows[rows % self.gap_every != self.gap_every - 1][: clip.usable_frames]

    def frames(self, clip: DrawnClip, rows: Sequence[int], size_px: int | None = None) -> np.ndarray:
        size = size_px or SIZE_PX
        self.frames_read.append(len(rows))
        return np.stack([self._draw(clip, int(row), size) for row in rows])

    def landmarks(self, clip: DrawnClip, rows: Sequence[int], size_px: int | None = None) -> np.ndarray:  # noqa: ARG002
        size = size_px or SIZE_PX
        angle = np.linspace(0, 2 * np.pi, 68, endpoint=False)
        ring = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * size / 4
        return np.stack([ring + self._centre(int(row), size) for row in rows]).astype(np.float32)

    def column(self, clip: DrawnClip, name: str) -> np.ndarray:
        rows = np.arange(3 * clip.usable_frames)
        return rows * self.turn_deg if name == "yaw_deg" else np.zeros(len(rows))

    def _centre(self, row: int, size: int) -> np.ndarray:
        return size / 2 + size / 8 * np.array([np.sin(row / 7), np.cos(row / 5)])

    def _draw(self, clip: DrawnClip, row: int, size: int) -> np.ndarray:
        colour = np.random.default_rng(sum(clip.key.encode())).integers(60, 250, 3).tolist()
        x, y = self._centre(row, size)
        frame = np.full((size, size, 3), 20, np.uint8)
        return cv2.circle(frame, (round(x), round(y)), size // 4, colour, -1)


def drawn_store(root: Path, people: Sequence[str] = ("ann", "bob", "eve"), frames: int = 60) -> DrawnStore:
    tested = [DrawnClip(f"{name}/video/{clip}", name, "test", frames) for name in people for clip in ("1", "2")]
    trained = [DrawnClip("zoe/video/1", "zoe", "train", frames)]
    return DrawnStore(root, tuple(trained + tested))


@pytest.fixture
def store(tmp_path: Path) -> DrawnStore:
    root = tmp_path / "data"
    root.mkdir()
    return drawn_store(root)
