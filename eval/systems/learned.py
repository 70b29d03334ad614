"""The learned baselines as systems: a warping network, and direct synthesis from landmarks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from eval.systems.checkpoints import Checkpointed, size_of
from eval.systems.protocol import Support
from model.baseline_presets import Pix2pixHDPreset, X2FacePreset
from model.batches import to_images, to_tensor
from model.checkpoint import AnyPreset, fill
from model.content import ContentLoss
from model.landmark_map import draw_all
from model.pix2pixhd import Pix2pixHDParts
from model.pix2pixhd_learner import fine_tune
from model.x2face import X2FaceParts
from weights.errors import HeadshotError

RENDER_BATCH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class MapHead:
    """Draws the driving landmarks and lets a network make frames of them."""

    frames_of: Callable[[Tensor], Tensor]
    """Landmark maps to frames, both in [-1, 1]."""
    size_px: int
    device: torch.device
    iterations: int

    @torch.no_grad()
    def render(self, driving_landmarks: Float[np.ndarray, "frames 68 2"]) -> UInt8[np.ndarray, "frames size size 3"]:
        """Return one frame for each set of driving landmarks."""
        frames = [np.zeros((0, self.size_px, self.size_px, 3), np.uint8)]
        for start in range(0, len(driving_landmarks), RENDER_BATCH):
            maps = draw_all(driving_landmarks[start : start + RENDER_BATCH], self.size_px)
            frames.append(to_images(self.frames_of(to_tensor(maps, self.device))))
        return np.concatenate(frames)


class X2FaceCompact(Checkpointed[X2FacePreset]):
    """The learned warp. It is not fine-tuned: more frames make another mean of embedded faces."""

    name: ClassVar[str] = "x2face-compact"
    title: ClassVar[str] = "Learned warp (X2Face-like)"

    def __init__(self, folder: Path, device: str = "auto") -> None:
        super().__init__(folder, device, X2FacePreset)

    @property
    def parameters(self) -> int:
        """Numbers in the network."""
        return size_of(self._networks.x2face)

    @cached_property
    def _networks(self) -> X2FaceParts:
        return fill(X2FaceParts(self._preset.network), self._checkpoint, self._folder).to(self._device)

    @torch.no_grad()
    def adapt(self, support: Support) -> MapHead:
        """Embed the support frames."""
        _check_size(support, self._preset)
        network = self._networks.x2face
        maps = draw_all(support.landmarks, support.size_px)
        embedded = network.embed(to_tensor(support.frames, self._device)[None], to_tensor(maps, self._device)[None])
        return MapHead(
            frames_of=lambda driving: network(embedded, driving),
            size_px=support.size_px,
            device=self._device,
            iterations=0,
        )


class Pix2pixHDCompact(Checkpointed[Pix2pixHDPreset]):
    """Direct synthesis from landmarks, fine-tuned on the support frames: it has no other way to know the person."""

    name: ClassVar[str] = "pix2pixhd-compact"
    title: ClassVar[str] = "Direct synthesis (Pix2pixHD-like)"

    def __init__(self, folder: Path, device: str = "auto") -> None:
        super().__init__(folder, device, Pix2pixHDPreset)

    @property
    def parameters(self) -> int:
        """Numbers in the generator; the discriminators only train."""
        return size_of(self._networks.generator)

    @cached_property
    def _networks(self) -> Pix2pixHDParts:
        return fill(Pix2pixHDParts(self._preset.network), self._checkpoint, self._folder).to(self._device)

    @cached_property
    def _content(self) -> ContentLoss:
        return ContentLoss.pretrained(self._preset.losses).to(self._device)

    def adapt(self, support: Support) -> MapHead:
        """Train a copy of the generator on the support frames."""
        _check_size(support, self._preset)
        generator, iterations = fine_tune(
            self._networks,
            self._preset,
            self._content,
            support.frames,
            support.landmarks,
            device=self._device,
            seed=support.seed,
        )
        return MapHead(frames_of=generator, size_px=support.size_px, device=self._device, iterations=iterations)


def _check_size(support: Support, preset: AnyPreset) -> None:
    wanted_px = preset.network.size_px
    if support.size_px != wanted_px:
        raise HeadshotError(
            f"support frames of {support.size_px} px do not fit the preset {preset.name}, which takes {wanted_px} px; "
            f"run the benchmark at --size {wanted_px}"
        )
