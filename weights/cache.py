"""The folder that keeps fetched files by their content, shared by all runs, safe for concurrent fetchers."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from weights.files import TEMPORARY_MARK, publish


def cache_dir() -> Path:
    """Return `$HEADSHOT_CACHE`, else `~/.cache/headshot`; the folder may not exist yet."""
    chosen = os.environ.get("HEADSHOT_CACHE")
    return Path(chosen).expanduser().absolute() if chosen else Path.home() / ".cache" / "headshot"


def file_path(sha256: str, name: str) -> Path:
    """Return where the file with this content lies. The name is kept because loaders look at the suffix."""
    return cache_dir() / "files" / sha256 / name


@contextmanager
def workspace(name: str) -> Iterator[Path]:
    """Yield an empty private folder that only one fetcher on this cache holds at a time.

    The lock belongs to the process and ends with it, so a killed fetcher blocks nobody; the next one to
    come clears what it left. Look again for the wanted files once inside: another fetcher may have brought
    them in the meantime.

    Args:
        name: What is being fetched; same name, same lock.
    """
    lock = cache_dir() / "locks" / name
    folder = cache_dir() / "work" / name
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def move_into_place(source: Path, destination: Path) -> None:
    """Move a verified file to its final place, all or nothing, also across file systems.

    Call it inside the `workspace` that guards `destination`: half-written copies that a killed fetcher left
    beside it are removed first.
    """
    for leftover in destination.parent.glob(f".{destination.stem}{TEMPORARY_MARK}*{destination.suffix}"):
        leftover.unlink(missing_ok=True)
    with publish(destination) as temporary:
        shutil.move(source, temporary)
