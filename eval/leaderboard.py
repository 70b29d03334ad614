"""Systems of several runs in one table, with ranks that claim no more than the intervals bear."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eval.comparable import shared_specs
from eval.comparison import named
from eval.motion import Stratum
from eval.results import Run
from eval.specs.spec import MetricSpec
from eval.statistics import Cell, differences, summarise


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One number of the table."""

    cell: Cell
    """Its `system` is the name in the table: with that of the run behind it where two systems have one name."""
    run: str
    """The run it is of: the name of its folder."""
    rank: int
    """1 more than the number of systems that are better by an interval of the paired difference that leaves out zero:
    those that nobody is shown to be better than share the first rank."""
    best_alone: bool
    """Whether it is better than every other system in that sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard:
    """The table."""

    runs: tuple[Run, ...]
    specs: tuple[MetricSpec, ...]
    places: tuple[Place, ...]
    stratum: Stratum | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A system of a run under its name in the table."""

    run: Run
    system: str
    name: str


def leaderboard(runs: Sequence[Run], *, metrics: Sequence[str] = (), stratum: Stratum | None = None) -> Leaderboard:
    """Return one table of all systems; a system that is in several runs with the same scores is there once.

    Args:
        runs: At least one.
        metrics: Ids; all metrics where there are none.
        stratum: Over its frames alone.

    Floors and ceilings are left out: they are no contenders.

    Raises:
        HeadshotError: The runs cannot be compared; the message says why.
    """
    runs = [run.split()[0] for run in runs]
    specs = shared_specs(runs, metrics)
    entries = _entries(runs, specs)
    labels = _labels(runs)
    run_of = {entry.name: labels[entry.run.folder] for entry in entries}
    scores = pa.concat_tables(named(entry.run.scores, entry.system, entry.name) for entry in entries)
    won: Counter[tuple[str, int, str]] = Counter()
    lost: Counter[tuple[str, int, str]] = Counter()
    for one, other in combinations(run_of, 2):
        for winner, loser, shots, metric in _decided(scores, specs, one, other, stratum):
            won[winner, shots, metric] += 1
            lost[loser, shots, metric] += 1
    cells = summarise(scores, specs, stratum)
    entrants = Counter((cell.shots, cell.metric) for cell in cells)
    places = tuple(
        Place(
            cell=cell,
            run=run_of[cell.system],
            rank=1 + lost[cell.system, cell.shots, cell.metric],
            best_alone=won[cell.system, cell.shots, cell.metric] == entrants[cell.shots, cell.metric] - 1 > 0,
        )
        for cell in cells
    )
    return Leaderboard(runs=tuple(runs), specs=specs, places=places, stratum=stratum)


def _decided(
    scores: pa.Table, specs: Sequence[MetricSpec], one: str, other: str, stratum: Stratum | None
) -> list[tuple[str, str, int, str]]:
    """Return winner, loser, shots and metric wherever two systems are separated."""
    both = scores.filter(pc.is_in(scores["system"], pa.array([one, other])))
    gaps = differences(both, specs, one, other, stratum=stratum)
    sides = {"better": (one, other), "worse": (other, one)}
    return [(*sides[gap.verdict], gap.shots, gap.metric) for gap in gaps if gap.verdict in sides]


def _entries(runs: Sequence[Run], specs: Sequence[MetricSpec]) -> list[_Entry]:
    """Return every system once; where two differ under one name, the name of the run follows."""
    ids = pa.array([spec.id for spec in specs])
    variants: dict[str, list[tuple[Run, pa.Table]]] = {}
    for run in runs:
        scores = run.scores.filter(pc.is_in(run.scores["metric"], ids))
        for system in run.record.systems:
            rows, known = scores.filter(pc.field("system") == system.name), variants.setdefault(system.name, [])
            if not any(_same(rows, other) for _, other in known):
                known.append((run, rows))
    labels = _labels(runs)
    return [
        _Entry(run=run, system=system, name=system if len(found) == 1 else f"{system} ({labels[run.folder]})")
        for system, found in variants.items()
        for run, _ in found
    ]


def _labels(runs: Sequence[Run]) -> dict[Path, str]:
    """Return a name for each run: that of its folder, or its path where two folders have one name."""
    names = Counter(folder.name for folder in {run.folder for run in runs})
    return {run.folder: run.folder.name if names[run.folder.name] == 1 else str(run.folder) for run in runs}


def _same(one: pa.Table, other: pa.Table) -> bool:
    """Return whether rows are equal in another order, NaN to NaN."""
    keys = [(name, "ascending") for name in one.column_names if name != "value"]
    one, other = one.sort_by(keys), other.sort_by(keys)
    alike = one.drop_columns("value").equals(other.drop_columns("value"))
    return bool(alike and np.array_equal(one["value"], other["value"], equal_nan=True))
