"""The tables of runs side by side: all their systems in one, and what changed from run to run."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from eval.runs.leaderboard import Entry, Leaderboard
from eval.runs.results import Run
from eval.runs.two_runs import Compared, compare
from eval.specs.spec import MetricSpec
from eval.statistics.difference import limits
from reports.legend import SystemKey
from reports.numbers import interval, number, plural, probability, signed
from reports.places import place_interval
from reports.table import Column, within_range


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardCell:
    """One number of the table of all systems."""

    value: str
    interval: str
    place: str
    """With its interval and the letters of its groups."""
    best_alone: bool
    failures: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """One system at one number of shots."""

    key: SystemKey
    run: str
    cells: tuple[BoardCell | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardGroup:
    """All systems at one number of shots."""

    title: str
    rows: tuple[BoardRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCell:
    """The second run minus the first in one metric."""

    difference: str
    interval: str
    p: str
    verdict: str
    """What the second run is: better, worse, or neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """One system at one number of shots in two runs."""

    system: str
    shots: int
    cells: tuple[ChangeCell | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of the systems that are in two runs."""

    before: str
    after: str
    rows: tuple[ChangeRow, ...]
    same: tuple[str, ...]
    """Systems with the same values in both."""
    found: tuple[Compared, ...]
    """Of the others."""
    limits: str
    """What so few people cannot show."""


def board_groups(board: Leaderboard, heads: Sequence[Column], keys: Mapping[str, SystemKey]) -> tuple[BoardGroup, ...]:
    """Return the table of all systems by number of shots; intervals end where the metric's range does."""
    entries = {(one.cell.shots, one.cell.system, one.cell.metric): one for one in board.entries}
    groups = []
    for shots in sorted({one.cell.shots for one in board.entries}):
        rows = []
        for name, key in keys.items():
            found = [entries.get((shots, name, head.metric)) for head in heads]
            known = [one for one in found if one is not None]
            if known:
                cells = tuple(_cell(one, head, board.specs) for one, head in zip(found, heads, strict=True))
                rows.append(BoardRow(key=key, run=known[0].run, cells=cells))
        groups.append(BoardGroup(title=plural(shots, "shot"), rows=tuple(rows)))
    return tuple(groups)


def changes(runs: Sequence[Run], metrics: Sequence[str], heads: Sequence[Column]) -> tuple[Change, ...]:
    """Return what became of systems that are in two of the runs, for each two that share some.

    Args:
        runs: Comparable ones; the earlier one of each two is the first.
        metrics: Ids.
        heads: Their headings.
    """
    shared = ((one, other) for one, other in combinations(runs, 2) if _names(one) & _names(other))
    return tuple(_change(one, other, metrics, heads) for one, other in shared)


def _cell(entry: Entry | None, head: Column, specs: Sequence[MetricSpec]) -> BoardCell | None:
    if entry is None:
        return None
    (cell,) = within_range([entry.cell], specs)
    place = "" if entry.rank is None else f"{place_interval(entry.rank)}, {entry.rank.groups}"
    return BoardCell(
        value=number(cell.value, head.places),
        interval=interval(cell.low, cell.high, head.places),
        place=place,
        best_alone=entry.best_alone,
        failures=f"{cell.n_failed} of {cell.n_frames} failed" if cell.n_failed else "",
    )


def _names(run: Run) -> set[str]:
    return {system.name for system in run.split()[0].record.systems}


def _change(one: Run, other: Run, metrics: Sequence[str], heads: Sequence[Column]) -> Change:
    found = compare(one, other, metrics=metrics)
    systems = dict.fromkeys(row.gap.system for row in found)
    same = tuple(name for name in systems if all(_nothing(row) for row in found if row.gap.system == name))
    changed = tuple(row for row in found if row.gap.system not in same)
    known = {(row.gap.system, row.gap.shots, row.spec.id): row for row in changed}
    places = dict.fromkeys((row.gap.system, row.gap.shots) for row in changed)
    rows = tuple(
        ChangeRow(
            system=system,
            shots=shots,
            cells=tuple(_change_cell(known.get((system, shots, head.metric)), head) for head in heads),
        )
        for system, shots in places
    )
    return Change(
        before=str(one.folder),
        after=str(other.folder),
        rows=rows,
        same=same,
        found=changed,
        limits=limits([row.gap for row in changed]),
    )


def _nothing(row: Compared) -> bool:
    """Return whether a value is the same in both runs, or could be measured in neither."""
    if math.isnan(row.before) and math.isnan(row.after):
        return True
    ends = [end for end in (row.gap.low, row.gap.high) if not math.isnan(end)]
    return row.before == row.after and not any(ends)


def _change_cell(row: Compared | None, head: Column) -> ChangeCell | None:
    if row is None:
        return None
    gap = row.gap
    return ChangeCell(
        difference=signed(gap.value, head.places),
        interval=interval(gap.low, gap.high, head.places),
        p=probability(gap.p_holm),
        verdict="" if gap.verdict == "not separated" else gap.verdict,
    )
