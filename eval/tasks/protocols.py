"""Named protocols: who drives whom, which clips are taken, and what a published protocol fixes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from weights.errors import HeadshotError

Protocol = Literal["self", "cross", "video", "zakharov-2019"]
PAPER_PX = 256

SMALL_SHOTS = 3
"""At this many shots or fewer, which frames were drawn moves the scores, so there are several draws."""
DRAWS_AT_SMALL_SHOTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a protocol fixes."""

    title: str
    across: bool = False
    """Another person drives: there is no target frame."""
    videos: int | None = None
    """As many videos, drawn evenly, one clip of each; every test clip where absent."""
    stratified: bool = True
    """Query frames are chosen over the strata of motion; evenly in time where not."""
    elsewhere: bool = True
    """Query frames come from other clips of the person as well."""
    shots: tuple[int, ...] | None = None
    """The only numbers of shots; any where absent."""
    run_frames: int = 1
    """Query frames come in runs of so many that follow each other directly in their clip."""
    query_frames: int | None = None
    """Exactly as many of each clip; as many as there are, up to what was asked for, where absent."""
    size_px: int | None = None
    """Side of the pictures in the publication; others are allowed and labelled."""


RULES: Mapping[Protocol, Rules] = {
    "self": Rules(title="self-reenactment"),
    "cross": Rules(title="cross-reenactment", across=True),
    "video": Rules(title="self-reenactment in runs of 16 frames", run_frames=16),
    "zakharov-2019": Rules(
        title="zakharov-2019",
        videos=50,
        stratified=False,
        elsewhere=False,
        shots=(1, 8, 32),
        query_frames=32,
        size_px=PAPER_PX,
    ),
}
"""`video` is for what happens between frames: under `self`, frames are chosen apart from each other. `zakharov-2019`
is the protocol of arXiv 1905.08233: 50 test videos, drawn evenly, with 32 held-out frames each of the same video, at 1,
8 and 32 shots."""


def draws_at(shots: Sequence[int], draws: int | Mapping[int, int] | None, protocol: Protocol) -> tuple[int, ...]:
    """Return the number of support draws at each number of shots.

    Args:
        shots: Numbers of support frames.
        draws: The same at every number of shots, or one for some of them with 1 for the others. None is automatic:
            `DRAWS_AT_SMALL_SHOTS` up to `SMALL_SHOTS`, and 1 above and under a published protocol.
        protocol: Name of the protocol.

    Raises:
        HeadshotError: A number of draws is below 1, or given for a number of shots that is not asked for.
    """
    if draws is None:
        few = 1 if RULES[protocol].shots else DRAWS_AT_SMALL_SHOTS
        return tuple(few if count <= SMALL_SHOTS else 1 for count in shots)
    wanted = dict.fromkeys(shots, draws) if isinstance(draws, int) else dict(draws)
    stray = sorted(set(wanted) - set(shots))
    if stray:
        raise HeadshotError(
            f"draws are given for {', '.join(map(str, stray))} shots, which are not among the shots "
            f"{', '.join(map(str, shots))}; add them there or leave their draws away"
        )
    if any(count < 1 for count in wanted.values()):
        raise HeadshotError(f"draws {draws}: use at least 1 draw at every number of shots")
    return tuple(wanted.get(count, 1) for count in shots)


def check_fixed(protocol: Protocol, shots: Sequence[int], query_frames: int) -> None:
    """Refuse what a protocol leaves no choice of.

    Raises:
        HeadshotError: Other numbers of shots or of query frames are asked for than a published protocol has, or query
            frames that do not fill whole runs.
    """
    rules = RULES[protocol]
    if query_frames % rules.run_frames:
        raise HeadshotError(
            f"the protocol {protocol} asks for runs of {rules.run_frames} frames, which {query_frames} query frames do "
            f"not fill; use a multiple of {rules.run_frames}, such as {2 * rules.run_frames}"
        )
    for what, wanted, fixed in (
        ("shots", tuple(shots), rules.shots),
        ("query frames", query_frames, rules.query_frames),
    ):
        if fixed is not None and wanted != fixed:
            words = [", ".join(map(str, one)) if isinstance(one, tuple) else str(one) for one in (wanted, fixed)]
            raise HeadshotError(
                f"the protocol {protocol} has {words[1]} {what} and you ask for {words[0]}; leave them away, or take "
                "the protocol self, which is free in both"
            )
