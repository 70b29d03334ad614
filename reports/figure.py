"""A picture for a paper or a page: what systems drew of the people under test, at every number of shots."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import UInt8

from eval.metrics.measured import OK
from eval.rendering import predictions
from eval.runs.results import Run
from eval.specs.spec import MetricSpec
from model.disclosure.label import ALTERED, LABEL, DigitalSourceType
from model.disclosure.statement import ALL, Marks, Shown
from model.landmark_map import draw
from model.sample_grid import grid
from pipeline.store import Store
from reports.legend import SystemKey, legend
from weights.errors import HeadshotError

Image = UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """The picture, and what has to be said beside it."""

    picture: Image
    """With its label drawn."""
    shown: Shown | None
    """What its metadata say; None where all that it shows was recorded."""
    caption: str
    credits: tuple[str, ...]
    """Of each clip that is shown: source and terms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """One frame to be drawn: of the support's clip or of another one of the person."""

    clip: str
    query_clip: str
    row: int


def shots_figure(
    run: Run, store: Store, systems: Sequence[str], metric: str, people: Sequence[str] = (), marks: Marks = ALL
) -> Figure:
    """Return the best and the worst frame of each person under test, drawn by each system at each number of shots.

    Columns: the first support frame, the landmark map that drives, the target, then the systems. Best and worst are by
    the mean of the metric over the systems and their numbers of shots, so that nobody chooses the pictures.

    Args:
        run: The finished benchmark.
        store: Its data set.
        systems: Names, in the order of the columns.
        metric: Id of a metric of single frames.
        people: Whom to show; all where empty.
        marks: Whether the label is drawn.

    Raises:
        HeadshotError: The run has no such system, metric or person, or lacks the predictions of a system.
    """
    spec = _spec(run, metric)
    keys = legend([(one.name, one.title) for one in run.record.systems])
    if not systems or any(name not in keys for name in systems):
        raise HeadshotError(f"systems {list(systems)}: choose one or more of those in {run.folder}: {', '.join(keys)}")
    tested = run.tasks.identities()
    if any(person not in tested for person in people):
        raise HeadshotError(f"people {list(people)}: choose of those tested in {run.folder}: {', '.join(tested)}")
    places = _best_and_worst(run, systems, spec, people or tested)
    rows = _rows(run, store, places, systems)
    columns = {title: np.stack([row[title] for row in rows]) for title in rows[0]}
    mark, credited = _mark([keys[name] for name in systems]), _credits(store, places)
    caption = (
        f"Rows: of each person the frame with the best and the one with the worst {spec.title}, by the mean over "
        f"{', '.join(systems)} and {', '.join(map(str, run.tasks.shots))} shots. Columns: first source frame, "
        "driving landmarks, target, then each system with its number of shots."
    )
    return Figure(
        picture=grid(columns, mark if marks.label else ""),
        shown=_shown(mark, f"{caption} {' '.join(credited)}", run, systems) if mark else None,
        caption=caption,
        credits=credited,
    )


def _shown(mark: str, description: str, run: Run, systems: Sequence[str]) -> Shown:
    source_type = DigitalSourceType.ALTERED if mark == ALTERED else DigitalSourceType.COMPOSITE
    made_by = {"run": run.folder.name, "systems": ", ".join(systems)}
    return Shown(description=description, source_type=source_type, label=mark, made_by=made_by)


def _spec(run: Run, metric: str) -> MetricSpec:
    known = {spec.id: spec for spec in run.record.specs if spec.level == "frame"}
    if metric not in known:
        raise HeadshotError(f"metric {metric!r}: choose one of single frames in {run.folder}: {', '.join(known)}")
    return known[metric]


def _best_and_worst(run: Run, systems: Sequence[str], spec: MetricSpec, people: Sequence[str]) -> list[_Place]:
    """Return two frames of each person; a frame that a system failed at counts as in the headline."""
    chosen = (pc.field("metric") == spec.id) & (pc.field("draw") == 0) & pc.field("system").isin(list(systems))
    scores = run.scores.filter(chosen & ~pc.starts_with(pc.field("status").cast(pa.string()), "target_"))
    values = pc.if_else(pc.equal(scores["status"], OK), scores["value"], spec.worst)
    scores = scores.set_column(scores.column_names.index("value"), "value", values)
    means = scores.group_by(["identity", "clip", "query_clip", "frame"]).aggregate([("value", "mean")])
    order = "descending" if spec.higher_is_better else "ascending"
    ranked = means.sort_by([("value_mean", order), ("query_clip", "ascending"), ("frame", "ascending")]).to_pylist()
    places: list[_Place] = []
    for identity in people:
        of_person = [
            _Place(clip=row["clip"], query_clip=row["query_clip"], row=row["frame"])
            for row in ranked
            if row["identity"] == identity
        ]
        places += dict.fromkeys(of_person[:1] + of_person[-1:])
    return places


def _rows(run: Run, store: Store, places: Sequence[_Place], systems: Sequence[str]) -> list[dict[str, Image]]:
    """Return the pictures of each place by the title of their column; a person's predictions are read once."""
    size_px = run.tasks.size_px
    load = lru_cache(maxsize=2 * len(systems) * len(run.tasks.shots))(partial(predictions.load, run.folder))
    rows = []
    for place in places:
        tasks = [task for task in run.tasks.tasks if task.clip == place.clip and task.draw == 0]
        query, first = store.clip(place.query_clip), tasks[0]
        asked = [(frame.clip, frame.row) for frame in first.frames].index((place.query_clip, place.row))
        row: dict[str, Image] = {
            "source": store.frames(store.clip(place.clip), first.support[:1], size_px)[0],
            "driver": draw(store.landmarks(query, [place.row], size_px)[0], size_px),
            "target": store.frames(query, [place.row], size_px)[0],
        }
        rows.append(row | {f"{name} {task.shots}": load(name, task)[asked] for name in systems for task in tasks})
    return rows


def _mark(keys: Sequence[SystemKey]) -> str:
    """Return what is written below the picture: the strongest of what its systems' pictures are."""
    marks = {key.mark for key in keys}
    return next((mark for mark in (LABEL, ALTERED) if mark in marks), "")


def _credits(store: Store, places: Sequence[_Place]) -> tuple[str, ...]:
    shown = dict.fromkeys(key for place in places for key in (place.clip, place.query_clip))
    clips = [store.clip(key) for key in sorted(shown)]
    return tuple(
        f"{clip.key}: {', '.join(part for part in (clip.credit, clip.licence, clip.source_url) if part)}"
        for clip in clips
    )
