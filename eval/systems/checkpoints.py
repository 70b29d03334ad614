"""What a run records about a system that has a checkpoint."""

from pathlib import Path

from pydantic import JsonValue

from model.checkpoint import CONFIG_FILE, CheckpointConfig
from model.engine import choose_device
from weights.files import sha256_of


def training_identities(checkpoint: CheckpointConfig) -> frozenset[str]:
    """Return the people that a checkpoint learned from."""
    return frozenset(clip.identity for clip in checkpoint.clips)


def system_config(checkpoint: CheckpointConfig, folder: Path, *, version: int, device: str) -> dict[str, JsonValue]:
    """Return all that the frames of the system depend on.

    Args:
        checkpoint: Config of the checkpoint.
        folder: Of the checkpoint.
        version: Of the code that adapts and renders.
        device: `auto`, `cpu` or `cuda`.
    """
    return {
        "version": version,
        "preset": checkpoint.preset.name,
        "steps": checkpoint.steps,
        "dataset": checkpoint.dataset,
        "licences": [*sorted({clip.licence for clip in checkpoint.clips})],
        "checkpoint_sha256": checkpoint.model_sha256,
        "checkpoint_config_sha256": sha256_of(folder / CONFIG_FILE),
        "device": choose_device(device).type,
    }
