"""Predictions that were made elsewhere, as a system."""

import hashlib
import json
import os
import tomllib
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from pydantic import JsonValue, ValidationError

from eval.systems.protocol import Asked, Delivered
from eval.systems.received import READERS, Found
from weights.errors import HeadshotError
from weights.files import sha256_of
from weights.record import Record

ABOUT_FILE = "system.toml"


class About(Record):
    """What a folder of predictions may say about itself, in `system.toml`."""

    title: str = ""
    gaze: bool = False
    """The tasks were asked for with irises."""
    training_identities: frozenset[str] = frozenset()
    """People the model learned from."""


class FinishedPredictions:
    """A folder that holds `<id>/00000.png` and so on, `<id>.mp4`, `<id>.webm` or `<id>.parquet` for each task.

    The ids are those of the request that the frames answer (`headshot request`). An id is a hash of all that was asked,
    so frames that were made for other tasks, another size or another dataset are not found, and never scored.

    Args:
        name: Of the system.
        folder: Where the predictions are.

    Raises:
        HeadshotError: There is no such folder, or its `system.toml` is not one.
    """

    def __init__(self, name: str, folder: Path) -> None:
        if not folder.is_dir():
            raise HeadshotError(f"{name}: there is no folder {folder} with finished predictions")
        about = _about(folder)
        self.name = name
        self.title = about.title or name
        self.gaze = about.gaze
        self.training_identities = about.training_identities
        self._folder = folder.resolve()

    @cached_property
    def config(self) -> dict[str, JsonValue]:
        """The hash of everything in the folder: a changed picture is another system."""
        return {"kind": "finished predictions", "version": 1, "content_sha256": _content_sha256(self._folder)}

    def render_all(self, asked: Iterable[Asked]) -> Iterator[Delivered]:
        """Yield the frames that are there, and why the others are not."""
        for one in asked:
            found = self._find(one.id, len(one.driving_landmarks), one.support.size_px)
            yield Delivered.of(one.id, found, one.support.size_px)

    def _find(self, task: str, count: int, size_px: int) -> Found:
        there = [ending for ending in READERS if os.path.lexists(self._folder / (task + ending))]
        if not there:
            return dict.fromkeys(range(count), f"missing: there is nothing for the task {task}")
        if len(there) > 1:
            names = " and ".join(task + ending for ending in there)
            return dict.fromkeys(range(count), f"bad_output: there is {names}; which is meant?")
        return READERS[there[0]](self._folder / (task + there[0]), count, size_px)


def _about(folder: Path) -> About:
    path = folder / ABOUT_FILE
    try:
        return About.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))) if path.exists() else About()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise HeadshotError(f"{path} does not describe a system: {error}") from None


def _content_sha256(folder: Path) -> str:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    content = {path.relative_to(folder).as_posix(): sha256_of(path) for path in paths}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
