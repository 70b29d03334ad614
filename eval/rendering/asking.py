"""Systems that are asked for all their tasks at once: what they are told, and what is kept of what they deliver."""

import hashlib
import logging
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from eval.progress import Progress, ProgressHook
from eval.rendering import predictions
from eval.rendering.predictions import PredictionHeader, PredictionInputs
from eval.rendering.render import Outcome, TaskInputs, failure, one_line, share
from eval.systems.protocol import Asked, BatchSystem, Delivered
from eval.tasks.queries import target_frames
from eval.tasks.task_set import Task, TaskSet
from pipeline.parts import Part
from pipeline.store import Store

_LOG = logging.getLogger(__name__)
_Place = tuple[str, int]
"""Clip key and row."""


def render_at_once(
    store: Store,
    systems: Sequence[BatchSystem],
    tasks: TaskSet,
    run_dir: Path,
    progress: ProgressHook,
    *,
    part: Part | None = None,
) -> Mapping[tuple[str, str], Outcome]:
    """Have systems answer every task that has no current and whole prediction, one system after the other.

    A frame that a system does not deliver is a failure of that frame alone. The task is asked again the next time.

    Args:
        store: The data set.
        systems: Whom to ask.
        tasks: What to ask.
        run_dir: Folder that predictions are kept in.
        progress: Told how far it is.
        part: Only this share of the pairs.

    Returns:
        The outcome for each system name and task id.
    """
    outcomes: dict[tuple[str, str], Outcome] = {}
    wanted = share(systems, tasks, part)
    for system in systems:
        progress(Progress(stage="render", done=len(outcomes), total=len(wanted), what=""))
        # Closed at once where this ends early: a program behind it must not live on.
        own = [task for task in tasks.tasks if (system.name, task.id) in wanted]
        with closing(outcomes_of(system, store, tasks, own, run_dir)) as answers:
            for task, outcome in answers:
                outcomes[system.name, task.id] = outcome
                progress(
                    Progress(stage="render", done=len(outcomes), total=len(wanted), what=f"{system.name} {task.id}")
                )
    return outcomes


def outcomes_of(
    system: BatchSystem, store: Store, tasks: TaskSet, wanted: Sequence[Task], run_dir: Path
) -> Generator[tuple[Task, Outcome], None, None]:
    """Yield what became of each of some tasks: first of those that are there already.

    The frames of a task are read twice, once to see whether anything has changed and once when the system wants them,
    so that memory holds those of one task.
    """
    view = store.with_irises() if getattr(system, "gaze", False) else store
    config = system.config
    missing: dict[str, tuple[Task, PredictionInputs]] = {}
    for task in wanted:
        inputs = TaskInputs.load(view, tasks, task)
        key = inputs.of_system(system.name, config, inputs.content_sha256())
        known = predictions.header(run_dir, system.name, task)
        if known is not None and known.key == key.sha256() and not known.failures:
            yield task, known
        else:
            missing[opaque_id(inputs)] = (task, key)
    if not missing:
        return
    reason = "missing: the system said nothing about this task"
    try:
        for group in apart([task for task, _ in missing.values()]):
            for delivered in system.render_all(asked(view, tasks, group)):
                task, key = missing.pop(delivered.id)
                yield task, _kept(delivered, task, key, run_dir)
    except Exception as error:  # as with other systems: whatever it raises costs it the tasks that are left only
        _LOG.warning("%s failed: %s", system.name, error)
        _LOG.debug("where it happened", exc_info=True)
        reason = failure("system_error", f"{type(error).__name__}: {error}")
    for task, _ in missing.values():
        yield task, reason


def asked(store: Store, tasks: TaskSet, wanted: Sequence[Task]) -> Iterator[Asked]:
    """Yield tasks as such a system is told them.

    Driving frames are among that only where another person drives; else they are the answer.
    """
    for task in wanted:
        inputs = TaskInputs.load(store, tasks, task)
        yield Asked(
            id=opaque_id(inputs),
            support=inputs.support,
            driving_landmarks=inputs.driving_landmarks,
            driving_frames=target_frames(store, task.queries, tasks.size_px) if task.driver is not None else None,
        )


def apart(tasks: Sequence[Task]) -> list[list[Task]]:
    """Return tasks in a few groups, in none of which a task shows a frame that another one is measured against.

    A person's frames to be drawn also come from their other clips, whose own tasks show them as support. And where
    people drive each other, the driving frames of one task are real frames of the person in another.
    """
    groups: list[tuple[list[Task], set[_Place], set[_Place]]] = []
    for task in tasks:
        queries = {(frame.clip, frame.row) for frame in task.frames}
        real = {(query.clip, row) for query in task.real for row in query.rows}
        shown = {(task.clip, row) for row in task.support} | (set() if task.driver is None else queries)
        answers = queries if task.driver is None else real
        for members, told, kept in groups:
            if not shown & kept and not answers & told:
                members.append(task)
                told.update(shown)
                kept.update(answers)
                break
        else:
            groups.append(([task], shown, answers))
    return [members for members, _, _ in groups]


def opaque_id(inputs: TaskInputs) -> str:
    """Return a name for a task that says nothing about it, and is the same wherever the same is asked."""
    content = f"{inputs.content_sha256()}/{inputs.support.seed}"
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _kept(delivered: Delivered, task: Task, wanted: PredictionInputs, run_dir: Path) -> Outcome:
    """Save what was delivered and return its header, or the commonest reason where that is no frame at all."""
    shape = (len(task.frames), wanted.size_px, wanted.size_px, 3)
    if delivered.frames.dtype != "uint8" or delivered.frames.shape != shape:
        what = f"delivered {delivered.frames.dtype} {delivered.frames.shape}, wanted uint8 {shape}"
        return failure("bad_output", what)
    failures = {place: one_line(reason) for place, reason in sorted(delivered.failures.items())}
    if failures:
        reason, count = Counter(failures.values()).most_common(1)[0]
        _LOG.warning("%s on %s: %d frames failed, %d of them: %s", wanted.system, task.id, len(failures), count, reason)
        if len(failures) == len(task.frames):
            return reason
    header = PredictionHeader(
        key=wanted.sha256(),
        inputs=wanted,
        adaptation_s=delivered.cost.adaptation_s,
        render_fps=delivered.cost.render_fps,
        memory_mib=None if (peak := delivered.cost.peak_memory_bytes) is None else round(peak / 2**20, 1),
        failures=failures,
    )
    predictions.save(run_dir, header, task, delivered.frames)
    return header
