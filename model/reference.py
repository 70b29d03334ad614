"""The reference model as others use it: load a checkpoint, adapt to a person, render."""

import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8

from model import checkpoint
from model.batches import to_images
from model.canvas import DETAIL
from model.checkpoint import CheckpointConfig, Networks
from model.content import ContentLoss
from model.engine import choose_device
from model.finetuning import adapt_feed_forward, fine_tune
from model.person import Adapted, Person
from weights.errors import HeadshotError

RENDER_BATCH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceHead:
    """The reference model adapted to one person."""

    adapted: Adapted
    size_px: int
    device: torch.device
    adaptation_s: float

    @property
    def iterations(self) -> int:
        """Fine-tuning updates that were made; 0 for the feed-forward variant."""
        return self.adapted.iterations

    def render(
        self, driving_landmarks: Float[np.ndarray, "frames points 2"]
    ) -> UInt8[np.ndarray, "frames size size 3"]:
        """Return one RGB frame for each set of landmarks.

        Args:
            driving_landmarks: (x, y) in pixels of a `size_px` image, finite; as many a frame as the support had.
        """
        frames = [np.zeros((0, self.size_px, self.size_px, 3), np.uint8)]
        for start in range(0, len(driving_landmarks), RENDER_BATCH):
            part = driving_landmarks[start : start + RENDER_BATCH]
            frames.append(to_images(self.adapted.render(part, self.device)))
        return np.concatenate(frames)


class ReferenceModel:
    """A meta-learned checkpoint that adapts to new people.

    Args:
        networks: Of the checkpoint.
        config: Of the checkpoint.
        device: Where to adapt and render.
    """

    def __init__(self, networks: Networks, config: CheckpointConfig, device: torch.device) -> None:
        self.networks, self.config, self.device = networks.to(device), config, device

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> "ReferenceModel":
        """Return the model in the checkpoint folder.

        Raises:
            HeadshotError: The checkpoint is missing or damaged, or the device is not there.
        """
        networks, config = checkpoint.load(folder)
        return cls(networks, config, choose_device(device))

    @property
    def size_px(self) -> int:
        """Side of the frames it takes and makes."""
        return self.config.preset.network.size_px

    @property
    def gaze(self) -> bool:
        """Whether it takes 70 points, the iris centres behind the 68 landmarks."""
        return self.config.preset.network.gaze

    @property
    def checkpoint_sha256(self) -> str:
        """Hash of the tensors."""
        return self.config.model_sha256

    @property
    def training_identities(self) -> frozenset[str]:
        """People the checkpoint learned from; nobody of them may be tested on."""
        return frozenset(clip.identity for clip in self.config.clips)

    @cached_property
    def _content(self) -> ContentLoss:
        return ContentLoss.pretrained(self.config.preset.losses).to(self.device)

    def feed_forward(
        self, frames: UInt8[np.ndarray, "shots size size 3"], landmarks: Float[np.ndarray, "shots points 2"]
    ) -> ReferenceHead:
        """Return a head whose AdaIN parameters come from the embedder alone.

        Args:
            frames: RGB, of `size_px`, or twice as large: canvases are sharper for it.
            landmarks: (x, y) in pixels of the frames.

        Raises:
            HeadshotError: They do not fit the model.
        """
        person = self._person(frames, landmarks)
        started = time.perf_counter()
        adapted = adapt_feed_forward(self.networks, person, self.device)
        return self._head(adapted, started)

    def fine_tune(
        self,
        frames: UInt8[np.ndarray, "shots size size 3"],
        landmarks: Float[np.ndarray, "shots points 2"],
        seed: int = 0,
        iterations: int | None = None,
    ) -> ReferenceHead:
        """Return a head trained on the support frames, given as in `feed_forward`; see `model.finetuning.fine_tune`."""
        person, content = self._person(frames, landmarks), self._content
        started = time.perf_counter()
        adapted = fine_tune(
            self.networks,
            self.networks.preset,
            content,
            person,
            device=self.device,
            seed=seed,
            iterations=iterations,
        )
        return self._head(adapted, started)

    def _head(self, adapted: Adapted, started: float) -> ReferenceHead:
        return ReferenceHead(
            adapted=adapted,
            size_px=self.size_px,
            device=self.device,
            adaptation_s=time.perf_counter() - started,
        )

    def _person(self, frames: np.ndarray, landmarks: np.ndarray) -> Person:
        sizes = [(side, side, 3) for side in (self.size_px, DETAIL * self.size_px)]
        points = 70 if self.gaze else 68
        if not len(frames) or frames.shape[1:] not in sizes or landmarks.shape != (len(frames), points, 2):
            raise HeadshotError(
                f"support of shape {frames.shape} with landmarks {landmarks.shape} does not fit the preset "
                f"{self.config.preset.name}: it takes one or more frames of {sizes[0]} or {sizes[1]} with {points} "
                f"points each; run the benchmark at --size {self.size_px}"
            )
        if not np.isfinite(landmarks).all():
            raise HeadshotError("a support frame has no landmarks; choose frames whose `ok` is true")
        return Person(frames=frames, landmarks=landmarks, size_px=self.size_px)
