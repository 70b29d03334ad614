"""The training run: read the dataset, step, keep a record, survive being killed."""

import os
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from model.batches import Batches, Part, to_images
from model.checkpoint import (
    CONFIG_FILE,
    AnyPreset,
    CheckpointConfig,
    Execution,
    Parts,
    TrainingClip,
    read_config,
    save,
)
from model.content import ContentLoss, content_sha256
from model.engine import choose_device, precision
from model.families import learner_for
from model.journal import Journal
from model.learner import Learner
from model.prefetch import prefetched
from model.processes import average, first_of_all, joined, meet, several
from model.stored_clips import StoredClip, training_clips
from pipeline.store import Store
from weights.errors import HeadshotError
from weights.files import publish

RESUME_FILE = "resume.safetensors"
LOG_EVERY = 25
GRIDS = 10
"""Sample grids in a run."""
PEOPLE_SHOWN = 6
MOST_LOADERS = 8

Progress = Callable[[int, int, dict[str, float]], None]
"""Called with steps done, steps in all, and the latest values."""


def train(
    store: Store,
    preset: AnyPreset,
    folder: Path,
    *,
    device: str = "auto",
    seed: int = 0,
    accumulate: int = 1,
    compiled: bool = False,
    loaders: int | None = None,
    progress: Progress | None = None,
) -> CheckpointConfig:
    """Learn from the training split of `store` and write a checkpoint to `folder`.

    A finished checkpoint of the same preset, data and seed is left as it is; an unfinished one is continued
    from its last saved step, and ends with the same tensors as an undisturbed run on the same machine's CPU.

    Started by torchrun, the processes share the batch of the preset evenly, on the same machine or on several that
    see the same dataset and the same folder. The first one writes.

    Args:
        store: The dataset.
        preset: Networks and schedule, of the reference model or of a learned baseline.
        folder: Of the checkpoint.
        device: `auto`, `cpu` or `cuda`.
        seed: Of initial weights and episodes.
        accumulate: Parts of a batch that go through the networks one after the other for each update. The batch and
            what is learned stay the same, up to rounding and the estimate of spectral norms; less memory is needed.
        compiled: Compile the networks with `torch.compile`.
        loaders: Processes that prepare batches; 0 is a thread. None chooses: a thread for a CPU, up to eight
            processes for a GPU.
        progress: Told after every step, in the process that writes.

    Raises:
        HeadshotError: Too little training data, another run's checkpoint in `folder`, a batch that cannot be divided,
            or a loss that is not finite.
    """
    store = store.with_irises() if preset.network.gaze else store
    chosen = choose_device(device)
    with joined(chosen) as place:
        clips = training_clips(store, preset)
        how = _execution(chosen, place, accumulate, compiled=compiled)
        _check_divides(preset, how)
        wanted = _describe(store, preset, clips, seed, how)
        if (folder / CONFIG_FILE).is_file():
            return _finished(folder, wanted)
        schedule = preset.meta_learning
        batches = Batches(
            clips,
            [clip.clip.identity for clip in clips],
            size_px=preset.network.size_px,
            shots=schedule.shots,
            batch=schedule.batch,
            seed=seed,
            canvas=preset.network.canvas,
        )
        content = ContentLoss.pretrained(preset.losses)
        learner = learner_for(preset, len(clips), content, chosen, seed, accumulate)
        if compiled:
            for module in (*learner.networks.parts.values(), content):
                module.compile(dynamic=False)
        run = _Run(
            learner, batches, folder, wanted, place, default_loaders(chosen) if loaders is None else loaders, progress
        )
        run.steps()
        if first_of_all():
            run.finish()
        meet()
        return read_config(folder)


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of training, or the rest of it."""

    learner: Learner[Parts]
    batches: Batches
    folder: Path
    wanted: CheckpointConfig
    place: Part
    loaders: int
    progress: Progress | None

    def steps(self) -> None:
        """Take the steps that are left; the first process keeps the journal and the state."""
        first = self._resume()
        if self.learner.device.type == "cuda":
            torch.backends.cudnn.benchmark = True  # shapes stay the same, so looking for the fastest kernels pays
        if not first_of_all():
            for _ in self._values(first):
                pass
            return
        schedule = self.wanted.preset.meta_learning
        show_every = max(1, schedule.steps // GRIDS)
        with Journal(self.folder, first) as journal, closing(self._values(first)) as steps:
            for done, values in steps:
                last = done == schedule.steps
                if done % LOG_EVERY == 0 or last:
                    journal.write(done, values)
                if done % show_every == 0 or last:
                    journal.show(done, self._columns())
                if done % schedule.checkpoint_every == 0 and not last:
                    self._keep(done)
                if self.progress:
                    self.progress(done, schedule.steps, values)

    def finish(self) -> None:
        """Write the checkpoint; the state for resuming is no longer needed then."""
        save(self.folder, self.learner.result(), self.wanted)
        (self.folder / RESUME_FILE).unlink(missing_ok=True)

    def _values(self, first: int) -> Generator[tuple[int, dict[str, float]], None, None]:
        """Take each step from `first` on and yield the number of steps done, with the value of each term.

        The clock starts when the first batch is there, and waiting is what each next one takes after a step is done.
        """
        schedule, device = self.wanted.preset.meta_learning, self.learner.device
        make, steps = partial(self.batches.draw, part=self.place), range(first, schedule.steps)
        with closing(prefetched(make, steps, self.loaders, pinned=device.type == "cuda")) as made:
            episodes = next(made)
            started, waited_s = time.perf_counter(), 0.0
            for number in steps:
                values = _mean_over_processes(self.learner.step(number, episodes.on(device)), device)
                asked = time.perf_counter()
                if number != steps[-1]:
                    episodes = next(made)
                now = time.perf_counter()
                waited_s += now - asked
                values["images_per_s"] = (number + 1 - first) * schedule.batch / (now - started)
                values["data_share"] = waited_s / (now - started)
                yield number + 1, values

    def _columns(self) -> dict[str, np.ndarray]:
        """Return what a sample grid shows: some people of the training data, one row each."""
        batch = self.batches.unaltered(PEOPLE_SHOWN).on(self.learner.device)
        return {
            "support": to_images(batch.support_frames[:, 0]),
            "landmark map": to_images(batch.target_maps),
            "generated": to_images(self.learner.preview(batch)),
            "target": to_images(batch.target_frames),
        }

    def _keep(self, done: int) -> None:
        with publish(self.folder / RESUME_FILE) as temporary:
            save_file(self.learner.tensors(), temporary, {"step": str(done), "run": _identity_of(self.wanted)})

    def _resume(self) -> int:
        """Load the last saved state, if it is of this run, and return the step to go on with."""
        path, step = self.folder / RESUME_FILE, 0
        if path.is_file():
            with safe_open(path, "pt") as file:
                about = file.metadata()
            if about["run"] != _identity_of(self.wanted):
                raise HeadshotError(
                    f"{path} belongs to a run with another preset, dataset or seed; remove the folder, or name another "
                    "one with --run"
                )
            self.learner.load(load_file(path))
            step = int(about["step"])
        common = torch.tensor(float(step), device=self.learner.device)
        average([common])
        if common.item() != step:
            raise HeadshotError(
                f"the processes do not find the same state in {self.folder}: this one has step {step}; put the folder "
                "where all machines of the run see it"
            )
        return step


def _mean_over_processes(values: dict[str, float], device: torch.device) -> dict[str, float]:
    if not several():
        return values
    means = torch.tensor(list(values.values()), dtype=torch.float64, device=device)
    average([means])
    return dict(zip(values, means.tolist(), strict=True))


def default_loaders(device: torch.device) -> int:
    """Return how many processes prepare batches: none beside a CPU that is busy anyway, for a GPU what is to spare."""
    if device.type == "cpu":
        return 0
    cores = (os.cpu_count() or 1) // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return min(MOST_LOADERS, max(1, cores - 1))


def _execution(device: torch.device, place: Part, accumulate: int, *, compiled: bool) -> Execution:
    return Execution(
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU",
        precision=str(precision(device)).removeprefix("torch."),
        processes=place.of,
        accumulate=accumulate,
        compiled=compiled,
    )


def _check_divides(preset: AnyPreset, how: Execution) -> None:
    parts, batch = how.processes * how.accumulate, preset.meta_learning.batch
    if batch % parts:
        raise HeadshotError(
            f"the preset {preset.name} has batches of {batch} episodes, which {how.processes} processes with "
            f"--accumulate {how.accumulate} cannot divide evenly; choose numbers whose product divides {batch}"
        )


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
            f"{config.dataset} {config.dataset_sha256[:12]}, which is not what was asked for; remove the folder, "
            "or name another one with --run"
        )
    return config


def _identity_of(config: CheckpointConfig) -> str:
    """Return what makes two runs the same run, as text."""
    return config.model_dump_json(exclude={"model_sha256", "headshot_version", "torch_version", "execution"})


def _describe(
    store: Store, preset: AnyPreset, clips: Sequence[StoredClip], seed: int, execution: Execution
) -> CheckpointConfig:
    return CheckpointConfig(
        preset=preset,
        steps=preset.meta_learning.steps,
        seed=seed,
        execution=execution,
        dataset=store.info.name,
        dataset_sha256=store.sha256,
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
        weights=content_sha256(preset.losses.content_networks),
        headshot_version=version("headshot"),
        torch_version=torch.__version__,
    )
