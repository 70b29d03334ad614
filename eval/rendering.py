"""Systems at work: what they are given, what they deliver, and what happens when they do not."""

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from eval import predictions
from eval.predictions import PredictionHeader, PredictionInputs
from eval.progress import Progress, ProgressHook
from eval.queries import driving_landmarks
from eval.systems.protocol import Support, System
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


def render_missing(
    store: Store,
    systems: Sequence[System],
    tasks: TaskSet,
    run_dir: Path,
    progress: ProgressHook,
) -> Mapping[tuple[str, str], Outcome]:
    """Render every pair of system and task that has no current prediction.

    A system that raises, or that delivers something else than it was asked for, loses this task and nothing
    else.

    Returns:
        The outcome for each system name and task id.
    """
    configs = {system.name: system.config for system in systems}
    views = {gaze: store.with_irises() if gaze else store for gaze in map(_has_gaze, systems)}
    outcomes: dict[tuple[str, str], Outcome] = {}
    total = len(systems) * len(tasks.tasks)
    progress(Progress(stage="render", done=0, total=total, what=""))
    for task in tasks.tasks:
        seen = {gaze: TaskInputs.load(view, tasks, task) for gaze, view in views.items()}
        sha256 = {gaze: inputs.content_sha256() for gaze, inputs in seen.items()}
        for system in systems:
            gaze = _has_gaze(system)
            inputs = seen[gaze]
            wanted = PredictionInputs(
                system=system.name,
                system_config=configs[system.name],
                task=task.id,
                task_sha256=task.sha256(),
                content_sha256=sha256[gaze],
                size_px=tasks.size_px,
                seed=inputs.support.seed,
            )
            outcomes[system.name, task.id] = _outcome(system, inputs, wanted, run_dir)
            what = f"{system.name} {task.id}"
            progress(Progress(stage="render", done=len(outcomes), total=total, what=what))
    return outcomes


def _outcome(system: System, inputs: TaskInputs, wanted: PredictionInputs, run_dir: Path) -> Outcome:
    known = predictions.header(run_dir, system.name, inputs.task)
    if known is not None and known.key == wanted.sha256():
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


def _has_gaze(system: System) -> bool:
    return bool(getattr(system, "gaze", False))


def _check(frames: object, shape: tuple[int, ...]) -> None:
    if not isinstance(frames, np.ndarray):
        raise BadOutputError(f"render returned {type(frames).__name__}, wanted an array")
    if frames.dtype != np.uint8 or frames.shape != shape:
        raise BadOutputError(f"render returned {frames.dtype} {frames.shape}, wanted uint8 {shape}")


def _reason(kind: str, text: str) -> str:
    """Return a status of one line: scores are grouped by it."""
    return f"{kind}: {' '.join(text.split())}"[:REASON_CHARACTERS]
