"""`summary.json` beside a report: what a list, a feed and a card say of it without opening it."""

import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from eval.runs.results import Run
from eval.specs.spec import MetricSpec
from eval.statistics.cells import Cell
from reports.numbers import decimals, listing, number, plural
from reports.table import within_range
from weights.errors import HeadshotError
from weights.files import publish_text
from weights.record import Record

SUMMARY = "summary.json"


class ChartRow(Record):
    """One system in the chart of the card."""

    system: str
    value: float
    low: float | None
    """None where there is no interval."""
    high: float | None
    text: str
    """The value as it is printed."""


class Chart(Record):
    """The first metric of the main table at the most shots."""

    caption: str
    rows: tuple[ChartRow, ...]
    """The best first; only systems with a value."""


class Summary(Record):
    """One report in few words."""

    schema_version: Literal[1] = 1
    kind: Literal["run", "comparison"] = "run"
    key: str
    """The same for the same run, however often it is scored or reported."""
    title: str
    headline: str
    """Who is ahead, or that nobody is."""
    people: int
    systems: tuple[str, ...]
    shots: tuple[int, ...]
    caveats: tuple[str, ...]
    """How the test falls short of what it is named after."""
    quick_look: bool
    started_at: str
    ended_at: str
    chart: Chart | None

    @property
    def sample(self) -> str:
        """Of whom, by how many, with how many source frames."""
        people, systems = plural(self.people, "person", "people"), plural(len(self.systems), "system")
        return f"{people}, {systems}, {listing(map(str, self.shots))} {'shot' if self.shots == (1,) else 'shots'}"

    @property
    def day(self) -> str:
        """When the run ended."""
        return f"{datetime.fromisoformat(self.ended_at):%-d %B %Y}"


def summary_of(run: Run, title: str, headline: str, chart: Chart | None = None) -> Summary:
    """Return the summary of a finished benchmark.

    Args:
        run: The benchmark.
        title: Of its report.
        headline: Who is ahead, or that nobody is.
        chart: For the card.
    """
    run, record = run.split()[0], run.record
    return Summary(
        key=f"{record.dataset.manifest_sha256[:16]}/{record.tasks_sha256[:16]}/{record.started_at}",
        title=title,
        headline=headline,
        people=len(run.tasks.identities()),
        systems=tuple(system.name for system in run.record.systems),
        shots=run.tasks.shots,
        caveats=run.tasks.caveats,
        quick_look=run.tasks.limit is not None,
        started_at=record.started_at,
        ended_at=record.ended_at,
        chart=chart,
    )


def save(folder: Path, summary: Summary) -> None:
    """Write the summary beside the report in a folder."""
    publish_text(folder / SUMMARY, summary.model_dump_json(indent=1) + "\n")


def load(folder: Path) -> Summary | None:
    """Return the summary in a folder, None where there is none.

    Raises:
        HeadshotError: It is damaged, or of another version.
    """
    path = folder / SUMMARY
    try:
        return Summary.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        raise HeadshotError(f"{path} is not of this version of headshot; write the report in {folder} again") from None


def chart_of(cells: Sequence[Cell], spec: MetricSpec) -> Chart | None:
    """Return the chart of a metric at its most shots, None where fewer than two systems have a value there.

    Args:
        cells: Of this metric; others are left out.
        spec: The metric.
    """
    shots = max((one.shots for one in cells), default=0)
    inside = within_range([one for one in cells if (one.metric, one.shots) == (spec.id, shots)], [spec])
    known = sorted((one for one in inside if math.isfinite(one.value)), key=lambda one: one.value)
    if len(known) < 2:
        return None
    places = decimals(one.value for one in known)
    rows = tuple(
        ChartRow(
            system=one.system,
            value=one.value,
            low=one.low if math.isfinite(one.low) else None,
            high=one.high if math.isfinite(one.high) else None,
            text=number(one.value, places),
        )
        for one in known
    )
    better = "higher" if spec.higher_is_better else "lower"
    return Chart(
        caption=f"{spec.title}, {better} is better, {plural(shots, 'shot')}, 95% interval",
        rows=rows[::-1] if spec.higher_is_better else rows,
    )
