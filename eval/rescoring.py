"""Score a run again from its predictions: other metrics or versions, nothing rendered, no checkpoint needed."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from eval.progress import ProgressHook, silent
from eval.rendering import predictions
from eval.rendering.render import Outcome
from eval.runs import provenance
from eval.runs.recording import record_run
from eval.runs.results import Run
from eval.specs.across import NME_MOVEMENT
from eval.specs.profiles import SPECS
from eval.specs.spec import MetricSpec
from eval.tasks.task_set import Task
from pipeline.store import Store
from weights.errors import HeadshotError


def rescore(
    run_dir: Path,
    store: Store,
    specs: Sequence[MetricSpec] | None = None,
    *,
    threads: int | None = None,
    progress: ProgressHook = silent,
) -> Run:
    """Score what is on disk and replace scores and record of the run; where nothing would change, compute nothing.

    Args:
        run_dir: Folder of a finished benchmark.
        store: The data set it ran on.
        specs: What to measure; the metrics of the run, in the versions of this code, where absent.
        threads: Frames that a metric's network computes at the same time; the usable cores where absent.
        progress: Told how far it is.

    Raises:
        HeadshotError: The run is not finished, the data set is another one, a prediction is gone or is not the one of
            the run, or a network cannot be had.
    """
    started = datetime.now(UTC)
    run = Run.open(run_dir)
    was = run.record.dataset
    if store.sha256 != was.dataset_sha256:
        raise HeadshotError(
            f"{run_dir} was run on {was.name} ({was.dataset_sha256[:12]}), but {store.root} holds {store.info.name} "
            f"({store.sha256[:12]}): give the data set of the run, or run the benchmark again"
        )
    specs = current_specs(run.record.specs) if specs is None else specs
    return record_run(
        store,
        run.tasks,
        dict(_outcomes(run)),
        run_dir,
        systems=run.record.systems,
        specs=specs,
        weights=provenance.weight_records(weight_id for spec in specs for weight_id in spec.weights),
        threads=threads,
        started=started,
        progress=progress,
    )


def current_specs(recorded: Sequence[MetricSpec]) -> tuple[MetricSpec, ...]:
    """Return recorded metrics, over the same networks, in the versions of this code.

    Raises:
        HeadshotError: This code has no such metric.
    """
    known = {(spec.id, spec.weights): spec for specs in SPECS.values() for spec in (*specs, NME_MOVEMENT)}
    gone = [spec.id for spec in recorded if (spec.id, spec.weights) not in known]
    if gone:
        raise HeadshotError(
            f"the run has the metric {', '.join(gone)}, which this version cannot compute; choose a profile instead"
        )
    return tuple(known[spec.id, spec.weights].model_copy(update={"tier": spec.tier}) for spec in recorded)


def _outcomes(run: Run) -> Iterator[tuple[tuple[str, str], Outcome]]:
    """Yield what each system delivered on each task, or why it did not, in the order of rendering."""
    lost = {(one.system, one.task): one.reason for one in run.record.undelivered}
    configs = {system.name: system.config for system in run.record.systems}
    for task in run.tasks.tasks:
        for name, config in configs.items():
            header = predictions.header(run.folder, name, task)
            if header is not None and header.inputs.system_config == config and _is_of(header, task):
                yield (name, task.id), header
            elif (name, task.id) in lost:
                yield (name, task.id), lost[name, task.id]
            else:
                what = "is of another system or task" if header else "is missing or cannot be read"
                raise HeadshotError(
                    f"{run.folder}: the prediction of {name} for {task.id} {what}, so the run cannot be scored again; "
                    "run the benchmark, which renders what is not there"
                )


def _is_of(header: predictions.PredictionHeader, task: Task) -> bool:
    return header.inputs.task_sha256 == task.sha256() and header.key == header.inputs.sha256()
