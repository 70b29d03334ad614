"""The training run: read the dataset, step, keep a record, survive being killed."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from model.batches import Batches
from model.checkpoint import (
    CONFIG_FILE,
    AnyPreset,
    CheckpointConfig,
    TrainingClip,
    read_config,
    save,
)
from model.content import WEIGHT_ID, ContentLoss
from model.engine import choose_device
from model.families import learner_for
from model.learner import Learner
from pipeline.store import ClipEntry, Store
from weights.errors import HeadshotError
from weights.fetch import fetch
from weights.files import publish, sha256_of

RESUME_FILE = "resume.safetensors"
STATS_FILE = "stats.jsonl"
LOG_EVERY = 25

Progress = Callable[[int, int, dict[str, float]], None]
"""Called with steps done, steps in all, and the latest values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredClip:
    """Usable frames of a clip in the store, at the size of the preset."""

    store: Store
    clip: ClipEntry
    rows: np.ndarray
    size_px: int

    def __len__(self) -> int:
        """Return the number of usable frames."""
        return len(self.rows)

    def read(self, positions: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return frames (n, size, size, 3) and landmarks (n, 68, 2) at these positions among the usable ones."""
        rows = self.rows[list(positions)]
        return (
            self.store.frames(self.clip, rows, self.size_px),
            self.store.landmarks(self.clip, rows, self.size_px),
        )


def train(
    store: Store,
    preset: AnyPreset,
    folder: Path,
    *,
    device: str = "auto",
    seed: int = 0,
    progress: Progress | None = None,
) -> CheckpointConfig:
    """Learn from the training split of `store` and write a checkpoint to `folder`.

    A finished checkpoint of the same preset, data and seed is left as it is; an unfinished one is continued
    from its last saved step, and ends with the same tensors as an undisturbed run on the same machine's CPU.

    Args:
        store: The dataset.
        preset: Networks and schedule, of the reference model or of a learned baseline.
        folder: Of the checkpoint.
        device: `auto`, `cpu` or `cuda`.
        seed: Of initial weights and episodes.
        progress: Told after every step.

    Raises:
        HeadshotError: Too little training data, another run's checkpoint in `folder`, or a loss that is not finite.
    """
    clips = training_clips(store, preset)
    wanted = _describe(store, preset, clips, seed)
    if (folder / CONFIG_FILE).is_file():
        return _finished(folder, wanted)
    batches = Batches(
        clips,
        [clip.clip.identity for clip in clips],
        size_px=preset.network.size_px,
        shots=preset.meta_learning.shots,
        batch=preset.meta_learning.batch,
        seed=seed,
    )
    learner = learner_for(preset, len(clips), ContentLoss.pretrained(), choose_device(device), seed)
    folder.mkdir(parents=True, exist_ok=True)
    _run(learner, batches, folder, wanted, progress)
    config = save(folder, learner.result(), wanted)
    (folder / RESUME_FILE).unlink(missing_ok=True)
    return config


def training_clips(store: Store, preset: AnyPreset) -> list[StoredClip]:
    """Return the clips of the training split that have enough usable frames for an episode.

    Raises:
        HeadshotError: There is none.
    """
    size_px = preset.network.size_px
    clips = [
        StoredClip(store=store, clip=clip, rows=store.usable_rows(clip), size_px=size_px)
        for clip in store.clips
        if clip.split == "train"
    ]
    enough = [clip for clip in clips if len(clip) > preset.meta_learning.shots]
    if not enough:
        raise HeadshotError(
            f"{store.root} has no training clip with more than {preset.meta_learning.shots} usable frames "
            f"({len(clips)} clips are in the split `train`); add training identities to the manifest, preprocess again"
        )
    return enough


def _run(
    learner: Learner,
    batches: Batches,
    folder: Path,
    wanted: CheckpointConfig,
    progress: Progress | None,
) -> None:
    schedule = wanted.preset.meta_learning
    first = _resume(learner, folder, wanted)
    waited_s = 0.0
    started = time.perf_counter()
    for number in range(first, schedule.steps):
        asked = time.perf_counter()
        batch = batches.batch_at(number, learner.device)
        waited_s += time.perf_counter() - asked
        values = learner.step(number, batch)
        elapsed_s = time.perf_counter() - started
        values["images_per_s"] = (number - first + 1) * schedule.batch / elapsed_s
        values["data_share"] = waited_s / elapsed_s
        done = number + 1
        if done % LOG_EVERY == 0 or done == schedule.steps:
            with (folder / STATS_FILE).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": done} | {k: round(v, 6) for k, v in values.items()}) + "\n")
        if done % schedule.checkpoint_every == 0 and done < schedule.steps:
            _keep(learner, folder, wanted, done)
        if progress:
            progress(done, schedule.steps, values)


def _keep(learner: Learner, folder: Path, wanted: CheckpointConfig, done: int) -> None:
    with publish(folder / RESUME_FILE) as temporary:
        save_file(learner.tensors(), temporary, {"step": str(done), "run": _identity_of(wanted)})


def _resume(learner: Learner, folder: Path, wanted: CheckpointConfig) -> int:
    """Load the last saved state, if it is of this run, and return the step to go on with."""
    from safetensors import safe_open

    path = folder / RESUME_FILE
    if not path.is_file():
        (folder / STATS_FILE).unlink(missing_ok=True)
        return 0
    with safe_open(path, "pt") as file:
        about = file.metadata()
    if about["run"] != _identity_of(wanted):
        raise HeadshotError(
            f"{path} belongs to a run with another preset, dataset or seed; remove the folder, or name another "
            "one with --run"
        )
    learner.load(load_file(path))
    step = int(about["step"])
    _cut_stats(folder / STATS_FILE, step)
    return step


def _cut_stats(path: Path, step: int) -> None:
    """Drop the lines of steps that will be run again."""
    if path.is_file():
        lines = path.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if json.loads(line)["step"] <= step]
        with publish(path) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def _finished(folder: Path, wanted: CheckpointConfig) -> CheckpointConfig:
    config = read_config(folder)
    if config.clips_withdrawn:
        raise HeadshotError(
            f"the checkpoint in {folder} has learned from {config.clips_withdrawn} clips of people who withdrew since; "
            "remove the folder and train again without them"
        )
    if _identity_of(config) != _identity_of(wanted):
        raise HeadshotError(
            f"{folder} holds a finished checkpoint of preset {config.preset.name}, seed {config.seed}, dataset "
            f"{config.dataset} {config.manifest_sha256[:12]}, which is not what was asked for; remove the folder, "
            "or name another one with --run"
        )
    return config


def _identity_of(config: CheckpointConfig) -> str:
    """Return what makes two runs the same run, as text."""
    return config.model_dump_json(exclude={"model_sha256", "headshot_version", "torch_version"})


def _describe(store: Store, preset: AnyPreset, clips: Sequence[StoredClip], seed: int) -> CheckpointConfig:
    return CheckpointConfig(
        preset=preset,
        steps=preset.meta_learning.steps,
        seed=seed,
        dataset=store.info.name,
        manifest_sha256=store.info.manifest_sha256,
        dataset_size_px=store.info.config.size_px,
        clips=tuple(
            TrainingClip(
                key=stored.clip.key,
                identity=stored.clip.identity,
                usable_frames=len(stored),
                licence=stored.clip.licence,
                consent=stored.clip.consent,
                credit=stored.clip.credit,
                source_url=stored.clip.source_url,
            )
            for stored in clips
        ),
        weights={WEIGHT_ID: sha256_of(fetch(WEIGHT_ID))},
        headshot_version=version("headshot"),
        torch_version=torch.__version__,
    )
