"""People by metrics and by systems: shades from easy to hard, a value in every cell, in few bytes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.statistics.identities import IdentityTable, hardest_first, identity_tables
from reports.charts.caption import Caption, fitted
from reports.findings import Findings
from reports.legend import SystemKey
from reports.numbers import listing, number, plural
from reports.table import Column

CELL, ROW, GAP = 40.0, 19.0, 1.0
LEFT, UPRIGHT_HEAD, TURNED_HEAD = 130.0, 24.0, 160.0
SHADES = 7
STRONG_FROM = 4
"""From this shade on, figures are set in the other ink."""
MOST_PEOPLE = 60
"""Rows of a map; of more people, the hardest."""
ENDS = (0.05, 0.95)
"""Shades run between these quantiles, so that one odd value does not take all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatCell:
    """A value in its place."""

    x: float
    text: str
    strong: bool
    """Whether it stands on one of the stronger shades."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatRow:
    """One person."""

    identity: str
    label: str
    y: float
    """Of the letters' foot."""
    cells: tuple[HeatCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatHead:
    """What a column is: a metric, or a system with its looks."""

    x: float
    label: str
    name: str
    key: SystemKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """One map, the hardest people on top, the strongest shades the worst."""

    caption: Caption
    metric: str
    """Empty where the columns are metrics."""
    heads: tuple[HeatHead, ...]
    turned: bool
    """Whether the heads are written upwards."""
    head_y: float
    rows: tuple[HeatRow, ...]
    shades: tuple[str, ...]
    """An SVG path around all cells of each shade; empty where there are none."""
    unknown: str
    """The like for cells without a value."""
    width: float
    height: float
    left_out: int
    """How many people are not shown, all easier than these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identities:
    """The section of the page."""

    shots: str
    people: HeatMap
    systems: tuple[HeatMap, ...]
    """One for each metric."""
    left_out: str
    """The metrics that have no value for one person, and people who are not shown; empty where all are there."""


def identities_section(found: Findings) -> Identities | None:
    """Return the maps at the largest number of shots, None where no metric has a value for each person."""
    tables = identity_numbers(found)
    if not tables:
        return None
    columns = found.table.columns
    people = people_map(tables, columns)
    without = [column.name for column in columns if column.metric not in {table.metric for table in tables}]
    return Identities(
        shots=plural(found.most_shots, "shot"),
        people=people,
        systems=system_maps(tables, columns, found.keys),
        left_out=_left_out(without, people),
    )


def identity_numbers(found: Findings) -> tuple[IdentityTable, ...]:
    """Return every person's values at the largest number of shots, metric by metric."""
    return identity_tables(found.comparisons.statistics.panels, found.most_shots)


def _left_out(metrics: Sequence[str], people: HeatMap) -> str:
    sentences = []
    if metrics:
        verb = "has" if len(metrics) == 1 else "have"
        sentences.append(f"{listing(metrics)} {verb} no value for one person, being measured on the frames of all.")
    if people.left_out:
        sentences.append(f"The {MOST_PEOPLE} hardest people are shown; {people.left_out:,} are easier.")
    return " ".join(sentences)


def people_map(tables: Sequence[IdentityTable], columns: Sequence[Column]) -> HeatMap:
    """Return people by metrics: the mean over systems, shaded by how hard the person is among the others.

    Args:
        tables: Of the metrics that have a value for each person; at least one.
        columns: The headings of all metrics.
    """
    head_of = {column.metric: column for column in columns}
    people = hardest_first(tables)
    grids = [
        {name: (table.mean[row], table.hardness[row]) for row, name in enumerate(table.identities)} for table in tables
    ]
    nothing = (math.nan, math.nan)
    heads = [head_of[table.metric] for table in tables]
    return _map(
        people,
        [HeatHead(x=_column_x(place), label=fitted(head.name, 7), name=head.title) for place, head in enumerate(heads)],
        [[grid.get(name, nothing)[0] for grid in grids] for name in people],
        [[grid.get(name, nothing)[1] for grid in grids] for name in people],
        [head.places for head in heads],
        caption=Caption(
            anchor="people-map",
            title=f"Who is hard in which metric, {plural(tables[0].shots, 'shot')}",
            description=f"{plural(len(people), 'person', 'people')} by {plural(len(tables), 'metric')}, the hardest on "
            "top; each cell is the mean over systems, the stronger the shade the harder. The numbers are in the table.",
        ),
    )


def system_maps(
    tables: Sequence[IdentityTable], columns: Sequence[Column], keys: Mapping[str, SystemKey]
) -> tuple[HeatMap, ...]:
    """Return people by systems for each metric, shaded from its best to its worst value.

    Args:
        tables: Of the metrics that have a value for each person.
        columns: The headings of all metrics.
        keys: The systems, in order.
    """
    people = hardest_first(tables)
    return tuple(
        _system_map(table, people, next(one for one in columns if one.metric == table.metric), keys, place)
        for place, table in enumerate(tables, start=1)
    )


def _system_map(
    table: IdentityTable, people: Sequence[str], column: Column, keys: Mapping[str, SystemKey], place: int
) -> HeatMap:
    row_of = dict(zip(table.identities, table.values, strict=True))
    systems = [name for name in keys if name in table.systems]
    order = [table.systems.index(name) for name in systems]
    values = [[row_of[name][at] if name in row_of else math.nan for at in order] for name in people]
    badness = np.array(values) * (-1 if column.direction.startswith("higher") else 1)
    known = badness[np.isfinite(badness)]
    low, high = np.quantile(known, ENDS) if len(known) else (0.0, 1.0)
    shares = (badness - low) / (high - low) if high > low else np.where(np.isfinite(badness), 0.5, np.nan)
    return _map(
        people,
        [HeatHead(x=_column_x(at), label=fitted(name), name=name, key=keys[name]) for at, name in enumerate(systems)],
        values,
        shares.tolist(),
        [column.places] * len(systems),
        caption=Caption(
            anchor=f"system-map-{place}",
            title=f"{column.title} of every system on every person, {plural(table.shots, 'shot')}",
            description=f"{plural(len(people), 'person', 'people')} by {plural(len(systems), 'system')}, the person "
            f"who is hardest over all metrics on top; {column.direction}, the stronger the shade the worse. The "
            "numbers are in the table.",
        ),
        metric=table.metric,
    )


def _map(
    people: Sequence[str],
    heads: Sequence[HeatHead],
    values: Sequence[Sequence[float]],
    shares: Sequence[Sequence[float]],
    places: Sequence[int],
    *,
    caption: Caption,
    metric: str = "",
) -> HeatMap:
    """Return a map of values (rows by columns) that are shaded by shares from 0 to 1."""
    top = TURNED_HEAD if metric else UPRIGHT_HEAD
    shown = people[:MOST_PEOPLE]
    outlines: dict[int | None, list[str]] = {}
    rows = []
    for line, name in enumerate(shown):
        y, cells = top + ROW * line, []
        for at, head in enumerate(heads):
            shade = _shade(shares[line][at])
            outlines.setdefault(shade, []).append(_outline(head.x, y))
            text = number(values[line][at], places[at])
            cells.append(HeatCell(x=head.x, text=text, strong=shade is not None and shade >= STRONG_FROM))
        rows.append(HeatRow(identity=name, label=fitted(name, 17), y=y + 13.5, cells=tuple(cells)))
    return HeatMap(
        caption=caption,
        metric=metric,
        heads=tuple(heads),
        turned=bool(metric),
        head_y=top - 8,
        rows=tuple(rows),
        shades=tuple("".join(outlines.get(shade, [])) for shade in range(SHADES)),
        unknown="".join(outlines.get(None, [])),
        width=LEFT + CELL * len(heads),
        height=top + ROW * len(shown),
        left_out=len(people) - len(shown),
    )


def _shade(share: float) -> int | None:
    """Return which shade a share has; None where it is not known."""
    return min(max(int(share * SHADES), 0), SHADES - 1) if math.isfinite(share) else None


def _column_x(place: int) -> float:
    """Return the middle of a column."""
    return LEFT + CELL * (place + 0.5)


def _outline(x: float, y: float) -> str:
    wide, high = CELL - GAP, ROW - GAP
    return f"M{x - wide / 2:g} {y:g}h{wide:g}v{high:g}h-{wide:g}z"
