"""The video files that are there, found by name, whatever their suffix and the folder they lie in."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from weights.errors import HeadshotError

VIDEO_SUFFIXES = frozenset(
    {".3gp", ".avi", ".flv", ".gif", ".h264", ".m2ts", ".m4v", ".mkv", ".mov"}
    | {".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFacts:
    """What a file says about its picture."""

    aspect: float
    """Width over height of the upright picture with square pixels."""
    fps: float | None
    """Average frame rate, None where the file does not say."""


AskVideo = Callable[[Path], VideoFacts | None]
"""Returns what a video file says, None if it cannot be opened. Readers are given it, for they decode nothing."""


def nobody_asks(_: Path) -> VideoFacts | None:
    """Return None: no file is opened."""
    return None


class Videos:
    """The video files below a folder.

    Args:
        folder: Where to look, subfolders and links to folders included; None if no videos are there yet.
        ask: Opens a file and says what its picture is like.

    Raises:
        HeadshotError: `folder` is not a folder.
    """

    def __init__(self, folder: Path | None, ask: AskVideo = nobody_asks) -> None:
        if folder is not None and not folder.is_dir():
            raise HeadshotError(f"--videos {folder}: there is no such folder; correct it, or leave it out")
        self._folder, self._ask = folder, ask
        self._paths = [] if folder is None else sorted(path for path in files_below(folder) if is_video(path))
        self._by_parts: dict[int, dict[str, str]] = {}

    def find(self, *names: str) -> str | None:
        """Return the path of the first of these videos that is there, relative to the folder.

        Args:
            names: Without suffix. `abc` is found in any subfolder; `person/abc` where its folder is called so. Of
                several files of one name the first in alphabetical order of their paths is taken.
        """
        for name in names:
            parts = name.count("/") + 1
            if parts not in self._by_parts:
                self._by_parts[parts] = self._index(parts)
            if name in self._by_parts[parts]:
                return self._by_parts[parts][name]
        return None

    def facts(self, path: str) -> VideoFacts | None:
        """Return what the video at a path of `find` says about itself, None if it cannot be opened."""
        return None if self._folder is None else self._ask(self._folder / path)

    def _index(self, parts: int) -> dict[str, str]:
        found: dict[str, str] = {}
        for path in self._paths:
            stem = path[: path.rindex(".")]
            found.setdefault("/".join(stem.split("/")[-parts:]), path)
        return found


def is_video(path: str) -> bool:
    """Return whether a path has the suffix of a video."""
    return PurePosixPath(path).suffix.lower() in VIDEO_SUFFIXES


def files_below(folder: Path) -> Iterator[str]:
    """Yield the path of every file below a folder, relative to it, with `/` between its parts.

    Hidden files and folders are passed over, links to folders are followed once.
    """
    seen: set[tuple[int, int]] = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        status = Path(root).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = Path(root).relative_to(folder).as_posix()
        prefix = "" if below == "." else f"{below}/"
        yield from (prefix + name for name in sorted(files) if not name.startswith("."))
