"""The numbers over the frames that are near to what was shown, and over those that are far from it."""

from collections.abc import Mapping
from dataclasses import dataclass

from eval.runs.results import Run
from eval.specs.profiles import headline_specs
from eval.statistics.cells import Cell
from eval.tasks.motion import STRATA, Stratum
from reports.leads import Comparisons, Lead, leads
from reports.legend import SystemKey
from reports.table import MainTable, main_table, within_range


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumView:
    """The statistics over the frames of one stratum."""

    stratum: Stratum
    cells: tuple[Cell, ...]
    leading: tuple[Lead, ...]
    comparisons: Comparisons
    table: MainTable


def stratum_views(run: Run, keys: Mapping[str, SystemKey]) -> tuple[StratumView, ...]:
    """Return the statistics over each stratum that has frames, the farthest first."""
    specs, views = headline_specs(run.record.specs), []
    for stratum in reversed(STRATA):
        comparisons = Comparisons(run.scores, specs, stratum)
        cells = within_range(comparisons.statistics.cells, specs)
        if cells:
            leading = leads(cells, specs, comparisons)
            table = main_table(cells, specs, leading, keys)
            views.append(
                StratumView(stratum=stratum, cells=cells, leading=leading, comparisons=comparisons, table=table)
            )
    return tuple(views)
