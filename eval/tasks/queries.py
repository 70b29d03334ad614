"""The frames to be drawn: which, of which clips, how far from the support, and where their content is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8
from pydantic import model_validator

from eval.tasks.motion import Motion, StrataBounds, Stratum, distance_to_nearest, spread
from pipeline.store import ClipEntry, Store
from weights.record import Record

MOST_OTHER_CLIPS = 4
"""Of a person with many clips, query frames come from the clip of the support and from this many others."""


class QueryFrame(NamedTuple):
    """One frame to be drawn."""

    clip: str
    row: int
    stratum: Stratum


class Query(Record):
    """Frames of one clip that are to be drawn."""

    clip: str
    """Clip key: of the support's clip, of another one of the same person, or of who else drives."""
    rows: tuple[int, ...]
    """Rows of the clip, ascending; none lies in the support."""
    strata: tuple[Stratum, ...]
    """Of each row, by its distance from the largest support of the same draw."""

    @model_validator(mode="after")
    def _one_stratum_a_row(self) -> "Query":
        if len(self.rows) != len(self.strata):
            raise ValueError(f"{self.clip}: {len(self.rows)} rows and {len(self.strata)} strata")
        return self

    @property
    def frames(self) -> tuple[QueryFrame, ...]:
        """The frames one by one."""
        return tuple(QueryFrame(self.clip, *pair) for pair in zip(self.rows, self.strata, strict=True))


def target_frames(store: Store, queries: Sequence[Query], size_px: int) -> UInt8[np.ndarray, "frames size size 3"]:
    """Return the frames to be drawn, those of one query after those of the other."""
    return np.concatenate([store.frames(store.clip(one.clip), np.array(one.rows), size_px) for one in queries])


def driving_landmarks(store: Store, queries: Sequence[Query], size_px: int) -> Float[np.ndarray, "frames points 2"]:
    """Return the landmarks of the frames to be drawn, in the same order."""
    return np.concatenate([store.landmarks(store.clip(one.clip), np.array(one.rows), size_px) for one in queries])


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Query frames of one clip with their motion, before anybody knows the support."""

    clip: str
    rows: Int[np.ndarray, " rows"]
    motion: Motion

    def against(self, support: Motion, bounds: StrataBounds) -> Query:
        """Return the query with the strata that it has against a support."""
        strata = bounds.of(distance_to_nearest(self.motion, support))
        return Query(clip=self.clip, rows=tuple(self.rows.tolist()), strata=strata)


def choose(
    store: Store,
    candidates: Sequence[tuple[ClipEntry, Int[np.ndarray, "runs frames"]]],
    pool: Motion,
    count: int,
    bounds: StrataBounds,
    *,
    stratified: bool = True,
    across: bool = False,
) -> tuple[Chosen, ...]:
    """Return `count` runs of query frames, as evenly over near, middle and far as there are, then evenly in time.

    The distance is that from the whole pool that supports are drawn from, so that one choice serves every draw. A run
    is as far as its farthest frame.

    Args:
        store: Where the clips are.
        candidates: Clips with the runs that may be asked for (see `in_runs`); all frames have a face with a pose.
        pool: Motion in the frames that supports are drawn from.
        count: How many runs; all where there are not more.
        bounds: Of the strata.
        stratified: Whether strata count; else the runs are even in time.
        across: The clips are of another person, whose proportions are fitted to those in the pool.
    """
    if not candidates:
        return ()
    motions = [Motion.read(store, clip, runs.ravel()) for clip, runs in candidates]
    if across:
        motions = [motion.fitted_to(pool) for motion in motions]
    distances = [
        distance_to_nearest(motion, pool).reshape(runs.shape).max(axis=1)
        for (_, runs), motion in zip(candidates, motions, strict=True)
    ]
    codes = bounds.codes(np.concatenate(distances))
    places = spread(codes if stratified else np.zeros_like(codes), count)
    chosen, start = [], 0
    for (clip, runs), motion in zip(candidates, motions, strict=True):
        own = places[(places >= start) & (places < start + len(runs))] - start
        start += len(runs)
        if len(own):
            frames = np.arange(runs.size).reshape(runs.shape)[own].ravel()
            chosen.append(Chosen(clip=clip.key, rows=runs[own].ravel(), motion=motion.take(frames)))
    return tuple(chosen)


def in_runs(rows: Int[np.ndarray, " rows"], frames: int) -> Int[np.ndarray, "runs frames"]:
    """Return runs of so many rows that follow each other directly, one after the other from each gap on.

    Args:
        rows: Rows of a clip, ascending.
        frames: Length of a run; what is left over before a gap is in none.
    """
    stretches = np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1)
    whole = [stretch[: len(stretch) // frames * frames] for stretch in stretches]
    return np.concatenate(whole).reshape(-1, frames)


def other_clips(clip: ClipEntry, of_person: Sequence[ClipEntry]) -> tuple[ClipEntry, ...]:
    """Return the clips that follow `clip` among those of its person, in a circle and not too many."""
    place = [one.key for one in of_person].index(clip.key)
    return (*of_person[place + 1 :], *of_person[:place])[:MOST_OTHER_CLIPS]
