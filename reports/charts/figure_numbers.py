"""The numbers of all figures, for machines to read."""

from dataclasses import dataclass

from eval.statistics.agreement import Agreement
from eval.statistics.identities import IdentityTable
from eval.statistics.ranks import Ranking
from reports.charts.agreement_chart import agreement_numbers
from reports.charts.cost_chart import CostNumbers, cost_numbers
from reports.charts.forest import ROLES, ForestNumbers, forest_numbers
from reports.charts.heat_map import identity_numbers
from reports.charts.rank_chart import rank_numbers
from reports.findings import Findings


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureNumbers:
    """What the figures draw, at the largest number of shots: text, numbers, and tuples of such.

    A number that is not known is NaN; a difference that nothing could find has an infinite `detectable`.
    """

    differences: tuple[ForestNumbers, ...]
    """Against the leader and against the strongest floor, metric by metric."""
    places: tuple[Ranking, ...]
    identities: tuple[IdentityTable, ...]
    costs: tuple[CostNumbers, ...]
    agreements: tuple[Agreement, ...]


def figure_numbers(found: Findings) -> FigureNumbers:
    """Return the numbers of all figures of a run but the few-shot curves, whose numbers are those of the main table."""
    return FigureNumbers(
        differences=tuple(one for role in ROLES for one in forest_numbers(found, role)),
        places=rank_numbers(found),
        identities=identity_numbers(found),
        costs=cost_numbers(found),
        agreements=agreement_numbers(found),
    )
