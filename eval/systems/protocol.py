"""The contract of everything that can be benchmarked."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8
from pydantic import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """All that a system learns about a person: a few frames and their landmarks.

    It carries no name, no file and no target frame, so a system cannot look the answer up.
    """

    frames: UInt8[np.ndarray, "shots size size 3"]
    """RGB."""
    landmarks: Float[np.ndarray, "shots points 2"]
    """(x, y) in pixels of `frames`; the centre of the top-left pixel is (0, 0). 68 points, 70 for a system with
    gaze."""
    size_px: int
    seed: int
    """For anything random in the adaptation; fixed by the task."""
    frames_2x: UInt8[np.ndarray, "shots double double 3"] | None = None
    """The same frames at twice `size_px`, where the data set stores them at least that large; a control warps them."""


class Head(Protocol):
    """A system adapted to one person. May have `iterations: int`, the number of fine-tuning steps it took."""

    def render(
        self, driving_landmarks: Float[np.ndarray, "frames points 2"]
    ) -> UInt8[np.ndarray, "frames size size 3"]:
        """Return one RGB frame of `Support.size_px` for each set of driving landmarks, in their order."""


class System(Protocol):
    """Something that can be benchmarked.

    May have `gaze: bool`; where it is true, the system gets the iris centres of the right and of the left eye behind
    the 68 landmarks, and the dataset must have them. May have `parameters: int`, how many numbers there are in the
    networks that draw; it is read when a task is done.
    """

    @property
    def name(self) -> str:
        """Short and stable; safe as a folder name."""

    @property
    def title(self) -> str:
        """For people."""

    @property
    def config(self) -> dict[str, JsonValue]:
        """Everything besides the support that the output depends on: version, checkpoint hash, settings.

        Part of the key of a prediction: a change renders anew, no change renders nothing.
        """

    @property
    def training_identities(self) -> frozenset[str]:
        """People it learned from, as far as known; it is never tested on one of them."""

    def adapt(self, support: Support) -> Head:
        """Return a head for the person in `support`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A task as it is told to a system that gets many of them at once."""

    id: str
    """A hash of all the rest: it names nobody, and the same request has the same one."""
    support: Support
    driving_landmarks: Float[np.ndarray, "frames points 2"]
    driving_frames: UInt8[np.ndarray, "frames size size 3"] | None = None
    """Only where the protocol allows it, which it does not where they are the frames to be drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a task cost, as the harness saw it from outside; None where nobody watched."""

    adaptation_s: float | None = None
    """Until the first frame appeared."""
    render_fps: float | None = None
    """Pace of the frames behind the first."""
    peak_memory_bytes: int | None = None
    """The most that the program and all it started took until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What such a system made of a task, frame by frame."""

    id: str
    frames: UInt8[np.ndarray, "frames size size 3"]
    """Black where there is none."""
    failures: dict[int, str]
    """Why there is none, by place."""
    cost: Cost

    @classmethod
    def of(
        cls,
        task: str,
        found: Mapping[int, UInt8[np.ndarray, "size size 3"] | str],
        size_px: int,
        cost: Cost | None = None,
    ) -> "Delivered":
        """Return frames, and reasons where there is none, as what was delivered of a task."""
        frames = np.zeros((len(found), size_px, size_px, 3), np.uint8)
        for place, frame in found.items():
            if not isinstance(frame, str):
                frames[place] = frame
        failures = {place: reason for place, reason in found.items() if isinstance(reason, str)}
        return cls(id=task, frames=frames, failures=failures, cost=cost or Cost())


@runtime_checkable
class BatchSystem(Protocol):
    """Something that is asked for all its tasks at once, because it is slow to start or finished already.

    May have `gaze: bool` like a `System`.
    """

    @property
    def name(self) -> str:
        """See `System`."""

    @property
    def title(self) -> str:
        """See `System`."""

    @property
    def config(self) -> dict[str, JsonValue]:
        """See `System`."""

    @property
    def training_identities(self) -> frozenset[str]:
        """See `System`."""

    def render_all(self, asked: Iterable[Asked]) -> Iterator[Delivered]:
        """Yield what becomes of each task, in any order, each as soon as it is known."""


AnySystem = System | BatchSystem
