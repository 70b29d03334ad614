"""Systems at work: what they are given, what they deliver, and what happens when they do not."""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from pydantic import JsonValue

from eval.progress import Progress, ProgressHook
from eval.rendering import predictions
from eval.rendering.cost import MemoryWatch, machine, wait_for_accelerator
from eval.rendering.predictions import PredictionHeader, PredictionInputs
from eval.systems.protocol import AnySystem, Support, System
from eval.tasks.queries import driving_landmarks
from eval.tasks.task_set import Task, TaskSet
from pipeline.clusters import Cluster
from pipeline.parts import Part
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

    def of_system(self, system: str, config: dict[str, JsonValue], content_sha256: str) -> PredictionInputs:
        """Return everything that fixes what a system makes of the task.

        Args:
            system: Its name.
            config: Its settings.
            content_sha256: What `content_sha256` returns; it takes a while, and systems share it.
        """
        return PredictionInputs(
            system=system,
            system_config=config,
            task=self.task.id,
            task_sha256=self.task.sha256(),
            content_sha256=content_sha256,
            size_px=self.support.size_px,
            seed=self.support.seed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A system that is asked to do a task."""

    system: System
    inputs: TaskInputs
    wanted: PredictionInputs

    @property
    def key(self) -> tuple[str, str]:
        """Name of the system and id of the task."""
        return self.system.name, self.inputs.task.id


class Renderer:
    """Lets systems do tasks in this process; can be sent to another one.

    Args:
        store: The data set.
        systems: Whom to ask.
        tasks: What can be asked.
        run_dir: Folder that predictions are kept in.
    """

    def __init__(self, store: Store, systems: Sequence[System], tasks: TaskSet, run_dir: Path) -> None:
        self.systems, self.tasks, self.run_dir = tuple(systems), tasks, run_dir
        self._views = {gaze: store.with_irises() if gaze else store for gaze in map(_has_gaze, systems)}
        self._configs = {system.name: system.config for system in systems}
        self._watched: set[tuple[str, int]] = set()

    def pairs(self, task: Task, systems: Sequence[System]) -> Iterator[Pair]:
        """Yield what each of the systems is asked; what they share is read once."""
        seen = {gaze: TaskInputs.load(self._views[gaze], self.tasks, task) for gaze in set(map(_has_gaze, systems))}
        sha256 = {gaze: inputs.content_sha256() for gaze, inputs in seen.items()}
        for system in systems:
            gaze = _has_gaze(system)
            wanted = seen[gaze].of_system(system.name, self._configs[system.name], sha256[gaze])
            yield Pair(system=system, inputs=seen[gaze], wanted=wanted)

    def known(self, pair: Pair) -> PredictionHeader | None:
        """Return the header of the current prediction, None where there is none."""
        found = predictions.header(self.run_dir, pair.system.name, pair.inputs.task)
        return found if found is not None and found.key == pair.wanted.sha256() else None

    def outcome(self, pair: Pair) -> Outcome:
        """Return the header of the current prediction, after rendering it where there is none, or why there is none."""
        known = self.known(pair)
        if known is not None:
            return known
        kind = (pair.system.name, pair.inputs.task.shots)
        watch = MemoryWatch(tidy=kind not in self._watched)
        self._watched.add(kind)
        try:
            frames, header = _render(pair, watch)
        except BadOutputError as error:
            _LOG.warning("%s on %s: %s", *pair.key, error)
            return failure("bad_output", str(error))
        except Exception as error:  # a system is somebody else's code: whatever it raises costs it this task only
            _LOG.warning("%s failed on %s: %s", *pair.key, error)
            _LOG.debug("where it happened", exc_info=True)
            return failure("system_error", f"{type(error).__name__}: {error}")
        predictions.save(self.run_dir, header, pair.inputs.task, frames)
        return header


def render_missing(
    store: Store,
    systems: Sequence[System],
    tasks: TaskSet,
    run_dir: Path,
    progress: ProgressHook,
    *,
    cluster: Cluster | None = None,
    part: Part | None = None,
    announce: Callable[[str], None] = lambda _: None,
) -> Mapping[tuple[str, str], Outcome]:
    """Render every pair of system and task that has no current prediction.

    A system that raises, or that delivers something else than it was asked for, loses this task and nothing
    else.

    Args:
        store: The data set.
        systems: Whom to ask.
        tasks: What to ask.
        run_dir: Folder that predictions are kept in.
        progress: Told how far it is.
        cluster: Where Dask workers come from that do it; None for this process.
        part: Only this share of the pairs.
        announce: Told where the work can be watched.

    Returns:
        The outcome for each system name and task id.

    Raises:
        HeadshotError: The cluster cannot be had, or a worker cannot do the work.
    """
    renderer = Renderer(store, systems, tasks, run_dir)
    wanted = share(systems, tasks, part)
    outcomes: dict[tuple[str, str], Outcome] = {}

    def tell(key: tuple[str, str], outcome: Outcome) -> None:
        outcomes[key] = outcome
        progress(Progress(stage="render", done=len(outcomes), total=len(wanted), what=" ".join(key)))

    progress(Progress(stage="render", done=0, total=len(wanted), what=""))
    missing: list[tuple[str, str]] = []
    for task in tasks.tasks:
        asked = [system for system in systems if (system.name, task.id) in wanted]
        for pair in renderer.pairs(task, asked):
            outcome = renderer.outcome(pair) if cluster is None else renderer.known(pair)
            if outcome is None:
                missing.append(pair.key)
            else:
                tell(pair.key, outcome)
    if missing and cluster is not None:
        from eval.rendering.on_dask import render_on  # a second to import, and not needed in one process

        for key, outcome in render_on(cluster, renderer, missing, announce):
            tell(key, outcome)
    return {key: outcomes[key] for key in wanted}


def failure(kind: str, text: str) -> str:
    """Return a status of one line: scores are grouped by it."""
    return one_line(f"{kind}: {text}")


def one_line(text: str) -> str:
    """Return a text as a status: one line, and not a long one."""
    return " ".join(text.split())[:REASON_CHARACTERS]


def share(systems: Sequence[AnySystem], tasks: TaskSet, part: Part | None) -> dict[tuple[str, str], None]:
    """Return the pairs of a part; each part has as much of every system and number of shots as any other."""
    in_order = [(system.name, task.id) for task in tasks.tasks for system in systems]
    if part is None:
        return dict.fromkeys(in_order)
    alike = [
        (system.name, task.id)
        for system in systems
        for shots in tasks.shots
        for task in tasks.tasks
        if task.shots == shots
    ]
    own = set(part.of(alike))
    return dict.fromkeys(key for key in in_order if key in own)


def _render(pair: Pair, watch: MemoryWatch) -> tuple[UInt8[np.ndarray, "frames size size 3"], PredictionHeader]:
    inputs = pair.inputs
    with watch:
        start = time.perf_counter()
        head = pair.system.adapt(inputs.support)
        wait_for_accelerator()
        adapted = time.perf_counter()
        frames = head.render(inputs.driving_landmarks)
        rendered = time.perf_counter()
    size, count = inputs.support.size_px, len(inputs.driving_landmarks)
    _check(frames, (count, size, size, 3))
    header = PredictionHeader(
        key=pair.wanted.sha256(),
        inputs=pair.wanted,
        adaptation_s=adapted - start,
        render_fps=count / max(rendered - adapted, 1e-9),
        iterations=getattr(head, "iterations", None),
        parameters=getattr(pair.system, "parameters", None),
        memory_mib=watch.resident_mib,
        accelerator_mib=watch.accelerator_mib,
        machine=machine(),
    )
    return frames, header


def _has_gaze(system: System) -> bool:
    return bool(getattr(system, "gaze", False))


def _check(frames: object, shape: tuple[int, ...]) -> None:
    if not isinstance(frames, np.ndarray):
        raise BadOutputError(f"render returned {type(frames).__name__}, wanted an array")
    if frames.dtype != np.uint8 or frames.shape != shape:
        raise BadOutputError(f"render returned {frames.dtype} {frames.shape}, wanted uint8 {shape}")
