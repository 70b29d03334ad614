"""Clips of a dataset as training sees them: usable frames at the size of a preset."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.checkpoint import AnyPreset
from pipeline.store import ClipEntry, Store
from weights.errors import HeadshotError


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredClip:
    """Usable frames of a clip in the store, at the size of the preset."""

    store: Store
    clip: ClipEntry
    rows: np.ndarray
    size_px: int

    def __len__(self) -> int:
        """Return the number of usable frames."""
        return len(self.rows)

    def read(self, positions: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return frames (n, size, size, 3) and landmarks (n, points, 2) at these positions among the usable ones."""
        rows = self.rows[list(positions)]
        return (
            self.store.frames(self.clip, rows, self.size_px),
            self.store.landmarks(self.clip, rows, self.size_px),
        )


def training_clips(store: Store, preset: AnyPreset) -> list[StoredClip]:
    """Return the clips of the training split that have enough usable frames for an episode.

    Raises:
        HeadshotError: There is none.
    """
    size_px = preset.network.size_px
    clips = [
        StoredClip(store=store, clip=clip, rows=store.usable_rows(clip), size_px=size_px)
        for clip in store.clips
        if clip.split == "train"
    ]
    enough = [clip for clip in clips if len(clip) > preset.meta_learning.shots]
    if not enough:
        raise HeadshotError(
            f"{store.root} has no training clip with more than {preset.meta_learning.shots} usable frames "
            f"({len(clips)} clips are in the split `train`); add training identities to the manifest, preprocess again"
        )
    return enough
