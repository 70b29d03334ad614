"""The reference model as two systems: feed-forward and fine-tuned."""

from functools import cached_property, lru_cache
from pathlib import Path
from typing import ClassVar

from eval.systems.checkpoints import Checkpointed, size_of
from eval.systems.protocol import Support
from model.presets import Preset
from model.reference import ReferenceHead, ReferenceModel


class _Reference(Checkpointed[Preset]):
    """The reference model, with or without training on the person."""

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


class ReferenceFeedForward(_Reference):
    """The reference model without any training on the person."""

    name: ClassVar[str] = "reference-ff"
    title: ClassVar[str] = "Reference model, feed-forward"

    def adapt(self, support: Support) -> ReferenceHead:
        """Embed the support frames."""
        return self._model.feed_forward(support.frames, support.landmarks)


class ReferenceFineTuned(_Reference):
    """The reference model fine-tuned on the support frames."""

    name: ClassVar[str] = "reference-ft"
    title: ClassVar[str] = "Reference model, fine-tuned"

    def adapt(self, support: Support) -> ReferenceHead:
        """Embed the support frames, then train on them."""
        return self._model.fine_tune(support.frames, support.landmarks, seed=support.seed)


@lru_cache(maxsize=2)
def _load(folder: Path, device: str, sha256: str) -> ReferenceModel:  # noqa: ARG001  # the hash is part of the key
    """Load a checkpoint once for both systems."""
    return ReferenceModel.load(folder, device)
