"""The main table: systems at each number of shots, metrics across, every number with its interval."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from eval.runs.results import CostRecord
from eval.specs.spec import MetricSpec
from eval.statistics.cells import Cell
from eval.statistics.difference import Difference
from reports.leads import Lead
from reports.legend import SystemKey
from reports.numbers import (
    MISSING,
    decimals,
    duration,
    interval,
    number,
    plural,
    probability,
    share,
    signed,
    speed,
)

FLAG_NOTES = {
    "unreliable": ("†", "fewer frames than the metric needs to be reliable; compare only within this page"),
    "refused": ("‡", "too few frames to compute the metric at all"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One metric's heading."""

    metric: str
    title: str
    name: str
    """The title without what stands in brackets."""
    variant: str
    """What stands in brackets: the network or the normaliser."""
    unit: str
    arrow: str
    direction: str
    places: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCell:
    """One number as printed."""

    value: str
    interval: str
    separated: bool
    """Better than the runner-up in a paired test, corrected, and by a difference whose interval leaves out zero."""
    mark: str
    failures: str
    key: str
    """Names the number: see `cell_key`."""
    full: str
    """The value with all digits, by which rows are sorted; empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCost:
    """What a system cost at a number of shots, each as printed and in full."""

    adaptation: str
    adaptation_s: str
    speed: str
    frames_per_s: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One system."""

    key: SystemKey
    cells: tuple[TableCell, ...]
    people: str
    """How many stand behind each number, as a span where metrics differ; so with frames and failed ones."""
    frames: str
    failed: str
    cost: RowCost | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableGroup:
    """All systems at one number of shots."""

    shots: int
    title: str
    sample: str
    """How many people and frames stand behind each number."""
    rows: tuple[TableRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MainTable:
    """The whole table with the notes below it."""

    columns: tuple[Column, ...]
    costed: bool
    """Whether it has columns for cost."""
    groups: tuple[TableGroup, ...]
    notes: tuple[tuple[str, str], ...]
    """(mark, explanation) of the marks that occur."""


def columns(specs: Sequence[MetricSpec], cells: Sequence[Cell]) -> tuple[Column, ...]:
    """Return the headings of the metrics, with as many decimals as their values bear."""
    return tuple(
        Column(
            metric=spec.id,
            title=spec.title,
            name=spec.title.partition(" (")[0],
            variant=spec.title.partition(" (")[2].rstrip(")"),
            unit=spec.unit,
            arrow="↑" if spec.higher_is_better else "↓",
            direction="higher is better" if spec.higher_is_better else "lower is better",
            places=decimals(cell.value for cell in cells if cell.metric == spec.id),
        )
        for spec in specs
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRow:
    """First against second place in one metric at one number of shots."""

    shots: int
    metric: str
    id: str
    """Of the metric."""
    leader: str
    runner_up: str
    difference: str
    interval: str
    p: str
    """Corrected for all comparisons of the metric."""
    share: str
    """Of the people, for how many the first is better."""
    detectable: str
    """The difference that would be found in four studies of five."""
    verdict: str


def lead_rows(leading: Sequence[Lead], heads: Sequence[Column]) -> tuple[LeadRow, ...]:
    """Return first place against second, and against everybody else that it is not separated from.

    Args:
        leading: The leads of the run.
        heads: The headings of the main table.
    """
    head_of = {head.metric: head for head in heads}
    return tuple(_lead_row(one, head_of[lead.metric]) for lead in leading for one in (lead.difference, *lead.rivals))


def _lead_row(one: Difference, head: Column) -> LeadRow:
    separated = one.verdict == "better"
    return LeadRow(
        shots=one.shots,
        metric=head.name,
        id=head.metric,
        leader=one.system,
        runner_up=one.baseline,
        difference=signed(one.value, head.places),
        interval=interval(one.low, one.high, head.places),
        p=probability(one.p_holm),
        share=share(one.superiority),
        detectable="none" if math.isinf(one.detectable) else number(one.detectable, head.places),
        verdict="the same" if one.value == 0 else "separated" if separated else "could be chance",
    )


def within_range(cells: Sequence[Cell], specs: Sequence[MetricSpec]) -> tuple[Cell, ...]:
    """Return the cells with intervals cut at the ends of the metric's range, beyond which no value can lie."""
    ranges = {spec.id: spec.range for spec in specs}
    return tuple(_cut(cell, *ranges[cell.metric]) for cell in cells)


def _cut(cell: Cell, floor: float | None, ceiling: float | None) -> Cell:
    if not (math.isfinite(cell.low) and math.isfinite(cell.high)):
        return cell
    high = cell.high if ceiling is None else min(cell.high, ceiling)
    return replace(cell, low=cell.low if floor is None else max(cell.low, floor), high=high)


def main_table(
    cells: Sequence[Cell],
    specs: Sequence[MetricSpec],
    leading: Sequence[Lead],
    keys: Mapping[str, SystemKey],
    costs: Sequence[CostRecord] = (),
    heads: Sequence[Column] = (),
) -> MainTable:
    """Return the table of a run.

    Args:
        cells: Summary of the score rows.
        specs: The metrics, in the order of the columns.
        leading: The leads, of which the separated ones are set in bold.
        keys: The systems, in the order of the rows.
        costs: What the systems cost; no columns for it where there is nothing.
        heads: The headings of another table, to stand below it.
    """
    separated = {(lead.leader, lead.shots, lead.metric) for lead in leading if lead.separated}
    heads = tuple(heads) or columns(specs, cells)
    by_place = {(cell.system, cell.shots, cell.metric): cell for cell in cells}
    cost_of = {(cost.system, cost.shots): _row_cost(cost) for cost in costs}
    groups = []
    for shots in sorted({cell.shots for cell in cells}):
        rows = []
        for name, key in keys.items():
            found = [by_place.get((name, shots, head.metric)) for head in heads]
            printed = tuple(
                _cell(cell, head, (name, shots, head.metric) in separated)
                for cell, head in zip(found, heads, strict=True)
            )
            rows.append(_row(key, printed, [cell for cell in found if cell], cost_of.get((name, shots))))
        sample = _sample([cell for cell in cells if cell.shots == shots])
        groups.append(TableGroup(shots=shots, title=plural(shots, "shot"), sample=sample, rows=tuple(rows)))
    flags = sorted({cell.flag for cell in cells if cell.flag}, reverse=True)
    return MainTable(
        columns=heads, costed=bool(costs), groups=tuple(groups), notes=tuple(FLAG_NOTES[flag] for flag in flags)
    )


def _cell(cell: Cell | None, head: Column, separated: bool) -> TableCell:
    if cell is None:
        return TableCell(value="not run", interval="", separated=False, mark="", failures="", key="", full="")
    failures = ""
    if cell.n_failed:
        measured = number(cell.value_measured_only, head.places)
        failures = f"{cell.n_failed} of {cell.n_frames} failed; {measured} without them"
    return TableCell(
        value=number(cell.value, head.places),
        interval=interval(cell.low, cell.high, head.places),
        separated=separated,
        mark=FLAG_NOTES[cell.flag][0] if cell.flag else "",
        failures=failures,
        key=cell_key(cell),
        full=full(cell.value),
    )


def cell_key(cell: Cell) -> str:
    """Return the name of a number in the page and for other programs: stratum, shots, metric, system.

    The name of a system stands last, because it may have colons in it.
    """
    return f"{cell.stratum or 'all'}:{cell.shots}:{cell.metric}:{cell.system}"


def full(value: float | None) -> str:
    """Return a value with all digits; empty where there is none."""
    return "" if value is None or not math.isfinite(value) else repr(float(value))


def _row(key: SystemKey, printed: tuple[TableCell, ...], cells: Sequence[Cell], cost: RowCost | None) -> TableRow:
    return TableRow(
        key=key,
        cells=printed,
        people=_ends(cell.n_identities for cell in cells),
        frames=_ends(cell.n_frames for cell in cells),
        failed=_ends(cell.n_failed for cell in cells),
        cost=cost,
    )


def _row_cost(cost: CostRecord) -> RowCost:
    return RowCost(
        adaptation=MISSING if cost.adaptation_s is None else duration(cost.adaptation_s),
        adaptation_s=full(cost.adaptation_s),
        speed=MISSING if cost.frames_per_s is None else speed(cost.frames_per_s),
        frames_per_s=full(cost.frames_per_s),
    )


def _ends(counts: Iterable[int]) -> str:
    """Return a count, or the smallest and the largest of several."""
    found = sorted(set(counts)) or [0]
    return f"{found[0]:,}" if len(found) == 1 else f"{found[0]:,} to {found[-1]:,}"


def _sample(cells: Sequence[Cell]) -> str:
    """Say how many people and frames stand behind the numbers, as a span where metrics differ."""
    people = sorted({cell.n_identities for cell in cells})
    frames = sorted({cell.n_frames for cell in cells})
    return f"{_span(people, 'person', 'people')}, {_span(frames, 'frame', 'frames')} a system"


def _span(counts: list[int], noun: str, many: str) -> str:
    if len(counts) == 1:
        return plural(counts[0], noun, many)
    return f"{counts[0]:,} to {counts[-1]:,} {many}"
