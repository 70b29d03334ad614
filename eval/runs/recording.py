"""From what systems delivered to a finished run on disk: the scores, and how they came about."""

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eval.features import FeatureCache
from eval.progress import ProgressHook
from eval.rendering import predictions
from eval.rendering.predictions import PredictionHeader
from eval.rendering.render import Outcome
from eval.runs import provenance
from eval.runs.results import (
    CostRecord,
    DatasetRecord,
    FailureCount,
    Run,
    RunRecord,
    SystemRecord,
    Undelivered,
    WeightRecord,
    held,
)
from eval.specs.spec import MetricSpec
from eval.statistics.panel import is_failure
from eval.tasks.task_set import TaskSet
from pipeline.store import Store
from weights.errors import HeadshotError

SCORING_VERSION = 4
"""Part of the score key; raised when the same predictions and metric versions would give other rows, or when the key is
made otherwise."""


def record_run(
    store: Store,
    tasks: TaskSet,
    outcomes: Mapping[tuple[str, str], Outcome],
    run_dir: Path,
    *,
    systems: Sequence[SystemRecord],
    specs: Sequence[MetricSpec],
    weights: Sequence[WeightRecord],
    threads: int | None,
    started: datetime,
    progress: ProgressHook,
) -> Run:
    """Score what was delivered, write the run, and return it; where it is there already, compute nothing.

    Args:
        store: Where the target frames are.
        tasks: What was asked for.
        outcomes: What each system delivered on each task, or why it did not.
        run_dir: Folder of the run and its predictions.
        systems: Who was asked.
        specs: What to measure.
        weights: The networks behind that.
        threads: Frames that a metric's network computes at the same time; the usable cores where absent.
        started: When the work began.
        progress: Told how far it is.
    """
    dataset = _dataset_record(store)
    key = _score_key(tasks, outcomes, run_dir, specs=specs, weights=weights, dataset_sha256=dataset.dataset_sha256)
    known = _open_current(run_dir, key)
    if known is not None:
        return known
    threads = threads or provenance.usable_cores()
    scores = _score(store, tasks, outcomes, run_dir, specs=specs, threads=threads, progress=progress)
    record = RunRecord(
        score_key=key,
        config={
            "protocol": tasks.protocol,
            "limit": tasks.limit,
            "label": tasks.label,
            "size_px": tasks.size_px,
            "shots": list(tasks.shots),
            "draws": list(tasks.draws),
            "query_frames": tasks.query_frames,
            "threads": threads,
        },
        systems=tuple(systems),
        specs=tuple(specs),
        weights=tuple(weights),
        dataset=dataset,
        tasks_sha256=tasks.sha256(),
        seeds={"tasks": tasks.seed},
        git=provenance.git_revision(),
        python=platform.python_version(),
        packages=provenance.package_versions(),
        hardware=provenance.hardware(),
        failures=count_failures(scores),
        undelivered=tuple(
            Undelivered(system=system, task=task, reason=outcome)
            for (system, task), outcome in outcomes.items()
            if isinstance(outcome, str)
        ),
        cost=_costs(systems, tasks, outcomes),
        started_at=started.isoformat(timespec="seconds"),
        ended_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    run = Run(folder=run_dir, record=record, scores=held(scores), tasks=tasks)
    run.save()
    return run


def _dataset_record(store: Store) -> DatasetRecord:
    """Return what a run says about its data set."""
    return DatasetRecord(
        name=store.info.name,
        title=store.info.title,
        manifest_sha256=store.info.manifest_sha256,
        dataset_sha256=store.sha256,
    )


def _score(
    store: Store,
    tasks: TaskSet,
    outcomes: Mapping[tuple[str, str], Outcome],
    run_dir: Path,
    *,
    specs: Sequence[MetricSpec],
    threads: int,
    progress: ProgressHook,
) -> pa.Table:
    from eval.metrics.loading import load_metrics  # heavy, and not needed where nothing has changed
    from eval.scoring import score

    return score(
        store,
        tasks,
        outcomes,
        run_dir,
        metrics=load_metrics(specs, workers=threads),
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
        else [outcome.key, predictions.images_sha256(run_dir, system, by_id[task])]
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


def count_failures(scores: pa.Table) -> tuple[FailureCount, ...]:
    """Count the frames without a value, by system, shots, metric and reason, in the order of the rows."""
    names = ["system", "shots", "metric", "status"]
    failed = [status for status in pc.unique(scores["status"]).to_pylist() if is_failure(status)]
    rows = scores.select(names).filter(pc.is_in(scores["status"], pa.array(failed, pa.string())))
    counts = rows.group_by(names, use_threads=False).aggregate([([], "count_all")])
    return tuple(
        FailureCount(**{"reason" if name == "status" else name: row[name] for name in names}, frames=row["count_all"])
        for row in counts.to_pylist()
    )


def _costs(
    systems: Sequence[SystemRecord], tasks: TaskSet, outcomes: Mapping[tuple[str, str], Outcome]
) -> tuple[CostRecord, ...]:
    """Say what each system cost at each number of shots, over the tasks it delivered."""
    costs = []
    for system in systems:
        for shots in tasks.shots:
            found = (outcomes[system.name, task.id] for task in tasks.tasks if task.shots == shots)
            headers = [outcome for outcome in found if not isinstance(outcome, str)]
            if headers:
                costs.append(_cost(system.name, shots, headers))
    return tuple(costs)


def _cost(system: str, shots: int, headers: Sequence[PredictionHeader]) -> CostRecord:
    return CostRecord(
        system=system,
        shots=shots,
        tasks=len(headers),
        adaptation_s=_mean([header.adaptation_s for header in headers]),
        frames_per_s=_mean([header.render_fps for header in headers]),
        iterations=_mean([header.iterations for header in headers]),
        parameters=max((one.parameters for one in headers if one.parameters is not None), default=None),
        memory_mib=max((one.memory_mib for one in headers if one.memory_mib is not None), default=None),
        accelerator_mib=max((one.accelerator_mib for one in headers if one.accelerator_mib is not None), default=None),
        machines=tuple(sorted({header.machine for header in headers if header.machine})),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    """Return the mean of what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
