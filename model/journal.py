"""What a training run tells while it runs: the values of `stats.jsonl` and TensorBoard, and sample grids."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tensorboardX import SummaryWriter

from model.sample_grid import Images, grid, write_grid
from weights.files import publish_text

STATS_FILE = "stats.jsonl"
EVENTS_FOLDER = "tensorboard"
GRIDS_FOLDER = "grids"
DIGITS = 6


class Journal:
    """The journal of one run, in the folder of its checkpoint. Steps from `done` on are written anew.

    Args:
        folder: Of the checkpoint.
        done: Steps that were finished before; what the journal says of later ones is dropped.
    """

    def __init__(self, folder: Path, done: int) -> None:
        self.folder = folder
        _cut(folder / STATS_FILE, done)
        self._events = SummaryWriter(str(folder / EVENTS_FOLDER), purge_step=done + 1)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._events.close()

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Add the values after so many steps, the same to the file and to TensorBoard."""
        rounded = {name: round(value, DIGITS) for name, value in values.items()}
        with (self.folder / STATS_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step} | rounded) + "\n")
        for name, value in rounded.items():
            self._events.add_scalar(name, value, step)
        self._events.flush()

    def show(self, step: int, columns: Mapping[str, Images]) -> None:
        """Write a grid of pictures after so many steps; see `model.sample_grid.grid`."""
        write_grid(self.folder / GRIDS_FOLDER / f"step-{step:07d}.png", grid(columns))


def _cut(path: Path, done: int) -> None:
    """Drop the lines of steps that will be run again, and one that a kill cut short."""
    if path.is_file():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= done]
        publish_text(path, "".join(kept))
