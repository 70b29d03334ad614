"""Where supports are drawn from: the part of a clip that no frame to be drawn comes from."""

import hashlib

import numpy as np
from jaxtyping import Int

from eval.tasks.motion import Motion
from pipeline.store import ClipEntry, Store

MIN_QUERY_FRAMES = 8
"""A clip that leaves fewer frames to synthesise is skipped and counted."""
GAP_SHARE = 0.1
"""Share of a clip's usable frames that lies unused between support and query, so that copying a neighbour is
no answer."""


def rows_with_pose(store: Store, clip: ClipEntry) -> Int[np.ndarray, " rows"]:
    """Return the rows of a clip that have a face and its pose, in the order of time."""
    rows = store.usable_rows(clip)
    return np.asarray(rows[Motion.read(store, clip, rows).known])


def split_rows(
    rows: Int[np.ndarray, " rows"], most_shots: int, query_frames: int = MIN_QUERY_FRAMES
) -> tuple[Int[np.ndarray, " pool"], Int[np.ndarray, " rest"]] | str:
    """Return the rows of a clip for supports and those for queries, or the reason why it has none.

    Args:
        rows: Usable rows in the order of time.
        most_shots: The largest number of support frames.
        query_frames: How many frames have to be left for queries.
    """
    gap = max(1, round(GAP_SHARE * len(rows)))
    pool_frames = max((len(rows) - gap) // 2, most_shots)
    left = len(rows) - pool_frames - gap
    if left < query_frames:
        need = most_shots + gap + query_frames
        return (
            f"{len(rows)} usable frames, {max(need, len(rows) + query_frames - left)} needed for {most_shots} shots "
            f"and {query_frames} query frames"
        )
    return rows[:pool_frames], rows[pool_frames + gap :]


def draw_order(count: int, *, seed: int, clip: str, draw: int) -> Int[np.ndarray, " count"]:
    """Return the order in which a draw takes the frames of a pool; the first T of it are the support at T shots."""
    digest = hashlib.sha256(f"{seed}/{clip}/{draw}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little")).permutation(count)
