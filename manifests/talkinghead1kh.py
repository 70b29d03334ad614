"""TalkingHead-1KH: lines `name,H,W,S,E,L,T,R,B` in `train_video_tubes.txt` and `val_video_tubes.txt`.

The name is that of a chunk of about a minute, `<YouTube id>_<number>`, cut without encoding anew; so where it lies in
the whole video is not known. S and E are its first and last frame, L, T, R, B a box in pixels of a picture H high
and W wide (as in the corpus' `videos_crop.py`).
"""

from functools import partial
from pathlib import Path

from manifests.corpus import (
    Entries,
    Terms,
    annotation_files,
    attempt,
    fractions,
    lines_of,
    stretch,
    youtube_url,
)
from manifests.names import safe_name
from manifests.schema import Clip, FileSource, Split
from manifests.videos import Videos

PATTERN = "*_video_tubes.txt"
LICENCE = "CC BY 3.0, as stated on YouTube when the corpus was made"


def read_talkinghead1kh(root: Path, videos: Videos, terms: Terms) -> Entries:
    """Yield the tubes of all lists in a folder; those of `val_video_tubes.txt` are in the split `val`.

    The corpus does not say who is who, so the YouTube video stands for the person.

    Args:
        root: A list, or the folder of them (`data_list`).
        videos: The chunks (`1min_clips`), whose frame rate turns frames into seconds; or else the tubes cut and
            cropped by the corpus' own script (`cropped_clips`), which are taken whole. A clip of which neither is
            there points to the latter, since times cannot be known without the chunk.
        terms: Of all clips.

    Raises:
        HeadshotError: There are no lists.
    """
    for path in annotation_files(root, PATTERN):
        split: Split = "val" if path.name.startswith("val_") else "train"
        for where, line in lines_of(path):
            yield attempt(where, partial(_clip, line, split, videos, terms))


def _clip(line: str, split: Split, videos: Videos, terms: Terms) -> Clip:
    name, *cells = line.split(",")
    if len(cells) != 8:
        raise ValueError(f"{len(cells) + 1} values in {line!r} instead of name,H,W,S,E,L,T,R,B")
    height, width, first, last, left, top, right, bottom = map(int, cells)
    youtube_id = name.rpartition("_")[0]
    if not youtube_id:
        raise ValueError(f"{name!r} is not <YouTube id>_<chunk>")
    stretch(first, last + 1)
    box = fractions((left, top, right, bottom), width, height)
    tube = f"S{first}_E{last}_L{left}_T{top}_R{right}_B{bottom}"
    source = videos.find(name)
    facts = videos.facts(source) if source else None
    fps = facts.fps if facts else None
    return Clip(
        identity=safe_name(youtube_id),
        video=safe_name(name),
        clip=tube,
        source=FileSource(path=source if source and fps else videos.find(f"{name}_{tube}") or f"{name}_{tube}.mp4"),
        start_s=first / fps if fps else 0.0,
        end_s=(last + 1) / fps if fps else None,
        face_box=box if fps else None,
        split=split,
        licence=terms.licence or LICENCE,
        consent=terms.consent,
        credit=terms.credit,
        source_url=youtube_url(youtube_id),
    )
