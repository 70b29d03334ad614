"""Single rows of a shard: images by `pread` and points by memory map from a local file, both by range requests else."""

import io
import mmap
import os
import weakref
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from pipeline.files import Files, LocalFiles, RemoteFiles
from pipeline.layout import NAMES, DatasetLayout
from pipeline.offsets import ROW_DTYPE
from weights.errors import HeadshotError

POINTS = 68
POINTS_BYTES = POINTS * 2 * 4
OPEN_SHARDS = 128
"""Shards kept open per process; each takes three file descriptors, of which many systems allow 1,024."""
KEPT_CLIPS = 4096
"""Byte indexes of clips in object storage that are kept in memory per process; a clip's is a few kilobytes."""


@runtime_checkable
class ShardReader(Protocol):
    """Reads rows of one shard."""

    def places(self, first_row: int, rows: int) -> np.ndarray:
        """Return where these rows lie, as `ROW_DTYPE`."""

    def images(self, places: np.ndarray) -> list[bytes]:
        """Return the stored images at these places."""

    def landmarks(self, places: np.ndarray) -> Float[np.ndarray, "rows 68 2"]:
        """Return the points at these places, in pixels of the stored image."""


def open_shard(files: Files, edition: str, shard: str, *, often: bool) -> ShardReader:
    """Return a reader of a shard; those of local shards are kept open.

    Args:
        files: Where the dataset lies.
        edition: What tells this edition of the dataset from an earlier or later one at the same place.
        shard: Its name.
        often: The dataset is small enough to stay in memory and to be read many times.
    """
    if isinstance(files, LocalFiles):
        return _open_local(files, edition, shard, often)
    return RemoteShard(files, edition, shard)


class LocalShard:
    """A shard in a file system.

    Images are read by `pread`, after the kernel was told of all of them, so that a cold disk is asked once and not
    nine times. Where the dataset stays in memory (`often`) they are copied out of the memory map: a third of the time
    for pages that were met before, and half as much again for those that were not. Points always are.

    Safe to share between threads and with forked processes: neither way of reading has a position.
    """

    def __init__(self, shard: Path, index: Path, *, often: bool) -> None:
        self._path, self._often = shard, often
        self._index: np.ndarray = np.load(index, mmap_mode="r", allow_pickle=False)
        self._index = self._index.view(np.ndarray)  # slicing a memmap itself is slow
        if self._index.dtype != ROW_DTYPE:
            raise _foreign(str(index))
        self._file = os.open(shard, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)
        self._map = mmap.mmap(self._file, 0, access=mmap.ACCESS_READ)

    def places(self, first_row: int, rows: int) -> np.ndarray:
        """Return where these rows lie."""
        return self._index[first_row : first_row + rows]

    def images(self, places: np.ndarray) -> list[bytes]:
        """Return the stored images at these places.

        Raises:
            OSError: The file ends before one of them does.
        """
        starts, lengths = places["image"].tolist(), places["image_bytes"].tolist()
        images = self._mapped(starts, lengths) if self._often else self._read(starts, lengths)
        if [len(image) for image in images] != lengths:
            raise OSError(f"{self._path} ends before its images do; `headshot verify` says what else is damaged")
        return images

    def landmarks(self, places: np.ndarray) -> Float[np.ndarray, "rows 68 2"]:
        """Return the points at these places."""
        starts = places["landmarks"].tolist()
        return _points(self._mapped(starts, [POINTS_BYTES] * len(starts)))

    def _read(self, starts: list[int], lengths: list[int]) -> list[bytes]:
        if hasattr(os, "posix_fadvise"):  # not on every Unix
            for start, length in zip(starts, lengths, strict=True):
                os.posix_fadvise(self._file, start, length, os.POSIX_FADV_WILLNEED)
        return [os.pread(self._file, length, start) for start, length in zip(starts, lengths, strict=True)]

    def _mapped(self, starts: list[int], lengths: list[int]) -> list[bytes]:
        return [self._map[start : start + length] for start, length in zip(starts, lengths, strict=True)]


@dataclass(frozen=True, slots=True)
class RemoteShard:
    """A shard in object storage: nothing is read but the rows, and the byte index of their clip."""

    files: RemoteFiles
    edition: str
    name: str

    def places(self, first_row: int, rows: int) -> np.ndarray:
        """Return where these rows lie."""
        return _remote_places(self.files, self.edition, self.name, first_row, rows)

    def images(self, places: np.ndarray) -> list[bytes]:
        """Return the stored images at these places.

        Raises:
            OSError: The answer is not what was asked for.
        """
        return self._ranges(places["image"].tolist(), places["image_bytes"].tolist())

    def landmarks(self, places: np.ndarray) -> Float[np.ndarray, "rows 68 2"]:
        """Return the points at these places."""
        return _points(self._ranges(places["landmarks"].tolist(), [POINTS_BYTES] * len(places)))

    def _ranges(self, starts: list[int], lengths: list[int]) -> list[bytes]:
        return self.files.ranges(NAMES.shard(self.name).as_posix(), starts, lengths)


@lru_cache(maxsize=OPEN_SHARDS)
def _open_local(files: LocalFiles, edition: str, shard: str, often: bool) -> LocalShard:
    del edition
    layout = DatasetLayout(files.root)
    return LocalShard(layout.shard(shard), layout.offsets(shard), often=often)


@lru_cache(maxsize=KEPT_CLIPS)
def _remote_places(files: RemoteFiles, edition: str, shard: str, first_row: int, rows: int) -> np.ndarray:
    """Return one clip's part of the byte index: with its header, which is equally long for any number of rows."""
    del edition
    name = NAMES.offsets(shard).as_posix()
    expected = _header()
    begin, length = len(expected) + first_row * ROW_DTYPE.itemsize, rows * ROW_DTYPE.itemsize
    header, body = files.ranges(name, [0, begin], [len(expected), length])
    if header.split(b"'shape'")[0] != expected.split(b"'shape'")[0]:
        raise _foreign(name)
    return np.frombuffer(body, ROW_DTYPE)


@cache
def _header() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.empty(0, ROW_DTYPE))
    return stream.getvalue()


def _foreign(name: str) -> HeadshotError:
    return HeadshotError(
        f"{name} is not a byte index of this version of headshot; make the dataset again with "
        "`headshot preprocess --replace`"
    )


def _points(rows: list[bytes]) -> Float[np.ndarray, "rows 68 2"]:
    return np.frombuffer(bytearray().join(rows), "<f4").reshape(-1, POINTS, 2)
