"""Places of the systems in each metric, with the range that other people could give, and who is not told apart."""

from collections.abc import Sequence
from dataclasses import dataclass

from eval.statistics.ranks import Rank, Ranking
from reports.table import Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One system in a row of places."""

    system: str
    interval: str
    groups: str
    key: str
    """Names the place: number of shots, metric, system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRow:
    """The systems in one metric at one number of shots, the best first."""

    metric: str
    shots: int
    places: tuple[Place, ...]


def place_rows(rankings: Sequence[Ranking], heads: Sequence[Column]) -> tuple[PlaceRow, ...]:
    """Return a row for each metric and number of shots, in the order of the columns of the main table."""
    title_of = {head.metric: head.name for head in heads}
    return tuple(
        PlaceRow(metric=title_of[one.metric], shots=one.shots, places=tuple(_place(rank, one) for rank in one.ranks))
        for one in rankings
    )


def place_interval(rank: Rank) -> str:
    """Return the interval of a place, such as "1" or "1 to 3"."""
    return f"{rank.low}" if rank.low == rank.high else f"{rank.low} to {rank.high}"


def _place(rank: Rank, ranking: Ranking) -> Place:
    return Place(
        system=rank.system,
        interval=place_interval(rank),
        groups=rank.groups,
        key=f"{ranking.shots}:{ranking.metric}:{rank.system}",
    )
