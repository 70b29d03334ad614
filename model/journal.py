"""What a training run tells while it runs: the values of `stats.jsonl` and TensorBoard, and sample grids."""

import json
import shutil
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


FLUSH_S = 10


class Journal:
    """The journal of one run, in the folder of its checkpoint.

    TensorBoard's events are a copy: they are made anew from `stats.jsonl` where a run goes on.

    Args:
        folder: Of the checkpoint.
        done: Steps that were finished before; what the journal says of later ones is dropped.
    """

    def __init__(self, folder: Path, done: int) -> None:
        self.folder = folder
        shutil.rmtree(folder / EVENTS_FOLDER, ignore_errors=True)
        self._events = SummaryWriter(str(folder / EVENTS_FOLDER), flush_secs=FLUSH_S)
        for line in _cut(folder / STATS_FILE, done):
            self._plot(line)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._events.close()

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Add the values after so many steps, the same to the file and to TensorBoard."""
        line = {"step": step} | {name: round(value, DIGITS) for name, value in values.items()}
        with (self.folder / STATS_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self._plot(line)

    def show(self, step: int, columns: Mapping[str, Images]) -> None:
        """Write a grid of pictures after so many steps; see `model.sample_grid.grid`."""
        write_grid(self.folder / GRIDS_FOLDER / f"step-{step:07d}.png", grid(columns))

    def _plot(self, line: Mapping[str, float]) -> None:
        for name, value in line.items():
            if name != "step":
                self._events.add_scalar(name, value, line["step"])


def _cut(path: Path, done: int) -> list[dict[str, float]]:
    """Drop the lines of steps that will be run again, and one that a kill cut short; return those that stay."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    read = [(text, json.loads(text)) for text in lines if text.endswith("\n")]
    kept = [(text, line) for text, line in read if line["step"] <= done]
    publish_text(path, "".join(text for text, _ in kept))
    return [line for _, line in kept]
