"""Systems of several runs in one table, with places that claim no more than the comparisons bear."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eval.runs.comparable import shared_specs
from eval.runs.results import SCORE_SCHEMA, Run
from eval.runs.two_runs import named
from eval.specs.spec import MetricSpec
from eval.statistics.cells import Cell
from eval.statistics.ranks import Rank
from eval.statistics.summary import statistics
from eval.tasks.motion import Stratum


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One number of the table."""

    cell: Cell
    """Its `system` is the name in the table: with that of the run behind it where two systems have one name."""
    run: str
    """The run it is of: the name of its folder."""
    rank: Rank | None
    """Its place, with interval and groups; None where it has no value."""
    best_alone: bool
    """Whether it is the best and separated from every other system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard:
    """The table."""

    runs: tuple[Run, ...]
    specs: tuple[MetricSpec, ...]
    entries: tuple[Entry, ...]
    stratum: Stratum | None
    limits: str
    """What so few people cannot show; empty where nothing is out of reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contender:
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
    contenders = _contenders(runs, specs)
    labels = _labels(runs)
    run_of = {one.name: labels[one.run.folder] for one in contenders}
    found = statistics(
        pa.concat_tables(named(one.run.scores, one.system, one.name) for one in contenders), specs, stratum
    )
    ranks = {(rank.system, one.shots, one.metric): (rank, one) for one in found.rankings for rank in one.ranks}
    entries = []
    for cell in found.cells:
        rank, ranking = ranks.get((cell.system, cell.shots, cell.metric), (None, None))
        alone = ranking is not None and ranking.not_separated_from_best == (cell.system,) and len(ranking.ranks) > 1
        entries.append(Entry(cell=cell, run=run_of[cell.system], rank=rank, best_alone=alone))
    return Leaderboard(runs=tuple(runs), specs=specs, entries=tuple(entries), stratum=stratum, limits=found.limits)


def _contenders(runs: Sequence[Run], specs: Sequence[MetricSpec]) -> list[_Contender]:
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
        _Contender(run=run, system=system, name=system if len(found) == 1 else f"{system} ({labels[run.folder]})")
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
    one, other = (rows.cast(SCORE_SCHEMA).sort_by(keys) for rows in (one, other))  # what is encoded cannot be sorted
    alike = one.drop_columns("value").equals(other.drop_columns("value"))
    return bool(alike and np.array_equal(one["value"], other["value"], equal_nan=True))
