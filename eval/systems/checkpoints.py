"""Systems that have a checkpoint: what all of them read of it, and what a run records."""

from pathlib import Path
from typing import ClassVar, Generic

import torch
from pydantic import JsonValue

from model.checkpoint import CONFIG_FILE, CheckpointConfig, Kind, expect, read_config
from model.engine import choose_device
from weights.files import sha256_of


class Checkpointed(Generic[Kind]):
    """A system whose networks are loaded when a person is first adapted to.

    Args:
        folder: Of the checkpoint.
        device: `auto`, `cpu` or `cuda`.
        kind: Of its preset.

    Raises:
        HeadshotError: There is no finished checkpoint of that kind in `folder`, or no such device.
    """

    VERSION: ClassVar[int] = 1
    """Of the code that adapts and renders."""

    def __init__(self, folder: Path, device: str, kind: type[Kind]) -> None:
        self._folder = folder
        self._device: torch.device = choose_device(device)
        checkpoint: CheckpointConfig = read_config(folder)
        self._checkpoint: CheckpointConfig = checkpoint
        self._preset: Kind = expect(checkpoint, kind, folder)
        self.training_identities: frozenset[str] = frozenset(clip.identity for clip in checkpoint.clips)
        self.config: dict[str, JsonValue] = {
            "version": self.VERSION,
            "preset": self._preset.name,
            "steps": checkpoint.steps,
            "dataset": checkpoint.dataset,
            "licences": [*sorted({clip.licence for clip in checkpoint.clips})],
            "checkpoint_sha256": checkpoint.model_sha256,
            "checkpoint_config_sha256": sha256_of(folder / CONFIG_FILE),
            "device": self._device.type,
        }


def size_of(*networks: torch.nn.Module) -> int:
    """Return how many parameters the networks have together."""
    return sum(parameter.numel() for network in networks for parameter in network.parameters())
