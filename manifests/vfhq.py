"""VFHQ: one text file for each clip, `Clip+<YouTube id>+P<person>+C<clip>+F<first>-<last>.txt`.

Lines `H: 1080`, `W: 1920`, `FPS: 25.0`, a table `FRAME INDEX X0 Y0 W H [Landmarks (5 Points)]` and, last,
`CROP ... x0 y0 x1 y1`, all in pixels of a picture H high and W wide. Of the frames in the name the corpus' own script
takes those between the first and the last, both left out.
"""

import re
from functools import partial
from pathlib import Path

from manifests.corpus import (
    BadEntryError,
    Entries,
    ProblemReason,
    Terms,
    annotation_files,
    attempt,
    fractions,
    stretch,
    youtube_url,
)
from manifests.names import safe_name
from manifests.schema import Clip, FileSource, Split
from manifests.videos import Videos

PATTERN = "Clip+*.txt"
_NAME = re.compile(r"Clip\+(?P<video>.+)\+P(?P<person>\d+)\+C(?P<clip>\d+)\+F(?P<first>\d+)-(?P<last>\d+)")


def read_vfhq(root: Path, videos: Videos, terms: Terms) -> Entries:
    """Yield the clips below a folder; those in a folder `test` are in the split `test`.

    A person is one of a video (`<YouTube id>-P0`); whether somebody is in several videos the corpus does not say.

    Args:
        root: Folder of the text files.
        videos: Whole videos `<YouTube id>.mp4`; or else the clips cut and cropped, under the name of their text file,
            which are taken whole.
        terms: Of all clips.

    Raises:
        HeadshotError: There are no text files.
    """
    for path in annotation_files(root, PATTERN):
        split: Split = "test" if "test" in (part.lower() for part in path.relative_to(root).parts[:-1]) else "train"
        yield attempt(str(path), partial(_clip, path, split, videos, terms))


def _clip(path: Path, split: Split, videos: Videos, terms: Terms) -> Clip:
    name = _NAME.fullmatch(path.stem)
    if name is None:
        raise ValueError("the name is not Clip+<YouTube id>+P<person>+C<clip>+F<first>-<last>.txt")
    values = _values(path)
    fps = float(values["FPS"][-1])
    if not fps > 0:
        raise BadEntryError(ProblemReason.BAD_TIME, f"FPS {fps}")
    first, end = int(name["first"]) + 1, int(name["last"])
    start_s, end_s = stretch(first / fps, end / fps)
    box = fractions(_box(values), float(values["W"][-1]), float(values["H"][-1]))
    whole = videos.find(name["video"])
    cut = None if whole else videos.find(path.stem)
    return Clip(
        identity=safe_name(f"{name['video']}-P{name['person']}"),
        video=safe_name(name["video"]),
        clip=f"P{name['person']}-C{name['clip']}-F{name['first']}-{name['last']}",
        source=FileSource(path=cut or whole or f"{name['video']}.mp4"),
        start_s=0.0 if cut else start_s,
        end_s=(end - first) / fps if cut else end_s,
        face_box=None if cut else box,
        split=split,
        licence=terms.licence,
        consent=terms.consent,
        credit=terms.credit,
        source_url=youtube_url(name["video"]),
    )


def _values(path: Path) -> dict[str, list[str]]:
    """Return the words of the lines `H`, `W`, `FPS` and `CROP`, and of the first row as `FACE`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadEntryError(ProblemReason.UNREADABLE, str(error)) from error
    found: dict[str, list[str]] = {}
    for words in filter(None, map(str.split, lines)):
        key = "FACE" if words[0].isdigit() else words[0].rstrip(":")
        found.setdefault(key, words)
    for key in ("H", "W", "FPS"):
        if key not in found:
            raise ValueError(f"no line {key}")
    return found


def _box(values: dict[str, list[str]]) -> tuple[float, float, float, float]:
    """Return the face in the first frame or, without one, the window of the clip: x0, y0, x1, y1."""
    if len(values.get("FACE", ())) >= 6:
        x, y, width, height = map(float, values["FACE"][2:6])
        return x, y, x + width, y + height
    if len(values.get("CROP", ())) < 5:
        raise BadEntryError(ProblemReason.BAD_BOX, "neither a row with a face nor a line CROP")
    x0, y0, x1, y1 = map(float, values["CROP"][-4:])
    return x0, y0, x1, y1
