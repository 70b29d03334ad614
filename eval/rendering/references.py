"""Floors and ceilings: pictures that the harness shows itself, since no system may see what they are made of.

They are real frames, chosen with the target or other people at hand, so they are no systems. Whether one is a floor
or a ceiling depends on the metric: docs/tasks.md says what each shows.
"""

import hashlib
import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
from jaxtyping import UInt8
from pydantic import JsonValue

from eval.rendering import predictions
from eval.rendering.predictions import PredictionHeader, PredictionInputs
from eval.rendering.render import Outcome, failure
from eval.tasks.motion import Motion, nearest_places
from eval.tasks.pairs import in_a_ring
from eval.tasks.protocols import RULES
from eval.tasks.queries import in_runs
from eval.tasks.supports import rows_with_pose
from eval.tasks.task_set import Task, TaskSet
from pipeline.store import Store

STEP_PX = 64
Place = tuple[str, int]
"""Clip key and row."""


class Reference(Protocol):
    """Pictures to compare with that are no system's."""

    @property
    def name(self) -> str:
        """Short and stable; safe as a folder name."""

    @property
    def title(self) -> str:
        """For people."""

    @property
    def config(self) -> dict[str, JsonValue]:
        """What the pictures depend on besides the frames they are made of."""

    def applies(self, tasks: TaskSet) -> bool:
        """Return whether the tasks have what it is made of."""

    def places(self, store: Store, tasks: TaskSet, task: Task) -> list[Place]:
        """Return the real frame behind each frame of the task; fewer where there are not enough."""

    def shown(self, frames: UInt8[np.ndarray, "frames size size 3"]) -> UInt8[np.ndarray, "frames size size 3"]:
        """Return the pictures that are made of these frames."""


