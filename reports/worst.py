"""Worst cases: where each system failed most, metric by metric, at the largest number of shots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.compute as pc

from eval.metrics.measured import OK
from eval.rendering import predictions
from eval.runs.results import Run
from eval.specs.profiles import headline_specs
from eval.specs.spec import MetricSpec
from eval.tasks.task_set import Task
from model.landmark_map import draw
from pipeline.store import Store
from reports.findings import Findings
from reports.gallery import beside, generated_picture
from reports.legend import SystemKey
from reports.media import Media
from reports.numbers import number
from reports.pictures import Picture, picture
from reports.table import Column

FAMILIES = ("lpips", "nme")
"""The metrics whose worst frames are worth looking at: how it looks, and whether it moved."""
CASES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstCase:
    """One frame that went wrong."""

    verdict: str
    """The value, or why there is none."""
    clip: str
    frame: int
    link: str
    """Where the player shows it, if it has the clip."""
    driving: Picture
    target: Picture
    generated: Picture | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstOfSystem:
    """One system's worst frames, the worst first."""

    key: SystemKey
    cases: tuple[WorstCase, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstGallery:
    """One metric's worst frames."""

    column: Column
    shots: int
    systems: tuple[WorstOfSystem, ...]


def worst_section(found: Findings) -> tuple[WorstGallery, ...]:
    """Return the section of the page."""
    return worst_cases(found.run, found.store, found.table.columns, found.keys, found.media)


def worst_cases(
    run: Run, store: Store, columns: Sequence[Column], keys: Mapping[str, SystemKey], media: Media
) -> tuple[WorstGallery, ...]:
    """Return, for perceptual distance and landmark error, each system's worst frame of each of its worst clips.

    Frames that could not be scored because of the system come first; frames whose target could not be measured
    are left out.

    Args:
        run: The finished benchmark.
        store: The data set.
        columns: The metrics' headings.
        keys: The systems, in order.
        media: Where the pictures go.
    """
    shots = max(run.tasks.shots)
    tasks = {task.clip: task for task in run.tasks.tasks if task.shots == shots and task.draw == 0}
    headline = zip(headline_specs(run.record.specs), columns, strict=True)
    shown = [(spec, column) for spec, column in headline if spec.id.split(".")[0] in FAMILIES]
    scores = _that_count(run.scores, [spec for spec, _ in shown], shots)
    galleries = []
    for spec, column in shown:
        systems = []
        for name, key in keys.items():
            ranked = _ranked(scores, spec, name)
            cases = [
                _case(run, store, tasks[one.clip], one, key=key, column=column, media=media) for one in ranked[:CASES]
            ]
            systems.append(WorstOfSystem(key=key, cases=tuple(cases)))
        galleries.append(WorstGallery(column=column, shots=shots, systems=tuple(systems)))
    return tuple(galleries)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ScoredFrame:
    """What a score row says of one frame."""

    clip: str
    query_clip: str
    frame: int
    value: float
    status: str


def _that_count(scores: pa.Table, specs: Sequence[MetricSpec], shots: int) -> pa.Table:
    """Return the rows that worst frames are chosen from: these metrics, all systems."""
    metric = pc.field("metric")
    chosen = reduce(or_, [metric == spec.id for spec in specs], pc.scalar(False)) & (pc.field("shots") == shots)
    frames = (pc.field("draw") == 0) & ~pc.starts_with(pc.field("status").cast(pa.string()), "target_")
    return scores.filter(chosen & frames)


def _ranked(scores: pa.Table, spec: MetricSpec, system: str) -> list[_ScoredFrame]:
    """Return the worst frame of each clip, the worst clip first."""
    chosen = (pc.field("metric") == spec.id) & (pc.field("system") == system)
    columns = ["clip", "query_clip", "frame", "value", "status"]
    scored = [_ScoredFrame(**row) for row in scores.filter(chosen).select(columns).to_pylist()]
    sign = 1 if spec.higher_is_better else -1
    scored.sort(key=lambda one: (one.status == OK, sign * one.value if one.status == OK else 0.0))
    worst_of_clip: dict[str, _ScoredFrame] = {}
    for one in scored:
        worst_of_clip.setdefault(one.clip, one)
    return list(worst_of_clip.values())


def _case(
    run: Run, store: Store, task: Task, scored: _ScoredFrame, *, key: SystemKey, column: Column, media: Media
) -> WorstCase:
    size_px, clip = run.tasks.size_px, store.clip(scored.query_clip)
    about = f"{task.identity}, frame {scored.frame}"
    map_of_driver = draw(store.landmarks(clip, [scored.frame], size_px)[0], size_px)
    generated = None
    if predictions.header(run.folder, key.name, task) is not None:
        places = [(frame.clip, frame.row) for frame in task.frames]
        place = places.index((scored.query_clip, scored.frame))
        image = predictions.load(run.folder, key.name, task, [place])[0]
        generated = generated_picture(image, key, task.shots, about, media)
    return WorstCase(
        verdict=number(scored.value, column.places) if scored.status == OK else scored.status.replace("_", " "),
        clip=scored.query_clip,
        frame=scored.frame,
        link=_link(task, scored, key, column),
        driving=picture(map_of_driver, f"landmark map of {about}", media),
        target=picture(store.frames(clip, [scored.frame], size_px)[0], f"{beside(task)}, {about}", media),
        generated=generated,
    )


def _link(task: Task, scored: _ScoredFrame, key: SystemKey, column: Column) -> str:
    elsewhere = {"of": scored.query_clip} if scored.query_clip != task.clip else {}
    place = {"clip": task.clip, "frame": scored.frame, **elsewhere, "shots": task.shots, "system": key.name}
    return f"#{urlencode({**place, 'metric': column.metric}, safe='/@')}"
