"""The section of floors and ceilings: the references of a run, which compete with nobody."""

from dataclasses import dataclass

from reports.findings import Findings
from reports.legend import SystemKey
from reports.table import MainTable


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorsSection:
    """The section of the page."""

    table: MainTable
    keys: tuple[SystemKey, ...]


def floors_section(found: Findings) -> FloorsSection | None:
    """Return the section of the page; None where the run has no references."""
    return FloorsSection(table=found.floors, keys=tuple(found.floor_keys.values())) if found.floor_keys else None
