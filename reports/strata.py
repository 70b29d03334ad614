"""Near and far: the same numbers over the frames that resemble what was shown, and over those that do not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.runs.results import Run
from eval.specs.profiles import headline_specs
from eval.specs.spec import MetricSpec
from eval.statistics.cells import Cell
from eval.tasks.motion import STRATA, StrataBounds, Stratum
from eval.tasks.task_set import Task
from reports.curves import Curve, curves
from reports.leads import Comparisons, Lead, leads
from reports.legend import SystemKey
from reports.table import MainTable, main_table, within_range


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumSize:
    """What a stratum is, and how much of the test is in it."""

    stratum: Stratum
    distance: str
    frames: int
    """In each setting: a system at a number of shots, in the first draw of the support."""
    people: int
    elsewhere: int
    """Frames from another clip of the person than the source frames'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumView:
    """The statistics over the frames of one stratum."""

    stratum: Stratum
    cells: tuple[Cell, ...]
    leading: tuple[Lead, ...]
    comparisons: Comparisons
    table: MainTable


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartPair:
    """One metric over all frames and over the far ones, on the same axes."""

    everywhere: Curve
    far: Curve


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionSection:
    """The section of the page."""

    sizes: tuple[StratumSize, ...]
    missing: str
    """What cannot be told, for want of frames or people; empty where all can."""
    tables: tuple[StratumView, ...]
    """The farthest first."""
    charts: tuple[ChartPair, ...]


def stratum_sizes(run: Run) -> tuple[StratumSize, ...]:
    """Return how many frames and people are in each stratum."""
    tasks = [task for task in run.tasks.tasks if task.shots == run.tasks.shots[0] and task.draw == 0]
    return tuple(_size(stratum, tasks, run.tasks.strata) for stratum in STRATA)


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


def motion_section(
    run: Run,
    views: Sequence[StratumView],
    cells: Sequence[Cell],
    table: MainTable,
    keys: Mapping[str, SystemKey],
) -> MotionSection:
    """Return the section.

    Args:
        run: The finished benchmark.
        views: The statistics of each stratum.
        cells: All cells over all frames.
        table: The main table.
        keys: The systems, in order.
    """
    sizes = stratum_sizes(run)
    far = next((view for view in views if view.stratum == "far"), None)
    return MotionSection(
        sizes=sizes,
        missing=_missing(sizes),
        tables=tuple(views),
        charts=_chart_pairs(cells, table, far, headline_specs(run.record.specs), keys) if far else (),
    )


def _size(stratum: Stratum, tasks: Sequence[Task], bounds: StrataBounds) -> StratumSize:
    frames = [(task, frame) for task in tasks for frame in task.frames if frame.stratum == stratum]
    return StratumSize(
        stratum=stratum,
        distance={
            "near": f"below {bounds.near_below:g}",
            "middle": f"{bounds.near_below:g} to {bounds.far_from:g}",
            "far": f"{bounds.far_from:g} and more",
        }[stratum],
        frames=len(frames),
        people=len({task.identity for task, _ in frames}),
        elsewhere=sum(frame.clip != task.clip for task, frame in frames),
    )


def _missing(sizes: Sequence[StratumSize]) -> str:
    empty = [size.stratum for size in sizes if not size.frames]
    lone = [size.stratum for size in sizes if size.people == 1]
    sentences = [
        *(f"No frame of these people is {stratum}." for stratum in empty),
        *(f"Only one person has {stratum} frames, so there is no interval and nothing is bold." for stratum in lone),
    ]
    return " ".join(sentences)


def _chart_pairs(
    cells: Sequence[Cell],
    table: MainTable,
    far: StratumView,
    specs: Sequence[MetricSpec],
    keys: Mapping[str, SystemKey],
) -> tuple[ChartPair, ...]:
    """Return the charts of the metrics that have a value on both sides."""
    everywhere = curves(cells, specs, table, keys, beside=far.cells)
    apart = {curve.column.metric: curve for curve in curves(far.cells, specs, far.table, keys, beside=cells)}
    return tuple(
        ChartPair(everywhere=curve, far=apart[curve.column.metric])
        for curve in everywhere
        if curve.column.metric in apart
    )
