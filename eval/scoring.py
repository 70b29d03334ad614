"""From predictions to score rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float

from eval.features import FeatureCache, Frames
from eval.metrics.loading import Metrics
from eval.metrics.measured import NO_NEIGHBOUR, TARGET_NO_NEIGHBOUR, Measured, SetMetric
from eval.progress import Progress, ProgressHook
from eval.rendering import predictions
from eval.rendering.render import Outcome
from eval.runs.results import SCORE_SCHEMA
from eval.targets import Targets
from eval.tasks.motion import STRATA, Stratum
from eval.tasks.queries import QueryFrame
from eval.tasks.task_set import Task, TaskSet
from pipeline.store import Store

MEMBER = "member"
"""Status of a frame that counts in a set-level metric."""


@dataclass(slots=True)
class _Set:
    """The features of one system at one number of shots and draw, over all clips: a row for each frame or run."""

    metric: SetMetric
    system: str
    task: Task
    """Any task of the set."""
    generated: list[Float[np.ndarray, "frames width"]] = field(default_factory=list)
    target: list[Float[np.ndarray, "frames width"]] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    strata: list[Stratum] = field(default_factory=list)
    delivered: list[bool] = field(default_factory=list)


def score(
    store: Store,
    tasks: TaskSet,
    outcomes: Mapping[tuple[str, str], Outcome],
    run_dir: Path,
    *,
    metrics: Metrics,
    cache: FeatureCache,
    progress: ProgressHook,
) -> pa.Table:
    """Return the score rows of all systems on all tasks.

    Clips are scored one after the other, so that memory holds the frames of one clip, and its targets are
    read once.

    Args:
        store: Where the target frames are.
        tasks: What was asked for.
        outcomes: What each system delivered on each task, or why it did not.
        run_dir: Folder of the predictions.
        metrics: What to measure.
        cache: Knows the features that were computed before; saved after each clip.
        progress: Told about each scored pair of system and task.
    """
    scorer = _Scorer(metrics, cache)
    systems = list(dict.fromkeys(system for system, _ in outcomes))
    done = 0
    progress(Progress(stage="score", done=0, total=len(outcomes), what=""))
    for group in _by_target(tasks.tasks):
        targets = Targets.load(store, group[0], tasks.size_px)
        for system in systems:
            for task in group:
                outcome = outcomes[system, task.id]
                if isinstance(outcome, str):
                    scorer.add_failure(system, task, targets, outcome)
                else:
                    generated = Frames.of(predictions.load(run_dir, system, task))
                    scorer.add(system, task, targets, generated, outcome.failures)
                done += 1
                what = f"{system} {task.id}"
                progress(Progress(stage="score", done=done, total=len(outcomes), what=what))
        cache.save()
    return scorer.finish()


def _by_target(tasks: Sequence[Task]) -> list[list[Task]]:
    """Group the tasks that ask for the same frames of the same person."""
    groups: dict[tuple[str, tuple[tuple[str, int], ...]], list[Task]] = {}
    for task in tasks:
        groups.setdefault((task.clip, tuple((frame.clip, frame.row) for frame in task.frames)), []).append(task)
    return list(groups.values())


class _Scorer:
    """Collects score rows, and the features of set-level metrics until all clips are in."""

    def __init__(self, metrics: Metrics, cache: FeatureCache) -> None:
        self._metrics, self._cache = metrics, cache
        self._columns: dict[str, list[object]] = {name: [] for name in SCORE_SCHEMA.names}
        self._sets: dict[tuple[str, str, int, int], _Set] = {}

    def add(
        self, system: str, task: Task, targets: Targets, generated: Frames, failures: Mapping[int, str] | None = None
    ) -> None:
        """Score the frames of a task; those that were not delivered, by place, are failures with that reason."""
        failed = failures or {}
        there = [place for place in range(len(targets)) if place not in failed]
        for metric in self._metrics.frame:
            target = targets.of(metric.spec)
            measured = metric.score(generated.take(there), target.take(there), self._cache)
            if failed:
                measured = _among_failures(measured, metric.score(target, target, self._cache), failed)
            self._add_frames(system, task, metric.spec.id, measured)
        for set_metric in self._metrics.over_set:
            self._add_to_set(set_metric, system, task, generated, targets.of(set_metric.spec), failed)

    def add_failure(self, system: str, task: Task, targets: Targets, reason: str) -> None:
        """Record that nothing was delivered; black frames stand in where a set must stay complete."""
        for metric in self._metrics.frame:
            target = targets.of(metric.spec)
            own = metric.score(target, target, self._cache)
            self._add_frames(system, task, metric.spec.id, _failed(own, reason))
        black, failed = targets.black(), dict.fromkeys(range(len(targets)), reason)
        for set_metric in self._metrics.over_set:
            self._add_to_set(set_metric, system, task, black, targets.of(set_metric.spec), failed)

    def finish(self) -> pa.Table:
        """Add the set-level values and return all rows."""
        for members in self._sets.values():
            self._add_distances(members)
        return pa.table(self._columns, schema=SCORE_SCHEMA)

    def _add_frames(self, system: str, task: Task, metric: str, measured: Measured) -> None:
        for frame, value, status in zip(task.frames, measured.values, measured.statuses, strict=True):
            self._add_frame(system, task, frame, metric, value, status)

    def _add_to_set(
        self,
        metric: SetMetric,
        system: str,
        task: Task,
        generated: Frames,
        target: Frames,
        failed: Mapping[int, str],
    ) -> None:
        """Add the members that a task has in a set; frames that are in none, as between runs, have no row."""
        key = (metric.spec.id, system, task.shots, task.draw)
        members = self._sets.setdefault(key, _Set(metric, system, task))
        runs = metric.members.places(target)
        for places in runs.tolist():
            frames = [task.frames[place] for place in places]
            for place, frame in zip(places, frames, strict=True):
                self._add_frame(system, task, frame, metric.spec.id, float("nan"), failed.get(place, MEMBER))
            members.owners.append(task.identity)
            members.strata.append(max((frame.stratum for frame in frames), key=STRATA.index))
            members.delivered.append(failed.keys().isdisjoint(places))
        members.generated.append(self._cache.features(metric.extractor, generated.in_runs(runs)))
        members.target.append(self._cache.features(metric.extractor, target.in_runs(runs)))

    def _add_distances(self, members: _Set) -> None:
        """Add the distances over all members and over those of each stratum that has any."""
        strata = np.array(members.strata)
        self._add_distance(members, np.ones(len(strata), bool), "")
        for stratum in STRATA:
            if (strata == stratum).any():
                self._add_distance(members, strata == stratum, stratum)

    def _add_distance(self, members: _Set, chosen: Bool[np.ndarray, " members"], stratum: str) -> None:
        """Add the distance over the chosen members, over the delivered ones of them, and without each identity."""
        generated, target = np.concatenate(members.generated)[chosen], np.concatenate(members.target)[chosen]
        delivered, owners = np.array(members.delivered)[chosen], np.array(members.owners)[chosen].tolist()
        start, metric = (members.system, members.task.shots, members.task.draw), members.metric

        def add(identity: str, value: float, status: str) -> None:
            self._add_row(*start, identity, "", "", -1, stratum, metric.spec.id, value, status)

        status = metric.members.reliability(len(generated))
        add("", float("nan") if status == "refused" else metric.distance(generated, target), status)
        if not delivered.all():
            enough = metric.members.reliability(int(delivered.sum())) != "refused"
            value = metric.distance(generated[delivered], target[delivered]) if enough else float("nan")
            add("", value, "measured-only")
        if status != "refused":
            for identity, value in metric.without_each(generated, target, owners).items():
                add(identity, value, "leave-one-out")

    def _add_frame(self, system: str, task: Task, frame: QueryFrame, metric: str, value: float, status: str) -> None:
        start = (system, task.shots, task.draw, task.identity, task.clip)
        self._add_row(*start, frame.clip, frame.row, frame.stratum, metric, value, status)

    def _add_row(self, *row: object) -> None:
        for column, value in zip(self._columns.values(), row, strict=True):
            column.append(value)


def _failed(own: Measured, reason: str) -> Measured:
    """Return failures of all frames but those left out for every system: the target's own scores tell which."""
    statuses = tuple(status if _is_left_out(status) else reason for status in own.statuses)
    return Measured(np.full(len(statuses), np.nan), statuses)


def _among_failures(measured: Measured, own: Measured, failures: Mapping[int, str]) -> Measured:
    """Return the measured frames of a task with the failed ones between them, NaN with their reason.

    Args:
        measured: Of the frames that were delivered.
        own: The target's own scores, which tell what is left out for every system.
        failures: Why a frame was not delivered, by place.
    """
    rest = iter(zip(measured.values, measured.statuses, strict=True))
    rows = []
    for place, possible in enumerate(own.statuses):
        value, status = (np.nan, failures[place]) if place in failures else next(rest)
        if _is_left_out(possible):
            value, status = np.nan, possible
        elif status == TARGET_NO_NEIGHBOUR:  # not for every system: this one did not deliver the neighbour
            status = NO_NEIGHBOUR
        rows.append((value, status))
    values, statuses = zip(*rows, strict=True)
    return Measured(np.array(values), statuses)


def _is_left_out(status: str) -> bool:
    """Return whether the target cannot be measured, which says nothing about any system."""
    return status.startswith("target_")
