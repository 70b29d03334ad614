"""What two runs must have in common before a number of one may stand beside a number of the other."""

from collections.abc import Iterator, Mapping, Sequence

from eval.runs.results import Run
from eval.specs.spec import MetricSpec
from eval.tasks.task_set import TaskSet
from weights.errors import HeadshotError


def shared_specs(runs: Sequence[Run], metrics: Sequence[str] = ()) -> tuple[MetricSpec, ...]:
    """Return the metrics that all runs may be compared by.

    Data set, tasks, and of each metric version and networks must be the same.

    Args:
        runs: At least one.
        metrics: Ids; all metrics of all runs where there are none.

    Raises:
        HeadshotError: The runs cannot be compared; the message says why, all reasons at once.
    """
    first = runs[0]
    wanted = tuple(metrics) or tuple(dict.fromkeys(spec.id for run in runs for spec in run.record.specs))
    reasons = [reason for other in runs[1:] for reason in obstacles(first, other)]
    reasons += [reason for metric in wanted for reason in metric_obstacles(runs, metric)]
    if reasons:
        raise HeadshotError(f"these runs cannot be compared: {'; '.join(dict.fromkeys(reasons))}")
    by_id = {spec.id: spec for spec in first.record.specs}
    return tuple(by_id[metric] for metric in wanted)


def obstacles(one: Run, other: Run) -> Iterator[str]:
    """Yield why no number of the other run may stand beside one of the first: other data, or other tasks."""
    here, there = one.record.dataset, other.record.dataset
    if here.manifest_sha256 != there.manifest_sha256:
        why = f"is over the data set {there.name}, and {one.folder} over {here.name}: benchmark both on one"
    elif here.dataset_sha256 != there.dataset_sha256:
        why = f"is over another preprocessing of {there.name} than {one.folder}: benchmark both on one"
    elif one.record.tasks_sha256 != other.record.tasks_sha256:
        why = f"has other tasks than {one.folder} ({_task_gaps(one.tasks, other.tasks)}): benchmark both with the same"
    else:
        return
    yield f"{other.folder} {why}"


def _task_gaps(one: TaskSet, other: TaskSet) -> str:
    """Say in which settings two sets of tasks differ."""
    parts = {"tasks", "skipped"}
    here, there = (tasks.model_dump(mode="json", exclude=parts) for tasks in (one, other))
    gaps = [f"{name} {there[name]}, not {here[name]}" for name in here if here[name] != there[name]]
    return ", ".join(gaps) or "of the same settings, but from other frames or people"


def metric_obstacles(runs: Sequence[Run], metric: str) -> Iterator[str]:
    """Yield why runs over the same tasks may not be compared by a metric: absent, of other versions or networks."""
    found = {str(run.folder): {spec.id: spec for spec in run.record.specs}.get(metric) for run in runs}
    without = [folder for folder, spec in found.items() if spec is None]
    if without:
        yield (
            f"{' and '.join(without)} {'has' if len(without) == 1 else 'have'} no {metric}: score it again with "
            "`headshot score`, or name other metrics"
        )
        return
    versions = {folder: spec.version for folder, spec in found.items() if spec}
    if len(set(versions.values())) > 1:
        yield f"{metric} is of version {_each(versions)}: bring them to one with `headshot score`"
        return
    networks = {str(run.folder): _networks(run, metric) for run in runs}
    if len(set(networks.values())) > 1:
        yield f"{metric} is over {_each(networks)}: bring them to one profile and file with `headshot score`"


def _networks(run: Run, metric: str) -> str:
    """Return ids and hashes of the networks behind a metric."""
    hashes = {weight.id: weight.sha256[:12] for weight in run.record.weights}
    spec = next(spec for spec in run.record.specs if spec.id == metric)
    return ", ".join(f"{weight} ({hashes.get(weight, 'unknown')})" for weight in spec.weights)


def _each(values: Mapping[str, object]) -> str:
    return " and ".join(f"{value} in {folder}" for folder, value in values.items())
