"""People who leave a dataset, and how to stop them half-way; faces are discs."""

import importlib
from collections.abc import Callable
from datetime import date
from pathlib import Path

from manifests.schema import Manifest
from pipeline import takedown
from pipeline.takedown import take_out
from pipeline.takedown_notes import begin
from tests.pipeline.conftest import SMALL, disc_frames, encode_video
from weights.files import sha256_of

PEOPLE = ("ann", "bobby", "cy", "dora")
TOGETHER = SMALL.model_copy(update={"min_shards": 1, "row_group_frames": 16})
"""Everybody of a split in one shard, and several row groups a clip."""


def make_people(folder: Path) -> dict[str, Path]:
    """Film four people, each of a size and at a place of their own."""
    return {
        name: encode_video(folder / f"{name}.mp4", disc_frames(30 + 2 * number, [(60 + 9 * number, 60, 22 + number)]))
        for number, name in enumerate(PEOPLE)
    }


def without(root: Path, identity: str) -> tuple[takedown.Change, ...]:
    begun = begin(root, identity)
    return take_out(root, begun)


def hashes(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): sha256_of(path) for path in sorted(root.rglob("*")) if path.is_file()}


def marked(manifest: Manifest, identity: str, day: date) -> Manifest:
    clips = (
        clip.model_copy(update={"withdrawn": day}) if clip.identity == identity else clip for clip in manifest.clips
    )
    return manifest.model_copy(update={"clips": tuple(clips)})


def killed_at(call: int, place: str) -> Callable[..., object]:
    """Return the function at `place`, which raises at its n-th call, before it does anything."""
    module, _, name = place.rpartition(".")
    real = getattr(importlib.import_module(module), name)
    calls = iter(range(1, 100))

    def stand_in(*arguments: object, **options: object) -> object:
        if next(calls) == call:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    return stand_in
