"""The files of a dataset, in a folder or in object storage.

Both kinds can be pickled, and read from any process or thread: connections are made where they are first used.
"""

import os
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import IOBase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import fsspec
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from fsspec.utils import merge_offset_ranges

from weights.errors import HeadshotError

MERGED_GAP_BYTES = 512
"""Ranges that lie this near to each other are asked for as one: images of neighbouring rows are four bytes apart, or
a page header."""


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """A folder."""

    root: Path

    def __str__(self) -> str:
        """Return the folder."""
        return str(self.root)

    def read(self, name: str) -> bytes:
        """Return a whole file.

        Raises:
            FileNotFoundError: There is none.
        """
        return (self.root / name).read_bytes()

    def open(self, name: str) -> IOBase:
        """Return a file to seek and read in."""
        return (self.root / name).open("rb")

    def size_bytes(self, name: str) -> int | None:
        """Return the size of a file, None where there is none."""
        path = self.root / name
        return path.stat().st_size if path.is_file() else None

    @contextmanager
    def on_disk(self, name: str) -> Iterator[Path]:
        """Yield the path of a file."""
        yield self.root / name


@dataclass(frozen=True, slots=True)
class RemoteFiles:
    """A prefix in something that fsspec can read: S3, GCS, Azure, HTTP, ..."""

    filesystem: fsspec.AbstractFileSystem
    root: str

    def __str__(self) -> str:
        """Return the address."""
        return str(self._here().unstrip_protocol(self.root))

    def read(self, name: str) -> bytes:
        """Return a whole file.

        Raises:
            FileNotFoundError: There is none.
            OSError: It cannot be read.
        """
        with _os_errors():
            return bytes(self._here().cat_file(self._path(name)))

    def open(self, name: str) -> IOBase:
        """Return a file to seek and read in; every read is a request of its own."""
        file: IOBase = self._here().open(self._path(name), "rb", cache_type="none")
        return file

    def size_bytes(self, name: str) -> int | None:
        """Return the size of a file, None where there is none."""
        try:
            with _os_errors():
                size = self._here().size(self._path(name))
        except FileNotFoundError:
            return None
        return None if size is None else int(size)

    @contextmanager
    def on_disk(self, name: str) -> Iterator[Path]:
        """Yield the path of a copy of a file, which is there for the time of the block."""
        with TemporaryDirectory(prefix="headshot-") as folder:
            path = Path(folder) / Path(name).name
            with _os_errors():
                self._here().get_file(self._path(name), str(path))
            yield path

    def ranges(self, name: str, starts: Sequence[int], lengths: Sequence[int]) -> list[bytes]:
        """Return stretches of a file, all asked for at once; near ones in one request.

        Raises:
            OSError: The answer is not what was asked for.
        """
        if not len(starts):
            return []
        path = self._path(name)
        ends = [start + length for start, length in zip(starts, lengths, strict=True)]
        _, from_, to = merge_offset_ranges([path] * len(ends), list(starts), ends, max_gap=MERGED_GAP_BYTES)
        blocks = self._here().cat_ranges([path] * len(from_), from_, to, on_error="raise")
        for block, first, last in zip(blocks, from_, to, strict=True):
            if len(block) != last - first:
                raise OSError(
                    f"{self}/{name}: asked for {last - first} bytes from {first} on, got {len(block)}; the file is cut "
                    "off, or its server does not answer range requests"
                )
        held = [bisect_right(from_, start) - 1 for start in starts]
        return [
            blocks[block][start - from_[block] : end - from_[block]]
            for block, start, end in zip(held, starts, ends, strict=True)
        ]

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}"

    def _here(self) -> fsspec.AbstractFileSystem:
        return _filesystem_of_process(self.filesystem, os.getpid())


Files = LocalFiles | RemoteFiles


def find_files(root: Path | str, storage_options: Mapping[str, Any]) -> Files:
    """Return the files under a folder or an address such as `s3://bucket/dataset`.

    Args:
        root: Where they are.
        storage_options: What fsspec's file system for that address takes, such as `{"anon": True}`.

    Raises:
        HeadshotError: The address is of a kind that fsspec does not know, or that needs a package that is not there.
    """
    if isinstance(root, Path) or not is_address(root):
        return LocalFiles(Path(root).resolve())
    try:
        filesystem, path = url_to_fs(root, **storage_options)
    except (ImportError, ValueError) as error:
        raise HeadshotError(f"{root} cannot be opened: {error}") from error
    if isinstance(filesystem, LocalFileSystem):
        return LocalFiles(Path(path).resolve())
    return RemoteFiles(filesystem, path.rstrip("/"))


def is_address(text: str) -> bool:
    """Return whether a text names something that fsspec opens, rather than a folder."""
    return "://" in text or "::" in text


@contextmanager
def _os_errors() -> Iterator[None]:
    """Turn what can go wrong within the block into an `OSError`."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:  # of the libraries behind fsspec, each with classes of its own
        raise OSError(str(error) or type(error).__name__) from error


@lru_cache(maxsize=64)
def _filesystem_of_process(filesystem: fsspec.AbstractFileSystem, process: int) -> fsspec.AbstractFileSystem:
    """Return the same file system with connections of its own: a fork cannot use those of its parent."""
    del process
    return type(filesystem)(*filesystem.storage_args, **filesystem.storage_options)
