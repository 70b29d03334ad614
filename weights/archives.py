"""Reading members out of pinned archives: hash first, then open."""

import gzip
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from weights.errors import ArchiveUnavailable
from weights.files import sha256_of
from weights.providers import Archive, download

Progress = Callable[[str, int, int], None]
"""Called with the name of an archive, the bytes that are here and the bytes expected, from the thread that downloads.
Where nobody states a size, the bytes expected are those that are here."""


def fetch_members(
    archive: Archive, members: Mapping[str, str], folder: Path, progress: Progress | None = None
) -> dict[str, Path]:
    """Download `archive`, compare its hash, take `members` out of it and delete it.

    Args:
        archive: What to download.
        members: The sha256 of each wanted member, by its path in the archive.
        folder: An empty folder of the caller's, see `weights.cache.workspace`.
        progress: Told about the download.

    Returns:
        The file of each member, inside `folder`; every one has the hash that was asked for.

    Raises:
        ArchiveUnavailable: The archive cannot be had, or it or a member is not what was pinned.
    """
    path = fetch_archive(archive, folder, progress)
    files = take_members(path, members, folder)
    path.unlink()
    return files


def fetch_archive(archive: Archive, folder: Path, progress: Progress | None = None) -> Path:
    """Download `archive` into the empty `folder` and compare its hash.

    Raises:
        ArchiveUnavailable: The archive cannot be had or is not the pinned one.
    """

    def on_bytes(done: int) -> None:
        if progress:
            expected = archive.size_bytes or done
            progress(archive.name, min(done, expected), expected)

    on_bytes(0)
    path = download(archive, folder, on_bytes)
    found = sha256_of(path)
    if not found.startswith(archive.sha256):
        raise ArchiveUnavailable(f"{archive.name} has the sha256 {found}, but {archive.sha256} is pinned; not opened")
    on_bytes(path.stat().st_size)
    return path


def take_members(archive: Path, members: Mapping[str, str], folder: Path) -> dict[str, Path]:
    """Copy `members` (path in the archive: sha256) to new files in `folder`; only plain files are read.

    Nothing is ever written to a place that the archive names.

    Raises:
        ArchiveUnavailable: A member is absent, not a plain file, or has another hash.
    """
    files: dict[str, Path] = {}

    def keep(member: str, stream: IO[bytes]) -> None:
        target = folder / f"member-{len(files)}"
        with target.open("wb") as file:
            shutil.copyfileobj(stream, file, 1 << 20)
        found = sha256_of(target)
        if found != members[member]:
            target.unlink()
            raise ArchiveUnavailable(f"{member} in {archive.name} has the sha256 {found}, not {members[member]}")
        files[member] = target

    read = _read_zip if zipfile.is_zipfile(archive) else _read_tar
    try:
        read(archive, members, keep)
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ArchiveUnavailable(f"{archive.name} cannot be read as an archive ({error})") from error
    absent = sorted(set(members) - set(files))
    if absent:
        raise ArchiveUnavailable(f"{archive.name} has no plain file {', '.join(absent)}")
    return files


def _read_zip(archive: Path, members: Mapping[str, str], keep: Callable[[str, IO[bytes]], None]) -> None:
    with zipfile.ZipFile(archive) as bundle:
        for member in set(members) & set(bundle.namelist()):
            with bundle.open(member) as stream:
                keep(member, stream)


def _read_tar(archive: Path, members: Mapping[str, str], keep: Callable[[str, IO[bytes]], None]) -> None:
    wanted = set(members)
    with tarfile.open(archive) as bundle:
        for info in bundle:  # one pass: looking a member up would decompress everything first
            if info.name in wanted and info.isfile():
                stream = bundle.extractfile(info)
                assert stream is not None  # it is a plain file
                keep(info.name, stream)
                wanted.remove(info.name)
            if not wanted:
                break
