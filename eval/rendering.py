"""Systems at work: what they are given, what they deliver, and what happens when they do not."""

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from pydantic import JsonValue

from eval import predictions
from eval.predictions import PredictionHeader, PredictionInputs
from eval.progress import Progress, ProgressHook
from eval.queries import driving_landmarks
from eval.systems.protocol import AnySystem, Asked, BatchSystem, Delivered, Support, System
from eval.tasks import Task, TaskSet
from pipeline.store import Store

_LOG = logging.getLogger(__name__)
REASON_CHARACTERS = 200
Outcome = PredictionHeader | str
"""The header of a prediction, or the reason why there is none."""


class BadOutputError(ValueError):
    """A system delivered something else than the frames it was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskInputs:
    """A task with its data: all that a system is told."""

    task: Task
    support: Support
    driving_landmarks: Float[np.ndarray, "frames points 2"]

    @classmethod
    def load(cls, store: Store, tasks: TaskSet, task: Task) -> "TaskInputs":
        """Read the frames and landmarks of a task at the size of the task set."""
        rows, clip = np.array(task.support), store.clip(task.clip)
        doubled_px = 2 * tasks.size_px
        support = Support(
            frames=store.frames(clip, rows, tasks.size_px),
            landmarks=store.landmarks(clip, rows, tasks.size_px),
            size_px=tasks.size_px,
            seed=int.from_bytes(hashlib.sha256(f"{tasks.seed}/{task.id}".encode()).digest()[:4], "little"),
            frames_2x=store.frames(clip, rows, doubled_px) if store.info.config.size_px >= doubled_px else None,
        )
        driving = driving_landmarks(store, task.queries, tasks.size_px)
        return cls(task=task, support=support, driving_landmarks=driving)

    def content_sha256(self) -> str:
        """Return the hash of the frames and landmarks."""
        digest = hashlib.sha256()
        arrays = [self.support.frames, self.support.landmarks, self.driving_landmarks]
        for array in arrays if self.support.frames_2x is None else [*arrays, self.support.frames_2x]:
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def wanted(self, system: str, config: dict[str, JsonValue], content_sha256: str) -> PredictionInputs:
        """Return what fixes the prediction of a system for this task."""
        return PredictionInputs(
            system=system,
            system_config=config,
            task=self.task.id,
            task_sha256=self.task.sha256(),
            content_sha256=content_sha256,
            size_px=self.support.size_px,
            seed=self.support.seed,
        )


def render_missing(
    store: Store,
    systems: Sequence[AnySystem],
    tasks: TaskSet,
    run_dir: Path,
    progress: ProgressHook,
) -> Mapping[tuple[str, str], Outcome]:
    """Render every pair of system and task that has no current prediction.

    A system that raises, or that delivers something else than it was asked for, loses this task and nothing
    else. A system that is asked for all tasks at once may lose single frames.

    Returns:
        The outcome for each system name and task id.
    """
    one_by_one = [system for system in systems if not isinstance(system, BatchSystem)]
    at_once = [system for system in systems if isinstance(system, BatchSystem)]
    configs = {system.name: system.config for system in systems}
    views = {gaze: store.with_irises() if gaze else store for gaze in map(_has_gaze, one_by_one)}
    outcomes: dict[tuple[str, str], Outcome] = {}
    total = len(systems) * len(tasks.tasks)
    progress(Progress(stage="render", done=0, total=total, what=""))
    for task in tasks.tasks if one_by_one else ():
        seen = {gaze: TaskInputs.load(view, tasks, task) for gaze, view in views.items()}
        sha256 = {gaze: inputs.content_sha256() for gaze, inputs in seen.items()}
        for system in one_by_one:
            gaze = _has_gaze(system)
            inputs = seen[gaze]
            wanted = inputs.wanted(system.name, configs[system.name], sha256[gaze])
            outcomes[system.name, task.id] = _outcome(system, inputs, wanted, run_dir)
            what = f"{system.name} {task.id}"
            progress(Progress(stage="render", done=len(outcomes), total=total, what=what))
    for batch in at_once:
        # Closed at once where this ends early: a program behind it must not live on.
        with closing(_outcomes_at_once(batch, configs[batch.name], store, tasks, run_dir)) as ended:
            for task, outcome in ended:
                outcomes[batch.name, task.id] = outcome
                what = f"{batch.name} {task.id}"
                progress(Progress(stage="render", done=len(outcomes), total=total, what=what))
    return {pair: outcomes[pair] for pair in ((one.name, task.id) for one in systems for task in tasks.tasks)}


def _outcome(system: System, inputs: TaskInputs, wanted: PredictionInputs, run_dir: Path) -> Outcome:
    known = _current(wanted, inputs.task, run_dir)
    if known is not None:
        return known
    try:
        frames, header = _render(system, inputs, wanted)
    except BadOutputError as error:
        _LOG.warning("%s on %s: %s", system.name, inputs.task.id, error)
        return _reason("bad_output", str(error))
    except Exception as error:  # a system is somebody else's code: whatever it raises costs it this task only
        _LOG.warning("%s failed on %s: %s", system.name, inputs.task.id, error)
        _LOG.debug("where it happened", exc_info=True)
        return _reason("system_error", f"{type(error).__name__}: {error}")
    predictions.save(run_dir, header, inputs.task, frames)
    return header


def _render(
    system: System, inputs: TaskInputs, wanted: PredictionInputs
) -> tuple[UInt8[np.ndarray, "frames size size 3"], PredictionHeader]:
    start = time.perf_counter()
    head = system.adapt(inputs.support)
    adapted = time.perf_counter()
    frames = head.render(inputs.driving_landmarks)
    rendered = time.perf_counter()
    size, count = inputs.support.size_px, len(inputs.driving_landmarks)
    _check(frames, (count, size, size, 3))
    header = PredictionHeader(
        key=wanted.sha256(),
        inputs=wanted,
        adaptation_s=adapted - start,
        render_fps=count / max(rendered - adapted, 1e-9),
        iterations=getattr(head, "iterations", None),
    )
    return frames, header


def _outcomes_at_once(
    system: BatchSystem, config: dict[str, JsonValue], store: Store, tasks: TaskSet, run_dir: Path
) -> Generator[tuple[Task, Outcome], None, None]:
    """Yield what became of each task of a system that is asked for all of them at once: first what is there already.

    Tasks of which a frame is missing are asked for again. Their frames are read twice, once to see whether anything
    has changed and once when the system wants them, so that memory holds those of one task.
    """
    view = store.with_irises() if _has_gaze(system) else store
    missing: dict[str, tuple[Task, PredictionInputs]] = {}
    for task in tasks.tasks:
        inputs = TaskInputs.load(view, tasks, task)
        content = inputs.content_sha256()
        wanted = inputs.wanted(system.name, config, content)
        known = _current(wanted, task, run_dir)
        if known is not None:
            yield task, known
        else:
            missing[opaque_id(content, inputs.support.seed)] = (task, wanted)
    if not missing:
        return
    reason = "missing: the system said nothing about this task"
    try:
        for delivered in system.render_all(asked(view, tasks, [task for task, _ in missing.values()])):
            task, wanted = missing.pop(delivered.id)
            yield task, _keep(delivered, task, wanted, run_dir)
    except Exception as error:  # as with other systems: whatever it raises costs it the tasks that are left only
        _LOG.warning("%s failed: %s", system.name, error)
        _LOG.debug("where it happened", exc_info=True)
        reason = _reason("system_error", f"{type(error).__name__}: {error}")
    for task, _ in missing.values():
        yield task, reason


def asked(store: Store, tasks: TaskSet, wanted: Sequence[Task]) -> Iterator[Asked]:
    """Yield tasks as systems are told them that get many at once."""
    for task in wanted:
        inputs = TaskInputs.load(store, tasks, task)
        yield Asked(
            id=opaque_id(inputs.content_sha256(), inputs.support.seed),
            support=inputs.support,
            driving_landmarks=inputs.driving_landmarks,
        )


def opaque_id(content_sha256: str, seed: int) -> str:
    """Return a name for a task that says nothing about it, and is the same wherever the same is asked."""
    return hashlib.sha256(f"{content_sha256}/{seed}".encode()).hexdigest()[:16]


def _keep(delivered: Delivered, task: Task, wanted: PredictionInputs, run_dir: Path) -> Outcome:
    """Save what was delivered and return its header, or the commonest reason where that is no frame at all."""
    try:
        _check(delivered.frames, (len(task.frames), wanted.size_px, wanted.size_px, 3))
    except BadOutputError as error:
        return _reason("bad_output", str(error))
    failures = {place: _one_line(reason) for place, reason in delivered.failures.items()}
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


def _current(wanted: PredictionInputs, task: Task, run_dir: Path) -> PredictionHeader | None:
    """Return the header of a prediction of just this that lacks no frame."""
    known = predictions.header(run_dir, wanted.system, task)
    return known if known is not None and known.key == wanted.sha256() and not known.failures else None


def _has_gaze(system: AnySystem) -> bool:
    return bool(getattr(system, "gaze", False))


def _check(frames: object, shape: tuple[int, ...]) -> None:
    if not isinstance(frames, np.ndarray):
        raise BadOutputError(f"render returned {type(frames).__name__}, wanted an array")
    if frames.dtype != np.uint8 or frames.shape != shape:
        raise BadOutputError(f"render returned {frames.dtype} {frames.shape}, wanted uint8 {shape}")


def _reason(kind: str, text: str) -> str:
    return _one_line(f"{kind}: {text}")


def _one_line(reason: str) -> str:
    """Return a status of one line: scores are grouped by it."""
    return " ".join(reason.split())[:REASON_CHARACTERS]
