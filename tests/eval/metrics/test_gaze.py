"""A system with gaze gets irises, the others get what they always got."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from eval.rendering.render import render_missing
from eval.systems.baselines import NearestFrame, StillHead
from eval.systems.protocol import Support
from eval.tasks.making import make_tasks
from tests.eval.conftest import DrawnStore


@dataclass(frozen=True)
class LookingStore(DrawnStore):
    """Irises lie in the middle of the face."""

    gives_irises: bool = False

    def with_irises(self) -> "LookingStore":
        return replace(self, gives_irises=True)

    def landmarks(self, clip, rows, size_px=None):  # type: ignore[no-untyped-def]
        points = super().landmarks(clip, rows, size_px)
        middle = np.repeat(points.mean(axis=1, keepdims=True), 2, axis=1)
        return np.concatenate([points, middle], axis=1) if self.gives_irises else points


class Looking:
    """Notes what it is given."""

    name: ClassVar[str] = "looking"
    title: ClassVar[str] = "Looking"
    config: ClassVar[dict[str, object]] = {"version": 1}
    training_identities: ClassVar[frozenset[str]] = frozenset()
    gaze: ClassVar[bool] = True

    def __init__(self) -> None:
        self.shapes: set[tuple[int, ...]] = set()

    def adapt(self, support: Support) -> "Looking":
        self.shapes.add(support.landmarks.shape[1:])
        self.still = StillHead(support.frames[0])
        return self

    def render(self, driving_landmarks: np.ndarray) -> np.ndarray:
        self.shapes.add(driving_landmarks.shape[1:])
        return self.still.render(driving_landmarks[:, :68])


def test_irises_go_to_those_who_ask_and_change_nothing_for_the_rest(store: DrawnStore, tmp_path: Path) -> None:
    looking_store = LookingStore(store.root, store.clips)
    tasks = make_tasks(store, [1], size_px=32, query_frames=8)
    system = Looking()
    both = render_missing(looking_store, [system, NearestFrame()], tasks, tmp_path / "both", lambda _: None)
    alone = render_missing(store, [NearestFrame()], tasks, tmp_path / "alone", lambda _: None)
    assert system.shapes == {(70, 2)}
    for pair, outcome in alone.items():
        assert both[pair].key == outcome.key
    assert not any(isinstance(outcome, str) for outcome in both.values())
