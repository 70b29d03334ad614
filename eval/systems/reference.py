"""The reference model as two systems: feed-forward and fine-tuned."""

from functools import cached_property, lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Float, UInt8

from eval.systems.checkpoints import Checkpointed, size_of
from eval.systems.protocol import Support
from model.canvas import DETAIL
from model.presets import Preset
from model.reference import ReferenceHead, ReferenceModel
from pipeline.landmarks import rescale
from weights.errors import HeadshotError

Frames = UInt8[np.ndarray, "shots side side 3"]
Points = Float[np.ndarray, "shots points 2"]


class _Reference(Checkpointed[Preset]):
    """The reference model, with or without training on the person."""

    VERSION: ClassVar[int] = 2

    def __init__(self, folder: Path, device: str = "auto") -> None:
        super().__init__(folder, device, Preset)
        self.gaze = self._preset.network.gaze

    @property
    def parameters(self) -> int:
        """Numbers in embedder and generator; the discriminator only trains."""
        return size_of(self._model.networks.embedder, self._model.networks.generator)

    @cached_property
    def _model(self) -> ReferenceModel:
        return _load(self._folder, self._device.type, self._checkpoint.model_sha256)

    def _shown(self, support: Support) -> tuple[Frames, Points]:
        """Return frames and landmarks, twice as large where the dataset has that and the model has use for it."""
        network = self._preset.network
        if support.size_px != network.size_px:
            raise HeadshotError(
                f"the support is {support.size_px} px, the preset {self._preset.name} is made for {network.size_px}; "
                f"run the benchmark at --size {network.size_px}"
            )
        if support.frames_2x is None or not network.canvas:
            return support.frames, support.landmarks
        return support.frames_2x, rescale(support.landmarks, support.size_px, DETAIL * support.size_px)


class ReferenceFeedForward(_Reference):
    """The reference model without any training on the person."""

    name: ClassVar[str] = "reference-ff"
    title: ClassVar[str] = "Reference model, feed-forward"

    def adapt(self, support: Support) -> ReferenceHead:
        """Embed the support frames."""
        return self._model.feed_forward(*self._shown(support))


class ReferenceFineTuned(_Reference):
    """The reference model fine-tuned on the support frames."""

    name: ClassVar[str] = "reference-ft"
    title: ClassVar[str] = "Reference model, fine-tuned"

    def adapt(self, support: Support) -> ReferenceHead:
        """Embed the support frames, then train on them."""
        return self._model.fine_tune(*self._shown(support), seed=support.seed)


@lru_cache(maxsize=2)
def _load(folder: Path, device: str, sha256: str) -> ReferenceModel:  # noqa: ARG001  # the hash is part of the key
    """Load a checkpoint once for both systems."""
    return ReferenceModel.load(folder, device)
