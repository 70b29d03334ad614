"""Read a dataset: clips and their terms from the index, single frames straight from the shards."""

import hashlib
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float, Int, UInt8

from pipeline.audio import Sound
from pipeline.clip_rows import ClipRows
from pipeline.dataset_info import DatasetInfo
from pipeline.files import Files, find_files
from pipeline.images import decode
from pipeline.landmarks import rescale
from pipeline.layout import NAMES
from pipeline.picture_shard import PICTURE
from pipeline.shard_reader import ShardReader, open_shard
from pipeline.sound_shard import stored_sound
from pipeline.versions import parse
from weights.errors import HeadshotError

CACHED_COLUMNS = 512
"""Columns of clips kept in memory per process."""
IN_MEMORY_SHARE = 0.25
"""Of the machine's memory; the rest is for everything else, a training run above all."""

Rows = Sequence[int] | Int[np.ndarray, " rows"]


@runtime_checkable
class Place(Protocol):
    """Where the rows of a clip are: all that reading its frames takes."""

    @property
    def shard(self) -> str:
        """Name of the shard."""

    @property
    def first_row(self) -> int:
        """Position in the shard; rows are counted from here in everything a `Store` takes and gives."""

    @property
    def frames(self) -> int:
        """Number of rows."""


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
    """A finished dataset, in a folder or in object storage.

    Safe to pickle, fork and spawn, and to share between threads: files are opened where they are first read.
    """

    files: Files
    info: DatasetInfo
    sha256: str
    """Of `dataset.json`, which has the hash of every shard."""
    clips: ClipRows[ClipEntry]
    """Sorted by key."""
    rejects: ClipRows[RejectRow]
    """Sorted by key."""
    stays_in_memory: bool = False
    """The dataset is small beside this machine's memory: what was read of it once is not read from disk again."""
    gives_irises: bool = False
    """See `with_irises`."""

    @classmethod
    def open(cls, root: Path | str, storage_options: Mapping[str, Any] | None = None) -> "Store":
        """Return the dataset in a folder, or at an address that fsspec knows, such as `s3://bucket/dataset`.

        Args:
            root: Where it is.
            storage_options: What fsspec's file system for that address takes; nothing for a folder.

        Raises:
            HeadshotError: There is none, it is not finished, it may not be read, another version of headshot made it,
                or the address needs a package that is not there.
        """
        files = find_files(root, storage_options or {})
        try:
            text = files.read(NAMES.info.as_posix())
        except FileNotFoundError:
            raise HeadshotError(
                f"{root} holds no finished dataset (no {NAMES.info}); make it, or finish it, with `headshot preprocess`"
            ) from None
        except OSError as error:
            raise HeadshotError(f"{root} cannot be read: {error}") from error
        info, sha256 = parse(DatasetInfo, text, f"{files}/{NAMES.info}"), hashlib.sha256(text).hexdigest()
        return cls(
            files,
            info,
            sha256,
            clips=ClipRows(files, sha256, NAMES.index.as_posix(), ClipEntry),
            rejects=ClipRows(files, sha256, NAMES.rejects.as_posix(), RejectRow),
            stays_in_memory=sum(shard.size_bytes for shard in info.shards) <= IN_MEMORY_SHARE * _memory_bytes(),
        )

    @property
    def root(self) -> str:
        """The folder or address."""
        return str(self.files)

    def clip(self, key: str) -> ClipEntry:
        """Return the clip with this key.

        Raises:
            HeadshotError: It is not in the dataset; says why if it was rejected.
        """
        clip = self.clips.find(key)
        if clip is not None:
            return clip
        reject = self.rejects.find(key)
        why = f"was rejected: {reject.reason}, {reject.detail}" if reject else "is not in its manifest"
        raise HeadshotError(f"clip {key} is not in the dataset {self.root}: it {why}")

    def reject_pictures(self, keys: Collection[str]) -> dict[str, bytes]:
        """Return JPEGs that show why clips were left out, by key; one of which none was kept is not among them."""
        wanted, found = set(keys), {}
        with self.files.open(NAMES.rejects.as_posix()) as file, pq.ParquetFile(file) as parquet:
            groups = parquet.num_row_groups if PICTURE in parquet.schema_arrow.names else 0
            for group in range(groups):
                if wanted.intersection(parquet.read_row_group(group, columns=["key"])["key"].to_pylist()):
                    rows = parquet.read_row_group(group, columns=["key", PICTURE]).to_pylist()
                    found.update({row["key"]: row[PICTURE] for row in rows if row["key"] in wanted and row[PICTURE]})
        return found

    def index(self) -> pa.Table:
        """Return the index with all its columns, one row per clip in the order of `clips`: for choosing by quality."""
        with self.files.open(NAMES.index.as_posix()) as file:
            return pq.read_table(file)

    def with_irises(self) -> "Store":
        """Return the same dataset with the iris centres of the right and of the left eye behind the 68 `landmarks`.

        Raises:
            HeadshotError: The dataset was made without irises.
        """
        if not self.info.config.gaze:
            raise HeadshotError(
                f"the dataset {self.root} has no iris positions, which a model with gaze needs; make it again with "
                "`headshot preprocess --gaze`, or use a model that was trained without `--gaze`"
            )
        return replace(self, gives_irises=True)

    def usable_rows(self, clip: Place) -> Int[np.ndarray, " rows"]:
        """Return the rows of a clip that have a face."""
        return np.flatnonzero(self._shard(clip).places(clip.first_row, clip.frames)["ok"])

    def encoded(self, clip: Place, rows: Rows) -> list[bytes]:
        """Return images of a clip as they are stored, reading nothing but them."""
        shard = self._shard(clip)
        return shard.images(shard.places(clip.first_row, clip.frames)[np.asarray(rows, int)])

    def frames(self, clip: Place, rows: Rows, size_px: int | None = None) -> UInt8[np.ndarray, "rows size size 3"]:
        """Return images of a clip as RGB, at the stored size or brought to `size_px` by area averaging."""
        stored = self.info.config.size_px
        size, images = size_px or stored, self.encoded(clip, rows)
        frames = np.empty((len(images), size, size, 3), np.uint8)
        for frame, image in zip(frames, images, strict=True):
            if size == stored:
                decode(image, out=frame)
            else:
                frame[...] = _resized(decode(image), size)
        return frames

    def landmarks(self, clip: Place, rows: Rows, size_px: int | None = None) -> Float[np.ndarray, "rows points 2"]:
        """Return points in pixels of the image at the stored size, or at `size_px`; NaN where there is no face.

        68 a row, and 70 from a dataset `with_irises`.
        """
        shard, stored = self._shard(clip), self.info.config.size_px
        points = shard.landmarks(shard.places(clip.first_row, clip.frames)[np.asarray(rows, int)])
        if self.gives_irises:
            points = np.concatenate([points, self._irises(clip, rows)], axis=1)
        return points if size_px in (None, stored) else rescale(points, stored, size_px)

    def sound(self, clip: ClipEntry) -> Sound | None:
        """Return the sound of a clip, None where it has none (`sound_flaw` in the index says why).

        It spans the stored frames as far as it was recorded. Its `start_s` is counted from the first of them; a row
        shows what is heard from `column(clip, "pts_s")[row] - column(clip, "pts_s")[0]` on.

        Raises:
            HeadshotError: The dataset was made without sound.
        """
        if not self.info.config.audio:
            raise HeadshotError(f"{self.root} was made without sound; make it again with `headshot preprocess --audio`")
        return stored_sound(self.files, self.sha256, clip.shard, (clip.identity, clip.video, clip.clip))

    def column(self, clip: ClipEntry, name: str) -> np.ndarray:
        """Return one column of a clip, all rows: lists as (rows, length), text as objects. Not to be written to."""
        path = NAMES.shard(clip.shard).as_posix()
        return _column(self.files, self.sha256, path, clip.row_group, clip.row_groups, name)

    def _irises(self, clip: Place, rows: Rows) -> Float[np.ndarray, "rows 2 2"]:
        if not isinstance(clip, ClipEntry):
            raise TypeError("irises are read for clips of the index")
        return np.asarray(self.column(clip, "irises")[np.asarray(rows, int)].reshape(-1, 2, 2))

    def _shard(self, clip: Place) -> ShardReader:
        return open_shard(self.files, self.sha256, clip.shard, often=self.stays_in_memory)


def _memory_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _resized(rgb: UInt8[np.ndarray, "stored stored 3"], size: int) -> UInt8[np.ndarray, "size size 3"]:
    method = cv2.INTER_AREA if rgb.shape[0] > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, (size, size), interpolation=method))


@lru_cache(maxsize=CACHED_COLUMNS)
def _column(files: Files, edition: str, path: str, first_group: int, groups: int, name: str) -> np.ndarray:
    del edition
    with files.open(path) as file, pq.ParquetFile(file) as parquet:
        table = parquet.read_row_groups(range(first_group, first_group + groups), columns=[name])
    column = table[name].combine_chunks()
    width = getattr(column.type, "list_size", None)
    values = column.flatten() if width else column
    array = values.to_numpy(zero_copy_only=False).reshape(len(column), *([width] if width else []))
    array.flags.writeable = False
    return np.asarray(array)
