"""The reference model as two systems: feed-forward and fine-tuned."""

from functools import cached_property, lru_cache
from pathlib import Path
from typing import ClassVar

from pydantic import JsonValue

from eval.systems.protocol import Support
from model.checkpoint import CONFIG_FILE, read_config
from model.engine import choose_device
from model.reference import ReferenceHead, ReferenceModel
from weights.files import sha256_of


class _Reference:
    """A checkpoint whose networks are loaded when a person is first adapted to."""

    VERSION: ClassVar[int] = 1

    def __init__(self, folder: Path, device: str = "auto") -> None:
        """Read what the checkpoint is.

        Raises:
            HeadshotError: There is no finished checkpoint in `folder`.
        """
        self._folder, self._device = folder, device
        checkpoint = read_config(folder)
        self.gaze = checkpoint.preset.network.gaze
        self.training_identities = frozenset(clip.identity for clip in checkpoint.clips)
        self.config: dict[str, JsonValue] = {
            "version": self.VERSION,
            "preset": checkpoint.preset.name,
            "steps": checkpoint.steps,
            "dataset": checkpoint.dataset,
            "licences": [*sorted({clip.licence for clip in checkpoint.clips})],
            "checkpoint_sha256": checkpoint.model_sha256,
            "checkpoint_config_sha256": sha256_of(folder / CONFIG_FILE),
            "device": choose_device(device).type,
        }

    @cached_property
    def _model(self) -> ReferenceModel:
        return _load(self._folder, self._device, str(self.config["checkpoint_sha256"]))


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
