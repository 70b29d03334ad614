"""Places of the systems with their intervals, and the groups that nothing separates."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.statistics.ranks import Rank, Ranking, letter
from reports.charts.axis import Axis, Frame, Tick
from reports.charts.caption import Caption, fitted
from reports.findings import Findings
from reports.legend import SystemKey
from reports.numbers import MISSING, number, plural, share
from reports.places import place_interval
from reports.table import Column

WIDTH, ROW = 400, 22
FRAME = Frame(left=166.0, right=390.0, top=24.0, bottom=30.0)
"""`bottom` is the room below the last row."""
ROOM = 18.0
"""From one label of a place to the next."""
LETTER, MOST_FOR_LETTERS = 14.0, 112.0
"""Room for a letter, and for all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankRow:
    """One system; what it has no value for is None or a dash."""

    key: SystemKey
    label: str
    y: float
    x: float | None
    span: tuple[float, float] | None
    """Ends of the interval."""
    place: str
    interval: str
    value: str
    first: str
    groups: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Systems of which no two are separated: a letter in a column of its own at each of them."""

    letter: str
    x: float
    top: float
    bottom: float
    at: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankChart:
    """The chart of one metric; the first place is on the left."""

    caption: Caption
    column: Column
    numbers: Ranking
    frame: Frame
    height: float
    ticks: tuple[Tick, ...]
    rows: tuple[RankRow, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """The section of the page."""

    shots: str
    charts: tuple[RankChart, ...]
    note: str
    """Where the intervals come from."""


def ranks_section(found: Findings) -> Ranks | None:
    """Return the charts at the largest number of shots, None where no metric has two systems to rank."""
    charts = tuple(
        rank_chart(one, found.column(one.metric), found.keys, anchor=f"rank-{place}")
        for place, one in enumerate(rank_numbers(found), start=1)
    )
    if not charts:
        return None
    resampled = all(chart.numbers.resampled for chart in charts)
    note = (
        ""
        if resampled
        else (
            "There are too few people to resample, so the interval of a place is what the comparisons leave open: "
            "behind nobody but those that are better, ahead of nobody but those that are worse."
        )
    )
    return Ranks(shots=plural(found.most_shots, "shot"), charts=charts, note=note)


def rank_numbers(found: Findings) -> tuple[Ranking, ...]:
    """Return the ranking of each metric at the largest number of shots."""
    return tuple(one for one in found.comparisons.statistics.rankings if one.shots == found.most_shots)


def rank_chart(ranking: Ranking, column: Column, keys: Mapping[str, SystemKey], *, anchor: str) -> RankChart:
    """Return the chart of one metric.

    Args:
        ranking: Places, intervals and groups.
        column: The heading of the metric.
        keys: The systems, of which those without a value stand below the others.
        anchor: Id of the drawing in the page.
    """
    step = min(LETTER, MOST_FOR_LETTERS / len(ranking.groups))
    right = FRAME.right - step * len(ranking.groups)
    axis = Axis(low=1.0, high=float(len(ranking.ranks)), start=FRAME.left + 10, end=right - 16)
    ranked = [_row(rank, place, axis, column, keys) for place, rank in enumerate(ranking.ranks)]
    unranked = [name for name in keys if name not in {rank.system for rank in ranking.ranks}]
    rows = (*ranked, *(_empty_row(name, len(ranked) + place, keys) for place, name in enumerate(unranked)))
    bottom = FRAME.top + ROW * len(rows)
    first = ranking.not_separated_from_best
    return RankChart(
        caption=Caption(
            anchor=anchor,
            title=f"{column.title}: places with their 95% intervals, {plural(ranking.shots, 'shot')}",
            description=f"One line for each of {plural(len(rows), 'system')}, the best first and to the left; letters "
            f"on the right join systems that are not separated. {plural(len(first), 'system')} cannot be told from the "
            "first place, itself included. The numbers are in the table.",
        ),
        column=column,
        numbers=ranking,
        frame=Frame(left=FRAME.left, right=right, top=FRAME.top, bottom=bottom),
        height=bottom + FRAME.bottom,
        ticks=_ticks(axis, len(ranking.ranks)),
        rows=rows,
        groups=tuple(
            _group(rows, number, members, right + step * (number + 0.5))
            for number, members in enumerate(ranking.groups)
        ),
    )


def _ticks(axis: Axis, places: int) -> tuple[Tick, ...]:
    """Return a tick for each place, with a label where there is room; always for the first."""
    apart = math.ceil(ROOM * (places - 1) / (axis.end - axis.start))
    return tuple(
        Tick(at=axis.at(place), label=f"{place}" if (place - 1) % apart == 0 else "") for place in range(1, places + 1)
    )


def _row(rank: Rank, place: int, axis: Axis, column: Column, keys: Mapping[str, SystemKey]) -> RankRow:
    between, value = place_interval(rank), number(rank.value, column.places)
    return RankRow(
        key=keys[rank.system],
        label=fitted(rank.system),
        y=FRAME.top + ROW * (place + 0.5),
        x=axis.at(rank.place),
        span=(axis.at(rank.low), axis.at(rank.high)),
        place=f"{rank.place}",
        interval=between,
        value=value,
        first=share(rank.first),
        groups=rank.groups,
        text=f"{rank.system}: place {rank.place} ({between}), {value}, groups {rank.groups}",
    )


def _empty_row(name: str, place: int, keys: Mapping[str, SystemKey]) -> RankRow:
    return RankRow(
        key=keys[name],
        label=fitted(name),
        y=FRAME.top + ROW * (place + 0.5),
        x=None,
        span=None,
        place=MISSING,
        interval=MISSING,
        value=MISSING,
        first=MISSING,
        groups="",
        text=f"{name}: not measurable",
    )


def _group(rows: Sequence[RankRow], number: int, members: Sequence[str], x: float) -> Group:
    at = tuple(row.y for row in rows if row.key.name in members)
    return Group(letter=letter(number), x=round(x, 1), top=min(at), bottom=max(at), at=at)
