"""Draw the tasks of a data set: nested supports, and queries apart from them in every stratum of motion."""

from collections.abc import Iterator, Mapping, Sequence

from eval.tasks.drafts import Draft, Drafting, assert_identity_disjoint
from eval.tasks.motion import BOUNDS
from eval.tasks.pairs import PairList
from eval.tasks.protocols import RULES, Protocol, check_fixed, draws_at
from eval.tasks.supports import MIN_QUERY_FRAMES, draw_order
from eval.tasks.task_set import SkippedClip, Task, TaskSet
from pipeline.store import Store
from weights.errors import HeadshotError


def make_tasks(
    store: Store,
    shots: Sequence[int],
    *,
    size_px: int = 128,
    seed: int = 0,
    query_frames: int = 32,
    draws: int | Mapping[int, int] | None = 1,
    protocol: Protocol = "self",
    limit: int | None = None,
    pairs: PairList | None = None,
) -> TaskSet:
    """Return the tasks of test clips: nested supports from the first half, queries from the last and from elsewhere.

    The halves are those of the usable frames. Where the largest number of shots needs more than half, the
    query part begins later, so that the same people are scored at every number of shots. Support frames are a
    seeded draw for each clip and draw number, and do not depend on the other clips.

    Where a person has more test clips, half of the query frames come from those. Query frames are chosen evenly over
    the strata of motion (see `queries.choose`). What stratum a frame is in is then decided against the largest
    support of its draw, so that far is far at every number of shots, and a curve over shots compares the same frames.

    Under the protocol `cross` another test person drives. The frames to be drawn are theirs, and those that would be
    drawn of the person are kept as `real`, for metrics that ask how much a picture is like the person.

    Under the protocol `video` query frames come in runs that follow each other directly, and runs are what is chosen
    and halved.

    Args:
        store: The data set; its clips of the split `test` are used.
        shots: Numbers of support frames, such as 1, 8, 32; order and repetition do not matter.
        size_px: Side of the frames that systems get and produce.
        seed: Seed of the support draws, and of who drives whom.
        query_frames: Frames to synthesise in each clip, fewer where a clip is short.
        draws: Independent support draws for each clip: at every number of shots, or at some of them; None is automatic
            (see `eval.tasks.protocols.draws_at`).
        protocol: Name of the protocol.
        limit: For a quick look, at most so many people, one clip of each and `MIN_QUERY_FRAMES` frames or one run
            of it.
        pairs: Who drives whom under `cross`; everybody drives somebody where absent.

    Raises:
        HeadshotError: The request is impossible, a test person is also trained on, or no clip is long enough.
    """
    wanted = tuple(sorted(set(shots)))
    if not wanted or wanted[0] < 1:
        raise HeadshotError(f"shots {list(shots)}: give one or more numbers of at least 1, such as 1,8,32")
    if query_frames < MIN_QUERY_FRAMES or (limit is not None and limit < 1):
        raise HeadshotError(
            f"query_frames {query_frames}, limit {limit}: use at least {MIN_QUERY_FRAMES} query frames and 1 person"
        )
    check_fixed(protocol, wanted, query_frames)
    draws_of = draws_at(wanted, draws, protocol)
    assert_identity_disjoint(store)
    clips = sorted((clip for clip in store.clips if clip.split == "test"), key=lambda clip: clip.key)
    drafting = Drafting(
        store=store,
        clips=tuple(clips),
        rules=RULES[protocol],
        seed=seed,
        most_shots=wanted[-1],
        query_frames=query_frames if limit is None else max(MIN_QUERY_FRAMES, RULES[protocol].run_frames),
        limit=limit,
        pairs=pairs,
    )
    drafts, skipped = drafting.drafts()
    tasks = [task for draft in drafts for task in _tasks_of(draft, wanted, draws_of, seed)]
    if not tasks:
        reasons = (
            "; ".join(f"{skip.clip}: {skip.reason}" for skip in skipped) or "the data set has no clip of the split test"
        )
        raise HeadshotError(f"no task can be made at {wanted[-1]} shots: {reasons}; lower the shots or add test clips")
    return TaskSet(
        protocol=protocol,
        manifest_sha256=store.info.manifest_sha256,
        seed=seed,
        size_px=size_px,
        shots=wanted,
        draws=draws_of,
        query_frames=drafting.query_frames,
        strata=BOUNDS,
        people=len({clip.identity for clip in clips}),
        limit=limit,
        pairs_sha256=pairs.sha256 if pairs else None,
        tasks=tuple(tasks),
        skipped=tuple(SkippedClip(clip=skip.clip, reason=skip.reason) for skip in skipped),
    )


def _tasks_of(draft: Draft, shots: Sequence[int], draws: Sequence[int], seed: int) -> Iterator[Task]:
    """Yield the tasks of a clip: for each draw, one at every number of shots that has so many draws."""
    for draw in range(max(draws)):
        order = draw_order(len(draft.pool), seed=seed, clip=draft.clip.key, draw=draw)
        largest = draft.motion.take(order[: shots[-1]])
        queries = tuple(one.against(largest, BOUNDS) for one in draft.queries)
        real = tuple(one.against(largest, BOUNDS) for one in draft.real)
        for count, of_count in zip(shots, draws, strict=True):
            if draw < of_count:
                start = f"{draft.clip.key.replace('/', '+')}+{count}shots+draw{draw}"
                yield Task(
                    id=f"{start}+by+{draft.driver.key.replace('/', '+')}" if draft.driver else start,
                    identity=draft.clip.identity,
                    clip=draft.clip.key,
                    shots=count,
                    draw=draw,
                    support=tuple(int(row) for row in draft.pool[order[:count]]),
                    queries=queries,
                    driver=draft.driver.identity if draft.driver else None,
                    real=real,
                )
