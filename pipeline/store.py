"""Read a dataset: clips and their terms from the index, single frames straight from the shards."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
from jaxtyping import Float, Int, UInt8

from pipeline.dataset_info import DatasetInfo
from pipeline.images import decode
from pipeline.landmarks import rescale
from pipeline.layout import DatasetLayout
from weights.errors import HeadshotError

CACHED_COLUMNS = 512
"""Columns of clips kept in memory per process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipEntry:
    """A clip of the dataset: where its rows are, and the terms of its use."""

    key: str
    identity: str
    video: str
    clip: str
    split: str
    shard: str
    row_group: int
    row_groups: int
    first_row: int
    """Position in the shard; rows are counted from here in everything a `Store` takes and gives."""
    frames: int
    usable_frames: int
    licence: str
    consent: str
    credit: str
    source_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectRow:
    """A clip that is not in the dataset, and why."""

    key: str
    identity: str
    split: str
    reason: str
    detail: str
    licence: str
    source_url: str


@dataclass(frozen=True, slots=True)
class Store:
    """A finished dataset. Safe to pickle, fork and spawn: files are opened where they are first read."""

    root: Path
    info: DatasetInfo
    clips: tuple[ClipEntry, ...]
    rejects: tuple[RejectRow, ...]
    _by_key: dict[str, ClipEntry] = field(repr=False)

    @classmethod
    def open(cls, root: Path) -> "Store":
        """Return the dataset in a folder.

        Raises:
            HeadshotError: There is none, or it is not finished.
        """
        layout = DatasetLayout(root.resolve())
        if not layout.info.is_file():
            raise HeadshotError(
                f"{root} holds no finished dataset (no {layout.info.name}); "
                "make it, or finish it, with `headshot preprocess`"
            )
        info = DatasetInfo.model_validate_json(layout.info.read_text(encoding="utf-8"))
        clips = tuple(ClipEntry(**row) for row in _rows(layout.index, ClipEntry))
        rejects = tuple(RejectRow(**row) for row in _rows(layout.rejects, RejectRow))
        return cls(layout.root, info, clips, rejects, {clip.key: clip for clip in clips})

    def clip(self, key: str) -> ClipEntry:
        """Return the clip with this key.

        Raises:
            HeadshotError: It is not in the dataset; says why if it was rejected.
        """
        if key in self._by_key:
            return self._by_key[key]
        reject = next((reject for reject in self.rejects if reject.key == key), None)
        why = f"was rejected: {reject.reason}, {reject.detail}" if reject else "is not in its manifest"
        raise HeadshotError(f"clip {key} is not in the dataset {self.root}: it {why}")

    def usable_rows(self, clip: ClipEntry) -> Int[np.ndarray, " rows"]:
        """Return the rows of a clip that have a face."""
        return np.flatnonzero(self.column(clip, "ok"))

    def encoded(self, clip: ClipEntry, rows: Sequence[int] | Int[np.ndarray, " rows"]) -> list[bytes]:
        """Return images of a clip as they are stored, reading nothing but them."""
        layout = DatasetLayout(self.root)
        places = _offsets(layout.offsets(clip.shard))[clip.first_row : clip.first_row + clip.frames]
        file = _descriptor(layout.shard(clip.shard))
        return [os.pread(file, int(length), int(offset)) for offset, length in places[np.asarray(rows, int)]]

    def frames(
        self, clip: ClipEntry, rows: Sequence[int] | Int[np.ndarray, " rows"], size_px: int | None = None
    ) -> UInt8[np.ndarray, "rows size size 3"]:
        """Return images of a clip as RGB, at the stored size or brought to `size_px` by area averaging."""
        size = size_px or self.info.config.size_px
        images = [_resized(decode(encoded), size) for encoded in self.encoded(clip, rows)]
        return np.stack(images) if images else np.empty((0, size, size, 3), np.uint8)

    def landmarks(
        self, clip: ClipEntry, rows: Sequence[int] | Int[np.ndarray, " rows"], size_px: int | None = None
    ) -> Float[np.ndarray, "rows 68 2"]:
        """Return points in pixels of the image at the stored size, or at `size_px`; NaN where there is no face."""
        points = self.column(clip, "landmarks")[np.asarray(rows, int)].reshape(-1, 68, 2)
        stored = self.info.config.size_px
        return points.copy() if size_px in (None, stored) else rescale(points, stored, size_px)

    def column(self, clip: ClipEntry, name: str) -> np.ndarray:
        """Return one column of a clip, all rows: lists as (rows, length), text as objects. Not to be written to."""
        return _column(DatasetLayout(self.root).shard(clip.shard), clip.row_group, clip.row_groups, name)


def _rows(path: Path, kind: type[ClipEntry] | type[RejectRow]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path, columns=list(kind.__dataclass_fields__)).to_pylist()
    return rows


def _resized(rgb: UInt8[np.ndarray, "stored stored 3"], size: int) -> UInt8[np.ndarray, "size size 3"]:
    if rgb.shape[0] == size:
        return rgb
    method = cv2.INTER_AREA if rgb.shape[0] > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, (size, size), interpolation=method))


@lru_cache(maxsize=1024)
def _offsets(path: Path) -> np.ndarray:
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


@lru_cache(maxsize=1024)
def _descriptor(path: Path) -> int:
    """Return an open file; `pread` shares it safely between threads and forks."""
    return os.open(path, os.O_RDONLY)


@lru_cache(maxsize=CACHED_COLUMNS)
def _column(path: Path, first_group: int, groups: int, name: str) -> np.ndarray:
    with pq.ParquetFile(path) as parquet:
        table = parquet.read_row_groups(range(first_group, first_group + groups), columns=[name])
    column = table[name].combine_chunks()
    width = getattr(column.type, "list_size", None)
    values = column.flatten() if width else column
    array = values.to_numpy(zero_copy_only=False).reshape(len(column), *([width] if width else []))
    array.flags.writeable = False
    return np.asarray(array)