class RealFrames:
    """Other real frames of the person, from the same clips: real against real, over disjoint sets of one size."""

    name: ClassVar[str] = "real-frames"
    title: ClassVar[str] = "Other real frames of the person"
    config: ClassVar[dict[str, JsonValue]] = {"version": 1}

    def applies(self, tasks: TaskSet) -> bool:  # noqa: ARG002
        """Return that it always does."""
        return True

    def places(self, store: Store, tasks: TaskSet, task: Task) -> list[Place]:
        """Return as many frames as are asked for of each clip, or runs of them, even over those not asked for."""
        found: list[Place] = []
        length = RULES[tasks.protocol].run_frames
        for query in task.real or task.queries:
            rows = np.setdiff1d(store.usable_rows(store.clip(query.clip)), query.rows)
            runs = in_runs(rows, length)
            count = min(len(runs), len(query.rows) // length)
            chosen = runs[np.linspace(0, len(runs) - 1, count).round().astype(np.int64)]
            found += [(query.clip, int(row)) for row in chosen.ravel()]
        return found

    def shown(self, frames: UInt8[np.ndarray, "frames size size 3"]) -> UInt8[np.ndarray, "frames size size 3"]:
        """Return the frames."""
        return frames


class ShuffledIdentity:
    """The right movement by the wrong person: the frame of another test person that is nearest to the target.

    Where somebody else drives, that is the driver's own frame.
    """

    name: ClassVar[str] = "shuffled-identity"
    title: ClassVar[str] = "Nearest frame of another person"
    config: ClassVar[dict[str, JsonValue]] = {"version": 1}

    def applies(self, tasks: TaskSet) -> bool:
        """Return whether somebody else is there."""
        return tasks.across or len(tasks.identities()) > 1

    def places(self, store: Store, tasks: TaskSet, task: Task) -> list[Place]:
        """Return the frame of the next person in a ring whose pose and landmarks are nearest."""
        if task.driver is not None:
            return [(frame.clip, frame.row) for frame in task.frames]
        clips = [store.clip(key) for key in sorted({task.clip for task in tasks.tasks})]
        other = store.clip(in_a_ring(clips, tasks.seed)[task.clip])
        rows = rows_with_pose(store, other)
        shown = Motion.read(store, other, rows)
        found: list[Place] = []
        for query in task.queries:
            wanted = Motion.read(store, store.clip(query.clip), np.array(query.rows))
            found += [(other.key, int(row)) for row in rows[nearest_places(wanted, shown)]]
        return found

    def shown(self, frames: UInt8[np.ndarray, "frames size size 3"]) -> UInt8[np.ndarray, "frames size size 3"]:
        """Return the frames."""
        return frames


class Reencoded:
    """The targets themselves, once through H.264: what a perfect system would lose by handing in video."""

    CRF: ClassVar[int] = 23
    name: ClassVar[str] = "reencoded-crf23"
    title: ClassVar[str] = "Targets as H.264 at CRF 23"
    config: ClassVar[dict[str, JsonValue]] = {"version": 2, "codec": "libx264", "crf": CRF, "preset": "medium"}

    def applies(self, tasks: TaskSet) -> bool:
        """Return whether there are targets."""
        return not tasks.across

    def places(self, store: Store, tasks: TaskSet, task: Task) -> list[Place]:  # noqa: ARG002
        """Return the targets."""
        return [(frame.clip, frame.row) for frame in task.frames]

    def shown(self, frames: UInt8[np.ndarray, "frames size size 3"]) -> UInt8[np.ndarray, "frames size size 3"]:
        """Return the frames after encoding and decoding."""
        return reencoded(frames, self.CRF)


DEFAULT: tuple[Reference, ...] = (RealFrames(), ShuffledIdentity(), Reencoded())
"""In the order in which tables show them."""
NAMES = tuple(reference.name for reference in DEFAULT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceTask:
    """A reference for one task: which frames, and the key under which the pictures are kept."""

    reference: Reference
    places: tuple[Place, ...]
    inputs: PredictionInputs

    @classmethod
    def of(cls, reference: Reference, store: Store, tasks: TaskSet, task: Task) -> "ReferenceTask":
        """Look up the frames; no picture is read."""
        places = tuple(reference.places(store, tasks, task))
        inputs = PredictionInputs(
            system=reference.name,
            system_config=reference.config,
            task=task.id,
            task_sha256=task.sha256(),
            content_sha256=hashlib.sha256(f"{store.sha256}{places}".encode()).hexdigest(),
            size_px=tasks.size_px,
            seed=0,
        )
        return cls(reference=reference, places=places, inputs=inputs)

    def render(self, store: Store) -> tuple[UInt8[np.ndarray, "frames size size 3"], PredictionHeader]:
        """Return the pictures and what they cost."""
        start = time.perf_counter()
        pictures = self.reference.shown(_frames_at(store, self.places, self.inputs.size_px))
        took = max(time.perf_counter() - start, 1e-9)
        header = PredictionHeader(
            key=self.inputs.sha256(), inputs=self.inputs, adaptation_s=0.0, render_fps=len(pictures) / took
        )
        return pictures, header


def render_references(
    store: Store, references: Sequence[Reference], tasks: TaskSet, run_dir: Path
) -> Mapping[tuple[str, str], Outcome]:
    """Make the pictures of references that are not there yet; they lie where predictions do, and are scored like them.

    Returns:
        The outcome for each reference name and task id.
    """
    outcomes: dict[tuple[str, str], Outcome] = {}
    for reference in references:
        for task in tasks.tasks:
            wanted = ReferenceTask.of(reference, store, tasks, task)
            known = predictions.header(run_dir, reference.name, task)
            if len(wanted.places) < len(task.frames):
                outcomes[reference.name, task.id] = failure(
                    "too_few_frames", f"{len(wanted.places)} real frames of {len(task.frames)}"
                )
            elif known is not None and known.key == wanted.inputs.sha256():
                outcomes[reference.name, task.id] = known
            else:
                frames, header = wanted.render(store)
                predictions.save(run_dir, header, task, frames)
                outcomes[reference.name, task.id] = header
    return outcomes


def _frames_at(store: Store, places: Sequence[Place], size_px: int) -> UInt8[np.ndarray, "frames size size 3"]:
    """Return single frames, read clip by clip."""
    frames = np.empty((len(places), size_px, size_px, 3), np.uint8)
    for key in dict.fromkeys(clip for clip, _ in places):
        chosen = [number for number, (clip, _) in enumerate(places) if clip == key]
        frames[chosen] = store.frames(store.clip(key), [places[number][1] for number in chosen], size_px)
    return frames


def reencoded(
    frames: UInt8[np.ndarray, "frames height width 3"], crf: int
) -> UInt8[np.ndarray, "frames height width 3"]:
    """Return RGB frames after H.264 at a constant rate factor, as one video of 25 frames a second.

    Colour is stored for pairs of pixels (yuv420p, BT.709), as in nearly every published video. Frames are
    continued at the right and below to sides that are multiples of `STEP_PX`: at others, such as 112, the bits that
    x264's lookahead spends depend on what was in memory before. It has one thread, so that one version of it makes the
    same bits everywhere.
    """
    import av

    height, width = frames.shape[1:3]
    below, right = (-side % STEP_PX for side in (height, width))
    padded = np.pad(frames, ((0, 0), (0, below), (0, right), (0, 0)), mode="edge")
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": str(crf), "preset": "medium"})
        stream.height, stream.width = padded.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        for pixels in padded:
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            picture = picture.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    file.seek(0)
    with av.open(file, "r") as container:
        decoded = [
            frame.reformat(format="rgb24", src_colorspace="ITU709", dst_color_range="JPEG").to_ndarray()
            for frame in container.decode(video=0)
        ]
    return np.stack(decoded)[:, :height, :width]
