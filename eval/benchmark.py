"""The benchmark: every system on every task, scored, recorded, and never computed twice."""

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from eval import predictions, provenance
from eval.asking import render_at_once
from eval.features import FeatureCache
from eval.progress import ProgressHook, silent
from eval.rendering import Outcome, render_missing
from eval.results import (
    CostRecord,
    DatasetRecord,
    FailureCount,
    Run,
    RunRecord,
    SystemRecord,
    WeightRecord,
)
from eval.specs.spec import MetricSpec
from eval.statistics import is_failure
from eval.systems.protocol import AnySystem, BatchSystem
from eval.tasks import TaskSet
from pipeline.store import Store
from weights.errors import HeadshotError
from weights.files import sha256_of

SCORING_VERSION = 2
"""Part of the score key; raised when the same predictions and metric versions would give other rows."""


def benchmark(
    store: Store,
    systems: Sequence[AnySystem],
    tasks: TaskSet,
    run_dir: Path,
    *,
    specs: Sequence[MetricSpec],
    workers: int | None = None,
    progress: ProgressHook = silent,
) -> Run:
    """Render what is missing, score it, and return the run.

    Everything is kept in `run_dir` under a key of what it depends on. A run that was interrupted goes on
    where it was; a repeated one returns what is there. A system that raises on a task loses the frames of
    that task, is tried again the next time, and holds up nobody else.

    Args:
        store: The data set that the tasks were made from.
        systems: What to compare.
        tasks: What to ask of them.
        run_dir: Folder of the run.
        specs: What to measure.
        workers: Frames that a metric's network computes at the same time; the usable cores where absent.
        progress: Told how far it is.

    Raises:
        HeadshotError: The tasks belong to another data set, two systems share a name, or a network cannot be
            had.
    """
    started = datetime.now(UTC)
    _check(store, systems, tasks)
    workers = workers or provenance.usable_cores()
    weights = provenance.weight_records(weight_id for spec in specs for weight_id in spec.weights)
    outcomes = _outcomes(store, systems, tasks, run_dir, progress)
    dataset = _dataset_record(store)
    key = _score_key(tasks, outcomes, run_dir, specs=specs, weights=weights, dataset_sha256=dataset.dataset_sha256)
    known = _open_current(run_dir, key)
    if known is not None:
        return known
    scores = _score(store, tasks, outcomes, run_dir, specs=specs, workers=workers, progress=progress)
    record = RunRecord(
        score_key=key,
        config={
            "size_px": tasks.size_px,
            "shots": list(tasks.shots),
            "draws": tasks.draws,
            "query_frames": tasks.query_frames,
            "workers": workers,
        },
        systems=tuple(SystemRecord(name=one.name, title=one.title, config=one.config) for one in systems),
        specs=tuple(specs),
        weights=weights,
        dataset=dataset,
        tasks_sha256=tasks.sha256(),
        seeds={"tasks": tasks.seed},
        git=provenance.git_revision(),
        python=platform.python_version(),
        packages=provenance.package_versions(),
        hardware=provenance.hardware(),
        failures=_count_failures(scores),
        cost=_costs(systems, tasks, outcomes),
        started_at=started.isoformat(timespec="seconds"),
        ended_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    run = Run(folder=run_dir, record=record, scores=scores, tasks=tasks)
    run.save()
    return run


def _check(store: Store, systems: Sequence[AnySystem], tasks: TaskSet) -> None:
    names = Counter(system.name for system in systems)
    twice = [name for name, count in names.items() if count > 1]
    if twice or not systems:
        raise HeadshotError(f"systems {list(names.elements())}: give at least one, each under a name of its own")
    if tasks.manifest_sha256 != store.info.manifest_sha256:
        raise HeadshotError(
            f"the tasks were made from manifest {tasks.manifest_sha256[:12]}, the data set {store.root} from "
            f"{store.info.manifest_sha256[:12]}; make the tasks anew or open their data set"
        )
    for system in systems:
        both = sorted(system.training_identities & set(tasks.identities()))
        if both:
            raise HeadshotError(
                f"{system.name} was trained on {', '.join(both)}, who is among the people under test; "
                "train it without them, or test on others"
            )


def _outcomes(
    store: Store, systems: Sequence[AnySystem], tasks: TaskSet, run_dir: Path, progress: ProgressHook
) -> Mapping[tuple[str, str], Outcome]:
    """Render with systems of both kinds; outcomes are in the order of the systems, whatever their kind."""
    one_by_one = [system for system in systems if not isinstance(system, BatchSystem)]
    at_once = [system for system in systems if isinstance(system, BatchSystem)]
    found = {
        **(render_missing(store, one_by_one, tasks, run_dir, progress) if one_by_one else {}),
        **(render_at_once(store, at_once, tasks, run_dir, progress) if at_once else {}),
    }
    return {pair: found[pair] for pair in ((system.name, task.id) for task in tasks.tasks for system in systems)}


def _score(
    store: Store,
    tasks: TaskSet,
    outcomes: Mapping[tuple[str, str], Outcome],
    run_dir: Path,
    *,
    specs: Sequence[MetricSpec],
    workers: int,
    progress: ProgressHook,
) -> pa.Table:
    from eval.metrics.loading import load_metrics  # heavy, and not needed where nothing has changed
    from eval.scoring import score

    return score(
        store,
        tasks,
        outcomes,
        run_dir,
        metrics=load_metrics(specs, workers=workers),
        cache=FeatureCache(run_dir / "features"),
        progress=progress,
    )


def _score_key(
    tasks: TaskSet,
    outcomes: Mapping[tuple[str, str], Outcome],
    run_dir: Path,
    *,
    specs: Sequence[MetricSpec],
    weights: Sequence[WeightRecord],
    dataset_sha256: str,
) -> str:
    """Return the hash of everything that the score rows depend on, the bytes of the predictions included."""
    by_id = {task.id: task for task in tasks.tasks}
    delivered = {
        f"{system} {task}": outcome
        if isinstance(outcome, str)
        else sha256_of(predictions.path_of(run_dir, system, by_id[task]))
        for (system, task), outcome in outcomes.items()
    }
    parts = {
        "version": SCORING_VERSION,
        "tasks": tasks.sha256(),
        "dataset": dataset_sha256,
        "delivered": delivered,
        "specs": [spec.model_dump(mode="json") for spec in specs],
        "weights": {weight.id: weight.sha256 for weight in weights},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _open_current(run_dir: Path, key: str) -> Run | None:
    """Return the finished run in the folder if it is the one that would be computed."""
    try:
        run = Run.open(run_dir)
    except HeadshotError:
        return None
    return run if run.record.score_key == key else None


def _dataset_record(store: Store) -> DatasetRecord:
    return DatasetRecord(
        name=store.info.name,
        title=store.info.title,
        manifest_sha256=store.info.manifest_sha256,
        dataset_sha256=store.sha256,
    )


def _count_failures(scores: pa.Table) -> tuple[FailureCount, ...]:
    """Count the frames without a value, by system, shots, metric and reason."""
    columns = (scores[name].to_pylist() for name in ("system", "shots", "metric", "status"))
    counts = Counter(row for row in zip(*columns, strict=True) if is_failure(row[-1]))
    return tuple(
        FailureCount(system=system, shots=shots, metric=metric, reason=reason, frames=frames)
        for (system, shots, metric, reason), frames in counts.items()
    )


def _costs(
    systems: Sequence[AnySystem], tasks: TaskSet, outcomes: Mapping[tuple[str, str], Outcome]
) -> tuple[CostRecord, ...]:
    """Average what each system cost at each number of shots, over the tasks it delivered."""
    costs = []
    for system in systems:
        for shots in tasks.shots:
            found = (outcomes[system.name, task.id] for task in tasks.tasks if task.shots == shots)
            headers = [outcome for outcome in found if not isinstance(outcome, str)]
            if headers:
                costs.append(
                    CostRecord(
                        system=system.name,
                        shots=shots,
                        tasks=len(headers),
                        adaptation_s=_mean([header.adaptation_s for header in headers]),
                        frames_per_s=_mean([header.render_fps for header in headers]),
                        iterations=_mean([header.iterations for header in headers]),
                    )
                )
    return tuple(costs)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
