"""Systems that come with the benchmark, by name, and where their checkpoints lie in the folder of a run."""

from pathlib import Path

from eval.systems.baselines import CopySource, MeanFrame, NearestFrame
from eval.systems.protocol import System
from eval.systems.warps import WarpNearest, WarpNearest2x, WarpNearestUnsharp
from weights.errors import HeadshotError

BASELINES = (CopySource.name, NearestFrame.name, MeanFrame.name)
WARPS = (WarpNearest.name, WarpNearest2x.name, WarpNearestUnsharp.name)
LEARNED = ("x2face-compact", "pix2pixhd-compact")
"""Baselines that have to be trained; each is named like its preset."""
REFERENCE = ("reference-ff", "reference-ft")
NAMES = BASELINES + WARPS + LEARNED + REFERENCE
"""In the order in which tables show them."""
ALL, DEFAULT = "all", "default"


def choose_systems(text: str, run: Path) -> list[str]:
    """Return the names that a comma-separated list asks for.

    `default` stands for all that need no training, the reference model, and those learned baselines that have a
    checkpoint in the folder of the run; `all` for every built-in system. Whatever is asked for twice is there once.

    Raises:
        HeadshotError: A name is unknown, or there is none.
    """
    names: list[str] = []
    for name in filter(None, (part.strip() for part in text.split(","))):
        if name == DEFAULT:
            names += [one for one in NAMES if one not in LEARNED or _is_trained(run, one)]
        elif name == ALL:
            names += NAMES
        else:
            names.append(_known(name))
    if not names:
        raise HeadshotError(f"--systems {text!r} names no system; choose from {_choices()}")
    return list(dict.fromkeys(names))


def checkpoint_of(run: Path, name: str) -> Path:
    """Return the folder in a run where the checkpoint of a learned baseline, or of the reference model, belongs."""
    return run / "baselines" / name if name in LEARNED else run / "checkpoint"


def checkpoint_folders(run: Path) -> list[Path]:
    """Return every folder in a run that may hold a checkpoint."""
    return list(dict.fromkeys(checkpoint_of(run, name) for name in REFERENCE + LEARNED))


def load_system(name: str, *, checkpoint: Path | None = None, device: str = "auto") -> System:
    """Return a built-in system.

    Args:
        name: One of `NAMES`.
        checkpoint: Folder of its checkpoint; systems that learn nothing need none.
        device: `auto`, `cpu` or `cuda`, for what has a checkpoint.

    Raises:
        HeadshotError: There is no such system, or its checkpoint is missing.
    """
    for untrained in (CopySource, NearestFrame, MeanFrame, WarpNearest, WarpNearest2x, WarpNearestUnsharp):
        if _known(name) == untrained.name:
            return untrained()
    preset = f" {name}" if name in LEARNED else ""
    if checkpoint is None:
        raise HeadshotError(f"the system {name} needs a checkpoint; train one with `headshot train{preset}`")
    from eval.systems import learned, reference

    kinds = (
        learned.X2FaceCompact,
        learned.Pix2pixHDCompact,
        reference.ReferenceFeedForward,
        reference.ReferenceFineTuned,
    )
    return next(kind for kind in kinds if kind.name == name)(checkpoint, device)


def _known(name: str) -> str:
    if name not in NAMES:
        raise HeadshotError(f"there is no system {name!r}; choose from {_choices()}")
    return name


def _choices() -> str:
    return ", ".join((DEFAULT, ALL, *NAMES))


def _is_trained(run: Path, name: str) -> bool:
    from model.checkpoint import CONFIG_FILE

    return (checkpoint_of(run, name) / CONFIG_FILE).is_file()
