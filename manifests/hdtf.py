"""HDTF: five text files for each of the subsets RD, WDA and WRA, with blanks between their columns.

`*_annotion_time.txt` (sic) lists each video with its stretches, `Radio11.mp4 00:30-01:00 01:30-02:30`; the i-th one is
clip `Radio11_i`. `*_video_url.txt` has the address; `*_crop_wh.txt` the window around the face, as left, width, top,
height in pixels; `*_resolution.txt` the height of the picture in those pixels. `*_crop_ratio.txt` says by how much
the authors enlarged the window afterwards and is not needed to tell who is meant.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlparse

from manifests.corpus import (
    Entries,
    Problem,
    ProblemReason,
    Terms,
    annotation_files,
    attempt,
    fractions,
    lines_of,
    stretch,
)
from manifests.names import safe_name
from manifests.schema import Clip, FileSource
from manifests.videos import Videos

TIMES = "_annotion_time.txt"
LICENCE = "CC BY 4.0, as stated for HDTF as a whole"
NAMED_SUBSETS = ("WDA", "WRA")
"""Here a video is called after the person, with a number where there are several: `ChrisMurphy0`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subset:
    """The files of a subset beside its times, by name of video or clip."""

    name: str
    urls: dict[str, list[str]]
    windows: dict[str, list[str]]
    heights: dict[str, list[str]]


def read_hdtf(root: Path, videos: Videos, terms: Terms) -> Entries:
    """Yield the stretches of all subsets in a folder.

    The person is the name of the video without its number in WDA and WRA, and the video in RD, where names only
    count (`Radio11`): there one person may come under several names.

    Args:
        root: Folder of the text files.
        videos: Whole videos, by name (`Radio11.mp4`), as HDTF's own script calls them (`RD_Radio11.mp4`) or by
            YouTube id; or else the stretches cut and cropped (`Radio11_0.mp4`, `RD_Radio11_000.mp4`), which are taken
            whole. The window needs the shape of the picture, so `face_box` is left out where the video is not there.
        terms: Of all clips.

    Raises:
        HeadshotError: There are no times here.
    """
    for times in annotation_files(root, f"*{TIMES}"):
        name = times.name.removesuffix(TIMES)
        subset = _Subset(
            name=name,
            urls=_table(times.with_name(f"{name}_video_url.txt")),
            windows=_table(times.with_name(f"{name}_crop_wh.txt")),
            heights=_table(times.with_name(f"{name}_resolution.txt")),
        )
        for where, line in lines_of(times):
            yield from _clips(where, line, subset, videos, terms)


def _clips(where: str, line: str, subset: _Subset, videos: Videos, terms: Terms) -> Entries:
    file_name, *stretches = line.split()
    video = file_name.removesuffix(".mp4")
    if not stretches:
        yield Problem(where=where, reason=ProblemReason.MALFORMED, detail=f"{line!r} has no stretch of time")
    with_window = 0
    for index, text in enumerate(stretches):
        cuts = (f"{video}_{index}", f"{subset.name}_{video}_{with_window:03d}")
        with_window += f"{video}_{index}.mp4" in subset.windows
        yield attempt(where, partial(_clip, video, index, text, cuts, subset, videos, terms))


def _clip(
    video: str, index: int, text: str, cuts: tuple[str, str], subset: _Subset, videos: Videos, terms: Terms
) -> Clip:
    times = text.split("-")
    if len(times) != 2:
        raise ValueError(f"{text!r} is not a start and an end with a dash between")
    start_s, end_s = stretch(*map(_seconds, times))
    url = " ".join(subset.urls.get(video, ())[:1])
    youtube_id = "".join(parse_qs(urlparse(url).query).get("v", ())[:1])
    whole = videos.find(video, f"{subset.name}_{video}", *([youtube_id] if youtube_id else []))
    cut = None if whole else videos.find(*cuts)
    identity = video.rstrip("0123456789") if subset.name in NAMED_SUBSETS else video
    return Clip(
        identity=safe_name(identity or video),
        video=safe_name(video),
        clip=str(index),
        source=FileSource(path=cut or whole or f"{subset.name}_{video}.mp4"),
        start_s=0.0 if cut else start_s,
        end_s=end_s - start_s if cut else end_s,
        face_box=_window(f"{video}_{index}.mp4", f"{video}.mp4", subset, videos, whole) if whole else None,
        split="train",
        licence=terms.licence or LICENCE,
        consent=terms.consent,
        credit=terms.credit,
        source_url=url,
        attributes={"subset": subset.name},
    )


def _seconds(text: str) -> float:
    """Return `MM:SS` or `HH:MM:SS` in seconds."""
    parts = text.split(":")
    if not 2 <= len(parts) <= 3:
        raise ValueError(f"{text!r} is not a time such as 01:35")
    return float(sum(int(part) * 60**power for power, part in enumerate(reversed(parts))))


def _window(
    clip: str, video: str, subset: _Subset, videos: Videos, whole: str
) -> tuple[float, float, float, float] | None:
    """Return the window around the face, None where the corpus or the video does not say enough."""
    if clip not in subset.windows or video not in subset.heights:
        return None
    facts = videos.facts(whole)
    height_px = int(subset.heights[video][0])
    if facts is None or height_px == 0:  # 0 stands for unknown
        return None
    left, width, top, height = map(int, subset.windows[clip])
    return fractions((left, top, left + width, top + height), height_px * facts.aspect, height_px)


def _table(path: Path) -> dict[str, list[str]]:
    """Return the rows of a file by their first column; nothing if there is no such file."""
    if not path.is_file():
        return {}
    rows = (line.split() for _, line in lines_of(path))
    return {name: values for name, *values in rows if values}
