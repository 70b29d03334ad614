"""Frozen tasks: which frames a system adapts to, and which it must then synthesise."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Int
from pydantic import Field, ValidationError

from eval.motion import BOUNDS, Motion, StrataBounds
from eval.queries import Chosen, Query, QueryFrame, choose, other_clips
from pipeline.store import ClipEntry, Store
from weights.errors import HeadshotError
from weights.files import publish_text
from weights.record import Record

MIN_QUERY_FRAMES = 8
"""A clip that leaves fewer frames to synthesise is skipped and counted."""
GAP_SHARE = 0.1
"""Share of a clip's usable frames that lies unused between support and query, so that copying a neighbour is
no answer."""


class Task(Record):
    """Adapt to `support`, then synthesise `queries`: one person, one number of shots, one draw."""

    id: str
    """Safe as a file name."""
    identity: str
    clip: str
    """Key of the clip that the support is from."""
    shots: Annotated[int, Field(ge=1)]
    draw: Annotated[int, Field(ge=0)]
    """Which of several random choices of the support frames this is."""
    support: tuple[int, ...]
    """Rows of the clip, in the order drawn: the first T of a longer support are the support at T shots."""
    queries: tuple[Query, ...]
    """What to draw: the same frames in the same strata at every number of shots."""

    @property
    def frames(self) -> tuple[QueryFrame, ...]:
        """The frames to draw, one by one in order."""
        return tuple(frame for query in self.queries for frame in query.frames)

    def sha256(self) -> str:
        """Return the hash of what a system is asked: all but the strata, which depend on the other numbers of shots."""
        return _sha256(self.model_dump(mode="json", exclude={"queries": {"__all__": {"strata"}}}))


class SkippedClip(Record):
    """A test clip without tasks, and why."""

    clip: str
    reason: str


class TaskSet(Record):
    """Every task of a benchmark, with what they were drawn from."""

    schema_version: Literal[2] = 2
    manifest_sha256: str
    seed: int
    size_px: int
    shots: tuple[int, ...]
    draws: int
    query_frames: int
    strata: StrataBounds
    tasks: tuple[Task, ...]
    skipped: tuple[SkippedClip, ...] = ()

    def sha256(self) -> str:
        """Return the hash of the content; two benchmarks are comparable where it is equal."""
        return _sha256(self.model_dump(mode="json"))

    def identities(self) -> tuple[str, ...]:
        """Return the people under test, sorted."""
        return tuple(sorted({task.identity for task in self.tasks}))

    def save(self, path: Path) -> None:
        """Write the tasks as JSON, all or nothing."""
        publish_text(path, self.model_dump_json(indent=1))

    @classmethod
    def load(cls, path: Path) -> "TaskSet":
        """Read tasks written by `save`.

        Raises:
            HeadshotError: The file is missing or is no task set.
        """
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise HeadshotError(f"no tasks at {path}; run the benchmark first") from None
        except ValidationError as error:
            raise HeadshotError(f"{path} is not a task set of this version: {error}") from None


def make_tasks(
    store: Store,
    shots: Sequence[int],
    *,
    size_px: int = 128,
    seed: int = 0,
    query_frames: int = 32,
    draws: int = 1,
) -> TaskSet:
    """Return the tasks of every test clip: nested supports from its first half, queries from its last and elsewhere.

    The halves are those of the usable frames. Where the largest number of shots needs more than half, the
    query part begins later, so that the same people are scored at every number of shots. Support frames are a
    seeded draw for each clip and draw number, and do not depend on the other clips.

    Where a person has more test clips, half of the query frames come from those. Query frames are chosen evenly over
    the strata of motion (see `eval.queries.choose`). What stratum a frame is in is then decided against the largest
    support of its draw, so that far is far at every number of shots, and a curve over shots compares the same frames.

    Args:
        store: The data set; its clips of the split `test` are used.
        shots: Numbers of support frames, such as 1, 8, 32; order and repetition do not matter.
        size_px: Side of the frames that systems get and produce.
        seed: Seed of the support draws.
        query_frames: Frames to synthesise in each clip, fewer where a clip is short.
        draws: Independent support draws for each clip.

    Raises:
        HeadshotError: The request is impossible, a test person is also trained on, or no clip is long enough.
    """
    wanted = tuple(sorted(set(shots)))
    if not wanted or wanted[0] < 1:
        raise HeadshotError(f"shots {list(shots)}: give one or more numbers of at least 1, such as 1,8,32")
    if query_frames < MIN_QUERY_FRAMES or draws < 1:
        raise HeadshotError(
            f"query_frames {query_frames} and draws {draws}: use at least {MIN_QUERY_FRAMES} query frames and 1 draw"
        )
    assert_identity_disjoint(store)
    tasks: list[Task] = []
    skipped: list[SkippedClip] = []
    clips = sorted((clip for clip in store.clips if clip.split == "test"), key=lambda clip: clip.key)
    for clip in clips:
        rows = _rows_with_pose(store, clip)
        parts = _split_rows(rows, wanted[-1])
        if isinstance(parts, str):
            skipped.append(SkippedClip(clip=clip.key, reason=parts))
            continue
        pool, rest = parts
        motion = Motion.read(store, clip, pool)
        others = other_clips(clip, [one for one in clips if one.identity == clip.identity])
        chosen = _choose(store, clip, rest, motion, others, query_frames)
        for draw in range(draws):
            order = _clip_rng(seed, clip.key, draw).permutation(len(pool))
            largest = motion.take(order[: wanted[-1]])
            queries = tuple(one.against(largest, BOUNDS) for one in chosen)
            tasks += [_task(clip, draw, pool[order[:count]], queries) for count in wanted]
    if not tasks:
        reasons = (
            "; ".join(f"{skip.clip}: {skip.reason}" for skip in skipped) or "the data set has no clip of the split test"
        )
        raise HeadshotError(f"no task can be made at {wanted[-1]} shots: {reasons}; lower the shots or add test clips")
    return TaskSet(
        manifest_sha256=store.info.manifest_sha256,
        seed=seed,
        size_px=size_px,
        shots=wanted,
        draws=draws,
        query_frames=query_frames,
        strata=BOUNDS,
        tasks=tuple(tasks),
        skipped=tuple(skipped),
    )


def clip_in(task_id: str) -> str:
    """Return the key of the clip that a task is about; names of people, videos and clips have no plus sign."""
    return "/".join(task_id.split("+")[:3])


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


def _rows_with_pose(store: Store, clip: ClipEntry) -> Int[np.ndarray, " rows"]:
    """Return the rows of a clip that have a face and its pose, in the order of time."""
    rows = store.usable_rows(clip)
    return np.asarray(rows[Motion.read(store, clip, rows).known])


def _split_rows(
    rows: Int[np.ndarray, " rows"], most_shots: int
) -> tuple[Int[np.ndarray, " pool"], Int[np.ndarray, " rest"]] | str:
    """Return the rows of a clip for supports and those for queries, or the reason why it has none."""
    gap = max(1, round(GAP_SHARE * len(rows)))
    pool_frames = max((len(rows) - gap) // 2, most_shots)
    left = len(rows) - pool_frames - gap
    if left < MIN_QUERY_FRAMES:
        need = most_shots + gap + MIN_QUERY_FRAMES
        return f"{len(rows)} usable frames, {need} needed for {most_shots} shots and {MIN_QUERY_FRAMES} query frames"
    return rows[:pool_frames], rows[pool_frames + gap :]


def _choose(
    store: Store,
    clip: ClipEntry,
    rest: Int[np.ndarray, " rest"],
    pool: Motion,
    others: Sequence[ClipEntry],
    query_frames: int,
) -> tuple[Chosen, ...]:
    """Return the query frames of a clip, half of them from the person's other clips where there are any."""
    elsewhere = query_frames // 2 if others else 0
    own = choose(store, [(clip, rest)], pool, query_frames - elsewhere, BOUNDS)
    return own + choose(store, [(one, _rows_with_pose(store, one)) for one in others], pool, elsewhere, BOUNDS)


def _task(clip: ClipEntry, draw: int, support: Int[np.ndarray, " shots"], queries: tuple[Query, ...]) -> Task:
    return Task(
        id=f"{clip.key.replace('/', '+')}+{len(support)}shots+draw{draw}",
        identity=clip.identity,
        clip=clip.key,
        shots=len(support),
        draw=draw,
        support=tuple(int(row) for row in support),
        queries=queries,
    )


def _clip_rng(seed: int, clip: str, draw: int) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}/{clip}/{draw}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def _sha256(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
