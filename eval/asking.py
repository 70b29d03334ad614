"""Systems that are asked for all their tasks at once: what they are told, and what is kept of what they deliver."""

import hashlib
import logging
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from pydantic import JsonValue

from eval import predictions
from eval.predictions import PredictionHeader, PredictionInputs
from eval.progress import Progress, ProgressHook
from eval.rendering import REASON_CHARACTERS, Outcome, TaskInputs
from eval.systems.protocol import Asked, BatchSystem, Delivered
from eval.tasks import Task, TaskSet
from pipeline.store import Store

_LOG = logging.getLogger(__name__)


def render_at_once(
    store: Store, systems: Sequence[BatchSystem], tasks: TaskSet, run_dir: Path, progress: ProgressHook
) -> Mapping[tuple[str, str], Outcome]:
    """Have systems answer every task that has no current and whole prediction, one system after the other.

    A frame that a system does not deliver is a failure of that frame alone. The task is asked again the next time.

    Args:
        store: The data set.
        systems: Whom to ask.
        tasks: What to ask.
        run_dir: Folder that predictions are kept in.
        progress: Told how far it is.

    Returns:
        The outcome for each system name and task id.
    """
    outcomes: dict[tuple[str, str], Outcome] = {}
    total = len(systems) * len(tasks.tasks)
    for system in systems:
        progress(Progress(stage="render", done=len(outcomes), total=total, what=""))
        # Closed at once where this ends early: a program behind it must not live on.
        with closing(outcomes_of(system, store, tasks, tasks.tasks, run_dir)) as answers:
            for task, outcome in answers:
                outcomes[system.name, task.id] = outcome
                progress(Progress(stage="render", done=len(outcomes), total=total, what=f"{system.name} {task.id}"))
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
        key = _prediction_inputs(system.name, config, inputs)
        known = predictions.header(run_dir, system.name, task)
        if known is not None and known.key == key.sha256() and not known.failures:
            yield task, known
        else:
            missing[opaque_id(inputs)] = (task, key)
    if not missing:
        return
    reason = "missing: the system said nothing about this task"
    try:
        for delivered in system.render_all(asked(view, tasks, [task for task, _ in missing.values()])):
            task, key = missing.pop(delivered.id)
            yield task, _kept(delivered, task, key, run_dir)
    except Exception as error:  # as with other systems: whatever it raises costs it the tasks that are left only
        _LOG.warning("%s failed: %s", system.name, error)
        _LOG.debug("where it happened", exc_info=True)
        reason = _one_line(f"system_error: {type(error).__name__}: {error}")
    for task, _ in missing.values():
        yield task, reason


def asked(store: Store, tasks: TaskSet, wanted: Sequence[Task]) -> Iterator[Asked]:
    """Yield tasks as such a system is told them; where driving frames are the frames to be drawn, they are left out."""
    for task in wanted:
        inputs = TaskInputs.load(store, tasks, task)
        yield Asked(id=opaque_id(inputs), support=inputs.support, driving_landmarks=inputs.driving_landmarks)


def opaque_id(inputs: TaskInputs) -> str:
    """Return a name for a task that says nothing about it, and is the same wherever the same is asked."""
    content = f"{inputs.content_sha256()}/{inputs.support.seed}"
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _kept(delivered: Delivered, task: Task, wanted: PredictionInputs, run_dir: Path) -> Outcome:
    """Save what was delivered and return its header, or the commonest reason where that is no frame at all."""
    shape = (len(task.frames), wanted.size_px, wanted.size_px, 3)
    if delivered.frames.dtype != "uint8" or delivered.frames.shape != shape:
        return f"bad_output: delivered {delivered.frames.dtype} {delivered.frames.shape}, wanted uint8 {shape}"
    failures = {place: _one_line(reason) for place, reason in sorted(delivered.failures.items())}
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
        failures=failures,
    )
    predictions.save(run_dir, header, task, delivered.frames)
    return header


def _prediction_inputs(system: str, config: dict[str, JsonValue], inputs: TaskInputs) -> PredictionInputs:
    return PredictionInputs(
        system=system,
        system_config=config,
        task=inputs.task.id,
        task_sha256=inputs.task.sha256(),
        content_sha256=inputs.content_sha256(),
        size_px=inputs.support.size_px,
        seed=inputs.support.seed,
    )


def _one_line(reason: str) -> str:
    """Return a status of one line: scores are grouped by it."""
    return " ".join(reason.split())[:REASON_CHARACTERS]
