"""The tables of AliaksandrSiarohin/video-preprocessing, such as `vox-metadata.csv` of first-order-model.

Columns `video_id,start,end,bbox,fps,width,height,partition,person_id`. Frames are counted at `fps`; the last one is
left out (`load_videos.py` takes `start <= frame < end`). The box is `left-top-right-bottom` in pixels of a picture
`width` x `height`; it is the tube around the face of the whole clip. Tables that `crop_vox.py` writes have no
`person_id`, but video ids such as `WMh3ye5tBsE#id10005`; those of other subjects have neither.
"""

import csv
from collections.abc import Iterator
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
    lines_of,
    stretch,
    youtube_url,
)
from manifests.names import safe_name
from manifests.schema import Clip, FileSource
from manifests.videos import Videos
from weights.errors import HeadshotError

PATTERN = "*-metadata.csv"
REQUIRED = frozenset({"video_id", "start", "end", "bbox", "fps", "width", "height"})


def read_fomm(root: Path, videos: Videos, terms: Terms) -> Entries:
    """Yield the clips of a table; `partition` is the split.

    Args:
        root: The table, or a folder of such tables.
        videos: Whole videos `<YouTube id>.mp4`; or else the clips cut and cropped by `load_videos.py`
            (`id10005#WMh3ye5tBsE#003657#003994.mp4`), which are taken whole.
        terms: Of all clips.

    Raises:
        HeadshotError: There is no table, or it has other columns.
    """
    for path in annotation_files(root, PATTERN):
        for where, row in _rows(path):
            yield attempt(where, partial(_clip, row, videos, terms))


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    lines = lines_of(path)
    header = next(csv.reader([next(lines, ("", ""))[1]]))
    if not set(header) >= REQUIRED:
        raise HeadshotError(f"{path} lacks the columns {', '.join(sorted(REQUIRED - set(header)))}")
    for where, line in lines:
        yield where, dict(zip(header, next(csv.reader([line])), strict=False))


def _clip(row: dict[str, str], videos: Videos, terms: Terms) -> Clip:
    missing = [name for name in REQUIRED if not row.get(name)]
    if missing:
        raise ValueError(f"nothing in {', '.join(sorted(missing))}")
    youtube_id, _, person = row["video_id"].partition("#")
    person = row.get("person_id") or person or youtube_id
    first, end, fps = int(row["start"]), int(row["end"]), float(row["fps"])
    if not fps > 0:
        raise BadEntryError(ProblemReason.BAD_TIME, f"fps {fps}")
    start_s, end_s = stretch(first / fps, end / fps)
    corners = row["bbox"].split("-")
    if len(corners) != 4:
        raise ValueError(f"bbox {row['bbox']!r} is not left-top-right-bottom")
    left, top, right, bottom = map(int, corners)
    whole = videos.find(youtube_id)
    cut = None if whole else videos.find(f"{person}#{youtube_id}#{first:06d}#{end:06d}")
    return Clip.model_validate(
        {
            "identity": safe_name(person),
            "video": safe_name(youtube_id),
            "clip": f"{first:06d}-{end:06d}",
            "source": FileSource(path=cut or whole or f"{youtube_id}.mp4"),
            "start_s": 0.0 if cut else start_s,
            "end_s": (end - first) / fps if cut else end_s,
            "face_box": None
            if cut
            else fractions((left, top, right, bottom), float(row["width"]), float(row["height"])),
            "split": row.get("partition") or "train",
            "licence": terms.licence,
            "consent": terms.consent,
            "credit": terms.credit,
            "source_url": youtube_url(youtube_id),
        }
    )
