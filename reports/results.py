"""The section of results: the main table, what is separated in it, places, failures, and the metrics beside it."""

from dataclasses import dataclass

from eval.runs.results import FailureCount
from reports.findings import Findings
from reports.leads import Comparisons
from reports.places import PlaceRow, place_rows
from reports.reported import Reported, reported
from reports.study.column import with_user
from reports.table import LeadRow, MainTable, lead_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsSection:
    """The section of the page."""

    table: MainTable
    corrected: str
    leads: tuple[LeadRow, ...]
    places: tuple[PlaceRow, ...]
    failures: tuple[FailureCount, ...]
    """Of the metrics in the main table."""
    more: MainTable
    """The metrics that are not in the main table; nothing in it is compared."""
    floors: MainTable | None
    """Floors and ceilings, below the systems; None where the run has none."""
    reported: tuple[Reported, ...]


def results_section(found: Findings) -> ResultsSection:
    """Return the section of the page."""
    shown = {spec.id for spec in found.specs}
    return ResultsSection(
        table=with_user(found.table, found.study),
        corrected=_corrected(found.comparisons),
        leads=lead_rows(found.leading, found.table.columns),
        places=place_rows(found.comparisons.statistics.rankings, found.table.columns),
        failures=tuple(one for one in found.run.record.failures if one.metric in shown),
        more=found.more,
        floors=with_user(found.floors, found.study) if found.floor_keys else None,
        reported=reported(),
    )


def _corrected(comparisons: Comparisons) -> str:
    """Say for how many comparisons p are corrected, and what so few people cannot show."""
    found = comparisons.statistics
    family = max((one.family for one in found.pairs), default=0)
    text = f"p are corrected for all comparisons of a metric, of which there are {family} (Holm)." if family > 1 else ""
    return " ".join(filter(None, (text, found.limits)))
