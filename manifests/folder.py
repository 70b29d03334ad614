"""A plain folder of videos: `<identity>/<clip>.mp4`, or `<identity>/<video>/<clip>.mp4`."""

from functools import partial
from pathlib import Path, PurePosixPath

from manifests.corpus import BadEntryError, Entries, ProblemReason, Terms, attempt
from manifests.names import safe_name
from manifests.schema import Clip, FileSource
from manifests.videos import files_below, is_video
from weights.errors import HeadshotError


def read_folder(root: Path, terms: Terms) -> Entries:
    """Yield one clip for each video, taken whole; files of other kinds become problems.

    The first folder is the person. Everything below it names the video, so that no two files of a person share a
    key, unless they differ in the suffix alone.

    Args:
        root: Folder of the people's folders. Paths in the manifest start from here.
        terms: Of all clips.

    Raises:
        HeadshotError: There is no such folder.
    """
    if not root.is_dir():
        raise HeadshotError(f"{root} is not a folder; give the one that holds a folder for each person")
    for path in files_below(root):
        yield attempt(str(root / path), partial(_clip, path, terms))


def _clip(path: str, terms: Terms) -> Clip:
    if not is_video(path):
        raise BadEntryError(ProblemReason.NOT_A_VIDEO, "its suffix is not that of a video")
    if not path.isprintable() or not _is_utf8(path):
        raise BadEntryError(ProblemReason.UNREADABLE, "its name is not text that can be written down; rename it")
    identity, *below = PurePosixPath(path).with_suffix("").parts
    if not below:
        raise BadEntryError(ProblemReason.NO_IDENTITY, "it lies in no person's folder; move it into one")
    *folders, stem = below
    return Clip(
        identity=safe_name(identity),
        video=safe_name("/".join(folders) or stem),
        clip=safe_name(stem) if folders else "full",
        source=FileSource(path=path),
        split="train",
        licence=terms.licence,
        consent=terms.consent,
        credit=terms.credit,
    )


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
