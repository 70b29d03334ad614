"""From the annotation files of a corpus to a manifest: what all readers share.

A reader is a function that takes the path of the annotations, a `Videos` and `Terms` and yields, in the order of
the files, a `Clip` for every entry and a `Problem` for every entry that cannot be one. Nothing else happens to an
entry: a clip whose video is not there is a clip all the same, and preprocessing rejects it as `missing_source`.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatch
from pathlib import Path

from pydantic import ValidationError

from manifests.garbage import collection_paused
from manifests.schema import Clip, Manifest
from manifests.videos import files_below
from weights.errors import HeadshotError


class ProblemReason(StrEnum):
    """One word for each way an entry can fail to be a clip."""

    MALFORMED = "malformed"
    """Fields are missing, or are not what the format says."""
    BAD_TIME = "bad_time"
    """The stretch is empty, ends before it starts, or lies before the video."""
    BAD_BOX = "bad_box"
    """The box is empty, or lies outside the picture."""
    DUPLICATE = "duplicate"
    """Another entry of the same identity, video and clip came first."""
    UNREADABLE = "unreadable"
    """The file cannot be opened, or is not text."""
    NOT_A_VIDEO = "not_a_video"
    NO_IDENTITY = "no_identity"
    """A video that lies in nobody's folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An entry that became no clip."""

    where: str
    """File, and line or key in it."""
    reason: ProblemReason
    detail: str


class BadEntryError(ValueError):
    """Raised while an entry is read; never leaves `attempt`."""

    def __init__(self, reason: ProblemReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What all clips of a corpus may be used under."""

    licence: str = ""
    consent: str = ""
    credit: str = ""


Entries = Iterator[Clip | Problem]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """A manifest, and what did not make it into it."""

    manifest: Manifest
    problems: tuple[Problem, ...]

    @property
    def problems_by_reason(self) -> dict[str, int]:
        """How many entries were left out, by reason."""
        return dict(sorted(Counter(str(problem.reason) for problem in self.problems).items()))


def attempt(where: str, make: Callable[[], Clip]) -> Clip | Problem:
    """Return the clip that `make` returns, or the problem it raises as a `ValueError`."""
    try:
        return make()
    except BadEntryError as error:
        return Problem(where=where, reason=error.reason, detail=str(error))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        detail = f"{field}: {first['msg']}" if field else first["msg"].removeprefix("Value error, ")
        return Problem(where=where, reason=ProblemReason.MALFORMED, detail=detail)
    except ValueError as error:
        return Problem(where=where, reason=ProblemReason.MALFORMED, detail=str(error))


def gather(
    entries: Iterable[Clip | Problem],
    *,
    name: str,
    title: str,
    description: str = "",
    ignore_splits: bool = False,
) -> Gathered:
    """Return the clips as a manifest, and the problems.

    Args:
        entries: What a reader yields. The second of two clips of one key becomes a problem.
        name: Of the manifest.
        title: For people to read.
        description: Likewise.
        ignore_splits: Put everybody into `train` instead of where the corpus puts them.

    Raises:
        HeadshotError: There is no clip at all, or the splits of the corpus share a person.
    """
    with collection_paused():
        clips, problems = _parted(entries)
    if not clips:
        first = f"; the first of {len(problems)}: {problems[0].where}: {problems[0].detail}" if problems else ""
        raise HeadshotError(f"{name}: not one entry became a clip{first}; is this the right folder, and this corpus?")
    try:
        moved = [clip.model_copy(update={"split": "train"}) if ignore_splits else clip for clip in clips]
        manifest = Manifest(name=name, title=title, description=description, clips=tuple(moved))
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise HeadshotError(
            f"{name}: {message}. With --ignore-splits everybody goes into train, and `headshot manifest split` "
            "makes splits that share nobody"
        ) from error
    return Gathered(manifest=manifest, problems=tuple(problems))


def _parted(entries: Iterable[Clip | Problem]) -> tuple[list[Clip], list[Problem]]:
    """Return the first clip of each key, and the problems."""
    clips: dict[str, Clip] = {}
    problems: list[Problem] = []
    for entry in entries:
        if isinstance(entry, Problem):
            problems.append(entry)
        elif entry.key in clips:
            problems.append(Problem(where=entry.key, reason=ProblemReason.DUPLICATE, detail="listed before"))
        else:
            clips[entry.key] = entry
    return list(clips.values()), problems


def annotation_files(root: Path, pattern: str) -> list[Path]:
    """Return `root` if it is a file, else the files below it whose name matches, folder by folder.

    Raises:
        HeadshotError: There is none.
    """
    below = (root / path for path in files_below(root))
    found = [root] if root.is_file() else [path for path in below if fnmatch(path.name, pattern)]
    if not found:
        raise HeadshotError(f"{root}: there is no {pattern} here; give the folder of the corpus' annotation files")
    return found


def lines_of(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each line that is not blank, with its place.

    Raises:
        HeadshotError: The file is not there, or is not text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise HeadshotError(f"{path} cannot be read as text: {error}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield f"{path}:{number}", line.strip()


def stretch(start_s: float, end_s: float) -> tuple[float, float]:
    """Return the start and the end of a stretch, which an end after a start at or after zero is."""
    if not 0 <= start_s < end_s < math.inf:
        raise BadEntryError(ProblemReason.BAD_TIME, f"{start_s} s to {end_s} s is no stretch of a video")
    return start_s, end_s


def fractions(box: tuple[float, float, float, float], width: float, height: float) -> tuple[float, float, float, float]:
    """Return a box x0, y0, x1, y1 as fractions of a picture, without what lies outside it."""
    if not (width > 0 and height > 0):
        raise BadEntryError(ProblemReason.BAD_BOX, f"a picture of {width} x {height} has no boxes")
    x0, x1 = (min(max(value / width, 0.0), 1.0) for value in box[::2])
    y0, y1 = (min(max(value / height, 0.0), 1.0) for value in box[1::2])
    if not (x0 < x1 and y0 < y1):
        raise BadEntryError(ProblemReason.BAD_BOX, f"box {box} is empty or outside the picture of {width} x {height}")
    return x0, y0, x1, y1


def youtube_url(video_id: str) -> str:
    """Return the address of a video."""
    return f"https://www.youtube.com/watch?v={video_id}"
