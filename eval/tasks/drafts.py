"""Clips on their way to tasks: which are taken, what part supports come from, which frames are to be drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from eval.tasks.motion import BOUNDS, Motion
from eval.tasks.pairs import PairList, in_a_ring, shuffled
from eval.tasks.protocols import Rules
from eval.tasks.queries import Chosen, choose, in_runs, other_clips
from eval.tasks.supports import MIN_QUERY_FRAMES, rows_with_pose, split_rows
from pipeline.store import ClipEntry, Store
from weights.errors import HeadshotError

NOT_TESTED = "is not among the test clips"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A clip with the frames to be drawn, before supports are."""

    clip: ClipEntry
    pool: Int[np.ndarray, " pool"]
    """Rows that supports are drawn from."""
    motion: Motion
    """In the pool."""
    queries: tuple[Chosen, ...]
    real: tuple[Chosen, ...] = ()
    """Frames of the person, where the queries are of somebody else."""
    driver: ClipEntry | None = None
    """The driving clip, where it is somebody else's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """A clip without tasks, and why."""

    clip: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafting:
    """What drafts are made from."""

    store: Store
    clips: tuple[ClipEntry, ...]
    """The test clips, by key."""
    rules: Rules
    seed: int
    most_shots: int
    query_frames: int
    limit: int | None = None
    """At most so many people, one clip of each."""
    pairs: PairList | None = None
    """Who drives whom; everybody drives somebody where absent."""

    def drafts(self) -> tuple[tuple[Draft, ...], tuple[Skip, ...]]:
        """Return the drafts by clip, and the clips that were looked at and have none.

        Raises:
            HeadshotError: Nobody is there to drive, or a list of pairs is given where the person drives.
        """
        driving, skipped = self._driving()
        groups, most = self._groups([clip for clip in self.clips if not driving or clip.key in driving])
        made: list[Draft] = []
        taken = 0
        for group in groups:
            for clip in group:
                found = [self._draft(clip, driver) for driver in driving.get(clip.key, (None,))]
                skipped += [Skip(clip=clip.key, reason=one) for one in found if isinstance(one, str)]
                drafts = [one for one in found if isinstance(one, Draft)]
                if drafts:
                    made += drafts
                    taken += 1
                    break
            if taken == most:
                break
        return tuple(sorted(made, key=lambda draft: draft.clip.key)), tuple(skipped)

    def _groups(self, clips: Sequence[ClipEntry]) -> tuple[list[list[ClipEntry]], int | None]:
        """Return the clips in groups, of which each gives its first one that is long enough, and how many may."""
        if self.rules.videos is None and self.limit is None:
            return [[clip] for clip in clips], None
        of: dict[str, list[ClipEntry]] = {}
        for clip in clips:
            name = clip.identity if self.limit is not None else clip.key.rpartition("/")[0]
            of.setdefault(name, []).append(clip)
        return [of[name] for name in shuffled(of, self.seed)], min(filter(None, (self.rules.videos, self.limit)))

    def _driving(self) -> tuple[dict[str, tuple[ClipEntry, ...]], list[Skip]]:
        """Return who drives each clip, nothing where the person does, and the pairs that cannot be."""
        if not self.rules.across:
            if self.pairs is not None:
                raise HeadshotError(
                    f"a list of pairs says who drives whom, and under {self.rules.title} the person drives; "
                    "take the protocol cross"
                )
            return {}, []
        tested = {clip.key: clip for clip in self.clips}
        pairs = list(self.pairs.pairs) if self.pairs else list(in_a_ring(self.clips, self.seed).items())
        if not pairs:
            raise HeadshotError(
                f"{self.rules.title} needs two people in the split test, and {self.store.root} has "
                f"{len({clip.identity for clip in self.clips})}; add people, or take the protocol self"
            )
        driving: dict[str, tuple[ClipEntry, ...]] = {}
        skipped = []
        for source, driver in pairs:
            lost = [key for key in (source, driver) if key not in tested]
            if lost:
                skipped.append(Skip(clip=source, reason=f"{' and '.join(lost)} {NOT_TESTED}"))
            elif tested[source].identity == tested[driver].identity:
                skipped.append(Skip(clip=source, reason=f"{driver} is of the same person"))
            else:
                driving[source] = (*driving.get(source, ()), tested[driver])
        if not driving:
            raise HeadshotError(f"no pair can be made: {'; '.join(f'{one.clip}: {one.reason}' for one in skipped)}")
        return driving, skipped

    def _draft(self, clip: ClipEntry, driver: ClipEntry | None) -> Draft | str:
        """Return the draft of a clip, or why it has none."""
        exact = self.rules.query_frames is not None and self.limit is None
        needed = self.query_frames if exact else max(MIN_QUERY_FRAMES, self.rules.run_frames)
        parts = split_rows(rows_with_pose(self.store, clip), self.most_shots, needed)
        if isinstance(parts, str):
            return parts
        pool, rest = parts
        if not len(in_runs(rest, self.rules.run_frames)):
            return f"no {self.rules.run_frames} usable frames follow each other in its part for query frames"
        motion = Motion.read(self.store, clip, pool)
        own = self._own(clip, rest, motion, self.query_frames)
        if driver is None:
            return Draft(clip=clip, pool=pool, motion=motion, queries=own)
        rows = in_runs(rows_with_pose(self.store, driver), 1)
        count = min(len(rows), sum(len(one.rows) for one in own))
        if count < MIN_QUERY_FRAMES:
            return f"{driver.key}, which drives it, has {len(rows)} usable frames, {MIN_QUERY_FRAMES} needed"
        driven = choose(self.store, [(driver, rows)], motion, count, BOUNDS, across=True)
        real = self._own(clip, rest, motion, count)
        return Draft(clip=clip, pool=pool, motion=motion, queries=driven, real=real, driver=driver)

    def _own(self, clip: ClipEntry, rest: Int[np.ndarray, " rest"], pool: Motion, count: int) -> tuple[Chosen, ...]:
        """Return frames of a person, half of them from their other clips where there are any."""
        length = self.rules.run_frames
        of_person = [one for one in self.clips if one.identity == clip.identity]
        others = other_clips(clip, of_person) if self.rules.elsewhere and self.limit is None else ()
        found = [(one, in_runs(rows_with_pose(self.store, one), length)) for one in others]
        candidates = [(one, runs_of_clip) for one, runs_of_clip in found if len(runs_of_clip)]
        runs = count // length
        elsewhere = runs // 2 if candidates else 0
        stratified = self.rules.stratified
        own = choose(self.store, [(clip, in_runs(rest, length))], pool, runs - elsewhere, BOUNDS, stratified=stratified)
        return own + choose(self.store, candidates, pool, elsewhere, BOUNDS, stratified=stratified)


def assert_identity_disjoint(store: Store) -> None:
    """Refuse a data set in which a test person also appears in another split.

    Raises:
        HeadshotError: Such a person exists; a score would measure memory.
    """
    tested = {clip.identity for clip in store.clips if clip.split == "test"}
    known = {clip.identity for clip in store.clips if clip.split != "test"}
    both = sorted(tested & known)
    if both:
        raise HeadshotError(
            f"identity {', '.join(both)} is in the split test and in another one; a person may be in "
            "one split only, so mend the manifest and preprocess again"
        )
