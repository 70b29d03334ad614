"""The benchmark: every system on every task, scored, recorded, and never computed twice."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from eval.progress import ProgressHook, silent
from eval.rendering.asking import render_at_once
from eval.rendering.references import Reference, render_references
from eval.rendering.render import Outcome, render_missing
from eval.runs import provenance
from eval.runs.recording import record_run
from eval.runs.results import Run, SystemRecord
from eval.specs.spec import MetricSpec
from eval.systems.protocol import AnySystem, BatchSystem
from eval.tasks.task_set import TaskSet
from pipeline.clusters import Cluster
from pipeline.parts import Part
from pipeline.store import Store
from weights.errors import HeadshotError


def benchmark(
    store: Store,
    systems: Sequence[AnySystem],
    tasks: TaskSet,
    run_dir: Path,
    *,
    specs: Sequence[MetricSpec],
    references: Sequence[Reference] = (),
    threads: int | None = None,
    cluster: Cluster | None = None,
    progress: ProgressHook = silent,
    announce: Callable[[str], None] = lambda _: None,
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
        references: Floors and ceilings to show beside the systems (`references.DEFAULT`); those that do not apply to
            the tasks are left out.
        threads: Threads of this process: of networks that render in it, and frames that a metric's network computes
            at the same time. Torch's own choice and the usable cores where absent.
        cluster: Where Dask workers come from that render; None for this process.
        progress: Told how far it is.
        announce: Told where the work can be watched.

    Raises:
        HeadshotError: The tasks belong to another data set, two systems share a name, or a network or the cluster
            cannot be had.
    """
    started = datetime.now(UTC)
    references = [one for one in references if one.applies(tasks)]
    _check(store, systems, tasks, references=references, specs=specs)
    weights = provenance.weight_records(weight_id for spec in specs for weight_id in spec.weights)
    outcomes = {
        **_rendered(store, systems, tasks, run_dir, progress, threads=threads, cluster=cluster, announce=announce),
        **render_references(store, references, tasks, run_dir),
    }
    return record_run(
        store,
        tasks,
        outcomes,
        run_dir,
        systems=[
            *(SystemRecord(name=one.name, title=one.title, config=one.config) for one in systems),
            *(SystemRecord(name=one.name, title=one.title, config=one.config, reference=True) for one in references),
        ],
        specs=specs,
        weights=weights,
        threads=threads,
        started=started,
        progress=progress,
    )


def render_part(
    store: Store,
    systems: Sequence[AnySystem],
    tasks: TaskSet,
    run_dir: Path,
    part: Part,
    *,
    threads: int | None = None,
    cluster: Cluster | None = None,
    progress: ProgressHook = silent,
    announce: Callable[[str], None] = lambda _: None,
) -> Mapping[tuple[str, str], Outcome]:
    """Render a share of the pairs of system and task, beside other runs that do the rest; `benchmark` then scores.

    Args:
        store: The data set that the tasks were made from.
        systems: What to compare; the same in all parts.
        tasks: What to ask of them.
        run_dir: Folder of the run.
        part: Which share.
        threads: As in `benchmark`.
        cluster: As in `benchmark`.
        progress: Told how far it is.
        announce: Told where the work can be watched.

    Returns:
        The outcome for each system name and task id of the part.

    Raises:
        HeadshotError: As in `benchmark`.
    """
    _check(store, systems, tasks)
    return _rendered(
        store, systems, tasks, run_dir, progress, threads=threads, cluster=cluster, part=part, announce=announce
    )


def _rendered(
    store: Store,
    systems: Sequence[AnySystem],
    tasks: TaskSet,
    run_dir: Path,
    progress: ProgressHook,
    *,
    threads: int | None,
    cluster: Cluster | None,
    announce: Callable[[str], None],
    part: Part | None = None,
) -> Mapping[tuple[str, str], Outcome]:
    """Render with systems of both kinds; outcomes are in the order of the systems, whatever their kind.

    Systems that are asked for many tasks at once stay with this process: they have processes of their own, or none.
    """
    one_by_one = [system for system in systems if not isinstance(system, BatchSystem)]
    at_once = [system for system in systems if isinstance(system, BatchSystem)]
    found: dict[tuple[str, str], Outcome] = {}
    if one_by_one:
        with _torch_threads(threads):
            found |= render_missing(
                store, one_by_one, tasks, run_dir, progress, cluster=cluster, part=part, announce=announce
            )
    if at_once:
        found |= render_at_once(store, at_once, tasks, run_dir, progress, part=part)
    pairs = ((system.name, task.id) for task in tasks.tasks for system in systems)
    return {pair: found[pair] for pair in pairs if pair in found}


def _check(
    store: Store,
    systems: Sequence[AnySystem],
    tasks: TaskSet,
    *,
    references: Sequence[Reference] = (),
    specs: Sequence[MetricSpec] = (),
) -> None:
    names = Counter([*(system.name for system in systems), *(reference.name for reference in references)])
    twice = [name for name, count in names.items() if count > 1]
    if twice or not systems:
        raise HeadshotError(f"systems {list(names.elements())}: give at least one, each under a name of its own")
    if tasks.manifest_sha256 != store.info.manifest_sha256:
        raise HeadshotError(
            f"the tasks were made from manifest {tasks.manifest_sha256[:12]}, the data set {store.root} from "
            f"{store.info.manifest_sha256[:12]}; make the tasks anew or open their data set"
        )
    unfit = [spec.id for spec in specs if tasks.across and spec.across is None]
    if unfit:
        raise HeadshotError(
            f"{', '.join(unfit)} compares with the target frame, and where another person drives there is none; choose "
            "metrics with `choose_specs(..., across=True)`"
        )
    for system in systems:
        both = sorted(system.training_identities & set(tasks.identities()))
        if both:
            raise HeadshotError(
                f"{system.name} was trained on {', '.join(both)}, who is among the people under test; "
                "train it without them, or test on others"
            )


@contextmanager
def _torch_threads(count: int | None) -> Iterator[None]:
    """Let torch use this many threads within the block; leave it alone where there is no number."""
    if count is None:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
