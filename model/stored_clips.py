"""Clips of a dataset as training sees them: usable frames at the size of a preset, or larger where that helps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.canvas import DETAIL
from model.checkpoint import AnyPreset
from pipeline.store import ClipEntry, Store
from weights.errors import HeadshotError


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredClip:
    """Usable frames of a clip in the store."""

    store: Store
    clip: ClipEntry
    rows: np.ndarray
    side_px: int

    def __len__(self) -> int:
        """Return the number of usable frames."""
        return len(self.rows)

    def read(self, positions: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return frames (n, side, side, 3) and landmarks (n, points, 2) at these positions among the usable ones."""
        rows = self.rows[list(positions)]
        return (
            self.store.frames(self.clip, rows, self.side_px),
            self.store.landmarks(self.clip, rows, self.side_px),
        )


def training_clips(store: Store, preset: AnyPreset) -> list[StoredClip]:
    """Return the clips of the training split that have enough usable frames for an episode.

    For a preset with a canvas they are read at twice its size where the store has that.

    Raises:
        HeadshotError: There is none.
    """
    side_px = side_of_canvas(store, preset)
    clips = [
        StoredClip(store=store, clip=clip, rows=store.usable_rows(clip), side_px=side_px)
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


def side_of_canvas(store: Store, preset: AnyPreset) -> int:
    """Return the side of the frames that canvases are made of: that of the preset, or larger where it pays."""
    size_px = preset.network.size_px
    detailed = preset.network.canvas and store.info.config.size_px >= DETAIL * size_px
    return DETAIL * size_px if detailed else size_px
