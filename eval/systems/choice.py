"""Systems as a command line asks for them: built-in ones by name, others by where they are."""

import re
from pathlib import Path

from eval.systems.builtin import NAMES, checkpoint_of, choose_systems, load_system
from eval.systems.external import ExternalSpec, ExternalSystem
from eval.systems.finished import FinishedPredictions
from eval.systems.protocol import AnySystem
from weights.errors import HeadshotError

_OTHER = re.compile(r"(?P<name>[^=]*)=(?P<kind>dir|cmd):(?P<place>.+)", re.DOTALL)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
LOGS_FOLDER = "logs"


def load_systems(text: str, run: Path, *, device: str = "auto") -> list[AnySystem]:
    """Return the systems of a comma-separated list, in its order.

    Built-in ones are named as in `choose_systems`. `NAME=dir:FOLDER` is a folder of finished predictions,
    `NAME=cmd:FILE.toml` a program that the file describes; the name is up to the user.

    Args:
        text: The list.
        run: Folder of the run, which holds checkpoints and gets the logs of programs.
        device: For systems with a checkpoint.

    Raises:
        HeadshotError: A system is unknown, has no usable name, or is not there.
    """
    names: dict[str, re.Match[str] | None] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        other = _OTHER.fullmatch(part)
        if other is None:
            names |= dict.fromkeys(choose_systems(part, run))
        elif _is_usable(other["name"]) and other["name"] not in names:
            names[other["name"]] = other
        else:
            raise HeadshotError(
                f"--systems {part}: give it a name of its own in small letters, digits, dots and dashes, one that no "
                "other system has"
            )
    if not names:
        choose_systems("", run)
    return [_load(name, other, run, device) for name, other in names.items()]


def _is_usable(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and name not in NAMES


def _load(name: str, other: re.Match[str] | None, run: Path, device: str) -> AnySystem:
    if other is None:
        return load_system(name, checkpoint=checkpoint_of(run, name), device=device)
    place = Path(other["place"]).expanduser()
    if other["kind"] == "dir":
        return FinishedPredictions(name, place)
    return ExternalSystem(name, ExternalSpec.load(place), run / LOGS_FOLDER / f"{name}.log")
