"""Take a person out of a checkpoint: the list of clips, their embeddings W_i, and the state of unfinished training.

What the networks have learned from the person stays in their weights. Nothing but training again without the person
changes that, and the checkpoint says so.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from model.checkpoint import (
    CARD_FILE,
    CONFIG_FILE,
    MODEL_FILE,
    AnyPreset,
    CheckpointConfig,
    model_card,
    read_config,
)
from model.journal import EVENTS_FOLDER, GRIDS_FOLDER, STATS_FILE
from model.presets import Preset
from model.training import RESUME_FILE
from pipeline.takedown import Change
from weights.errors import HeadshotError
from weights.files import publish, publish_text, sha256_of

EMBEDDINGS = "discriminator.clip_embedding.weight"
"""One row W_i for each training clip: the only tensor that belongs to single clips. Learned baselines have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointTakedown:
    """What was removed, and what was learned and cannot be."""

    changes: tuple[Change, ...]
    clips_learned: int
    """Clips of people who withdrew that the networks learned from, this person's and earlier ones."""


def learned_from(folder: Path, identity: str) -> bool:
    """Return whether a checkpoint, or unfinished training, lists clips of a person.

    Raises:
        HeadshotError: The config of the checkpoint cannot be read.
    """
    config = read_config(folder) if (folder / CONFIG_FILE).is_file() else None
    return bool(config and _of(config, identity)) or _resumes_with(folder, identity)


def made_from(folder: Path) -> str | None:
    """Return the name of the dataset that a finished checkpoint has learned from, None where there is none."""
    return read_config(folder).dataset if (folder / CONFIG_FILE).is_file() else None


def take_out(folder: Path, identity: str) -> CheckpointTakedown:
    """Remove what a checkpoint folder keeps of single clips of a person; called again, it finishes what is left.

    The tensors are published first and the config last, which makes the checkpoint whole again. Unfinished training
    that had begun with the person is thrown away: it starts anew, without them.

    Raises:
        HeadshotError: The checkpoint is damaged or of another version.
    """
    changes = []
    if _resumes_with(folder, identity):
        files = _remove_grids(folder) + _remove_folder(folder / EVENTS_FOLDER)
        for name in (STATS_FILE, RESUME_FILE):
            files += (folder / name).is_file()
            (folder / name).unlink(missing_ok=True)
        changes.append(Change(what="unfinished training, thrown away", files=files, rows=0, unit=""))
    if not (folder / CONFIG_FILE).is_file():
        return CheckpointTakedown(changes=tuple(changes), clips_learned=0)
    config = read_config(folder)
    gone = _of(config, identity)
    if gone:
        if grids := _remove_grids(folder):
            changes.append(
                Change(what="sample grids, which show people of the training data", files=grids, rows=0, unit="")
            )
        config = _rewrite(folder, config, set(gone))
        changes.append(_rewritten(config.preset, len(gone)))
    return CheckpointTakedown(changes=tuple(changes), clips_learned=config.clips_withdrawn)


def _rewritten(preset: AnyPreset, clips: int) -> Change:
    if isinstance(preset, Preset):
        return Change(what="checkpoint: clip embeddings, list of clips, card", files=3, rows=clips, unit="clips")
    return Change(what=f"checkpoint of {preset.name}: list of clips, card", files=2, rows=clips, unit="clips")


def _remove_grids(folder: Path) -> int:
    return _remove_folder(folder / GRIDS_FOLDER)


def _remove_folder(folder: Path) -> int:
    """Remove a folder of files, if there is one, and return how many they were."""
    files = sum(path.is_file() for path in folder.rglob("*"))
    shutil.rmtree(folder, ignore_errors=True)
    return files


def _of(config: CheckpointConfig, identity: str) -> list[int]:
    return [number for number, clip in enumerate(config.clips) if clip.identity == identity]


def _rewrite(folder: Path, config: CheckpointConfig, gone: set[int]) -> CheckpointConfig:
    kept = [number for number in range(len(config.clips)) if number not in gone]
    tensors = _tensors(folder, config, len(kept))
    if len(tensors.get(EMBEDDINGS, ())) == len(config.clips):
        tensors[EMBEDDINGS] = tensors[EMBEDDINGS][kept].contiguous()
        with publish(folder / MODEL_FILE) as temporary:
            save_file(tensors, temporary)
    changed = config.model_copy(
        update={
            "clips": tuple(config.clips[number] for number in kept),
            "clips_withdrawn": config.clips_withdrawn + len(gone),
            "model_sha256": sha256_of(folder / MODEL_FILE),
        }
    )
    publish_text(folder / CARD_FILE, model_card(changed))
    publish_text(folder / CONFIG_FILE, changed.model_dump_json(indent=2) + "\n")
    return changed


def _tensors(folder: Path, config: CheckpointConfig, kept: int) -> dict[str, Tensor]:
    """Return the tensors: as the config knows them, or as a killed takedown left them, without the person."""
    path = folder / MODEL_FILE
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (FileNotFoundError, SafetensorError) as error:
        raise HeadshotError(f"{path} cannot be read ({error}); remove the checkpoint folder and train again") from error
    rows = len(tensors[EMBEDDINGS]) if EMBEDDINGS in tensors else -1
    if rows != kept and sha256_of(path) != config.model_sha256:
        raise HeadshotError(
            f"{path} is not the file that {CONFIG_FILE} names: it is damaged or of another run; remove the checkpoint "
            "folder and train again"
        )
    return tensors


def _resumes_with(folder: Path, identity: str) -> bool:
    """Return whether there is unfinished training that knows the person, or that does not say whom it knows."""
    path = folder / RESUME_FILE
    if not path.is_file():
        return (folder / GRIDS_FOLDER).is_dir() and not (folder / CONFIG_FILE).is_file()
    try:
        with safe_open(path, "pt") as file:
            about = json.loads(file.metadata()["run"])
        return any(clip["identity"] == identity for clip in about["clips"])
    except (SafetensorError, ValueError, KeyError, TypeError):
        return True
