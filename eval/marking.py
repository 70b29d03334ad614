"""What the marks of published media would do to the scores, if marked frames were scored; they never are."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float, UInt8
from pydantic import ValidationError

from eval.features import FeatureCache, Frames
from eval.metrics.loading import can_load, load_metrics
from eval.metrics.members import FRAMES as OF_FRAMES
from eval.rendering import predictions
from eval.runs.results import MARKING_FILE, Run
from eval.specs.spec import MetricSpec
from eval.targets import Targets
from eval.tasks.task_set import Task
from model.disclosure import watermark
from model.disclosure.label import label
from pipeline.store import Store
from weights.fetch import available
from weights.files import publish_text
from weights.record import Record

FRAMES = OF_FRAMES.refused_below
"""Frames that are marked and measured: enough for a Frechet distance, few enough for seconds."""
FAMILIES = ("psnr", "ssim", "lpips", "csim", "fd", "fid")
"""Of each family the run's first metric."""


class MarkedValue(Record):
    """The mean of one metric over the same frames, marked in three ways."""

    metric: str
    frames: int
    """That could be measured in each of the three ways."""
    plain: float
    """As they are scored."""
    watermarked: float
    labelled: float
    """With the watermark, and the label in the corner as on a video."""


class MarkingEffect(Record):
    """`marking.json`, beside the scores of a run."""

    schema_version: Literal[1] = 1
    score_key: str
    """Of the scores that it stands beside."""
    watermark: str
    """What was measured, so that another watermark is measured again."""
    systems: tuple[str, ...]
    """Whose frames."""
    frames: int
    values: tuple[MarkedValue, ...]
    unmeasured: tuple[str, ...]
    """Metrics whose networks are not on this machine."""


def known_effect(run: Run) -> MarkingEffect | None:
    """Return what was measured for these scores, None where nothing was."""
    try:
        found = MarkingEffect.model_validate_json((run.folder / MARKING_FILE).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return found if (found.score_key, found.watermark) == (run.record.score_key, watermark.VERSION) else None


def marking_effect(run: Run, store: Store, systems: Sequence[str]) -> MarkingEffect:
    """Return what marks do to the scores of some frames; measured once, and kept beside the run.

    The frames are spread over systems and tasks with the most shots. What the run's features know of the unmarked
    ones is not computed again.

    Args:
        run: A finished benchmark of self-reenactment.
        store: Its data set.
        systems: Those whose frames are marked when they are published.
    """
    if (known := known_effect(run)) is not None:
        return known
    specs = _one_of_each(run.record.specs)
    here = tuple(spec for spec in specs if _networks_are_here(spec))
    generated, targets = _sample(run, store, systems)
    values = _measured(here, generated, targets, run.folder / "features") if len(targets) else ()
    effect = MarkingEffect(
        score_key=run.record.score_key,
        watermark=watermark.VERSION,
        systems=tuple(systems),
        frames=len(targets),
        values=tuple(values),
        unmeasured=tuple(spec.id for spec in specs if spec not in here),
    )
    publish_text(run.folder / MARKING_FILE, effect.model_dump_json(indent=1) + "\n")
    return effect


def _one_of_each(specs: Sequence[MetricSpec]) -> tuple[MetricSpec, ...]:
    first: dict[str, MetricSpec] = {}
    for spec in specs:
        if "@" not in spec.id and can_load(spec):
            first.setdefault(spec.id.split(".")[0], spec)
    return tuple(first[family] for family in FAMILIES if family in first)


def _networks_are_here(spec: MetricSpec) -> bool:
    return all(available(name) is not None for name in spec.weights)


def _sample(run: Run, store: Store, systems: Sequence[str]) -> tuple[Frames, Frames]:
    """Return frames at the most shots, spread evenly over everything the systems delivered, and their targets."""
    shots, size_px = max(run.tasks.shots), run.tasks.size_px
    delivered = [
        (name, task, place)
        for name in systems
        for task in run.tasks.tasks
        if task.shots == shots and task.draw == 0 and (header := predictions.header(run.folder, name, task)) is not None
        for place in range(len(task.frames))
        if place not in header.failures
    ]
    chosen = np.linspace(0, len(delivered) - 1, min(FRAMES, len(delivered))).round().astype(int)
    places: dict[tuple[str, str], list[int]] = {}
    tasks: dict[str, Task] = {}
    for name, task, place in (delivered[number] for number in chosen):
        tasks[task.id] = task
        places.setdefault((name, task.id), []).append(place)
    generated, targets = [np.zeros((0, size_px, size_px, 3), np.uint8)], [np.zeros((0, size_px, size_px, 3), np.uint8)]
    for (name, task_id), of_task in places.items():
        generated.append(predictions.load(run.folder, name, tasks[task_id])[of_task])
        targets.append(Targets.load(store, tasks[task_id], size_px).drawn.pixels[of_task])
    return Frames.of(np.concatenate(generated)), Frames.of(np.concatenate(targets))


def _measured(specs: Sequence[MetricSpec], plain: Frames, target: Frames, features: Path) -> Iterator[MarkedValue]:
    """Yield each metric of the frames as they are, watermarked, and labelled, too."""
    labelled = [label(frame) for frame in plain.pixels]
    ways = (plain, _watermarked(plain.pixels), _watermarked(labelled))
    metrics, cache = load_metrics(specs), FeatureCache(features)  # which is read, and not saved
    for metric in metrics.frame:
        values = np.stack([metric.score(way, target, cache).values for way in ways])
        there = np.isfinite(values).all(axis=0)
        if there.any():
            yield _value(metric.spec, int(there.sum()), values[:, there].mean(axis=1))
    for over_set in metrics.over_set:
        if OF_FRAMES.reliability(len(target)) != "refused":
            real, *made = (cache.features(over_set.extractor, frames) for frames in (target, *ways))
            yield _value(over_set.spec, len(target), [over_set.distance(one, real) for one in made])


def _watermarked(frames: Iterable[UInt8[np.ndarray, "size size 3"]]) -> Frames:
    return Frames.of(np.stack([watermark.embed(frame) for frame in frames]))


def _value(spec: MetricSpec, frames: int, values: Sequence[float] | Float[np.ndarray, " ways"]) -> MarkedValue:
    plain, watermarked, labelled = map(float, values)
    return MarkedValue(metric=spec.id, frames=frames, plain=plain, watermarked=watermarked, labelled=labelled)
