"""Near and far: the same numbers over the frames that resemble what was shown, and over those that do not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.runs.results import Run
from eval.specs.spec import MetricSpec
from eval.statistics.cells import Cell
from eval.tasks.motion import STRATA, StrataBounds, Stratum
from eval.tasks.task_set import Task
from reports.charts.curves import Curve, curves
from reports.findings import Findings
from reports.legend import SystemKey
from reports.strata import StratumView
from reports.table import MainTable


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


def motion_section(found: Findings) -> MotionSection:
    """Return the section of the page."""
    sizes = stratum_sizes(found.run)
    far = next((view for view in found.views if view.stratum == "far"), None)
    return MotionSection(
        sizes=sizes,
        missing=_missing(sizes),
        tables=found.views,
        charts=_chart_pairs(found.cells, found.table, far, found.specs, found.keys) if far else (),
    )


def stratum_sizes(run: Run) -> tuple[StratumSize, ...]:
    """Return how many frames and people are in each stratum."""
    tasks = [task for task in run.tasks.tasks if task.shots == run.tasks.shots[0] and task.draw == 0]
    return tuple(_size(stratum, tasks, run.tasks.strata) for stratum in STRATA)


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
    everywhere = curves(cells, specs, table, keys, beside=far.cells, over="all frames")
    apart = {
        curve.column.metric: curve
        for curve in curves(far.cells, specs, far.table, keys, beside=cells, over="far frames")
    }
    return tuple(
        ChartPair(everywhere=curve, far=apart[curve.column.metric])
        for curve in everywhere
        if curve.column.metric in apart
    )
