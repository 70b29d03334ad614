"""What the floors and ceilings of the main table are: the references of a run, which compete with nobody."""

from dataclasses import dataclass

from reports.findings import Findings
from reports.legend import SystemKey


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorsSection:
    """The section of the page."""

    keys: tuple[SystemKey, ...]


def floors_section(found: Findings) -> FloorsSection | None:
    """Return the section of the page; None where the run has no references."""
    return FloorsSection(keys=tuple(found.floor_keys.values())) if found.floor_keys else None
