"""The clips that preprocessing left out, each with the frame that shows why."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.images import decode
from pipeline.store import RejectRow, Store
from pipeline.verdicts import RejectReason
from reports.dataset_sample import spread
from reports.media import Media
from reports.pictures import Picture, picture

MOST_OF_A_REASON = 12
"""Clips shown for one reason."""
REASONS = {
    "missing_source": "the video is not there",
    "source_changed": "the video is not the one that the manifest names",
    "unreadable": "not a video that can be decoded",
    "no_video": "no picture in the file, or in the stretch asked for",
    "unsupported": "high dynamic range, or too large",
    "too_short": "too few frames",
    "no_face": "no face is seen",
    "ambiguous_face": "several people, and no hint which one is meant",
    "face_too_small": "the face is too small",
    "face_lost": "the face is found in too few of the frames",
    "withdrawn": "the person asked to be removed",
    "crashed": "it took its process down",
    "timeout": "it took too long",
    "failed": "something unexpected happened",
}
WITHOUT_PICTURE = {
    "missing_source": "no picture: there is no video",
    "source_changed": "no picture: it is another video",
    "unreadable": "no picture: not one frame can be decoded",
    "no_video": "no picture: there is no frame",
    "unsupported": "no picture: it would come out wrong",
    "crashed": "no picture: the work on it was not finished",
    "timeout": "no picture: the work on it was not finished",
    "failed": "no picture: the work on it was not finished",
}
"""What is said where a picture would be; of other reasons, that none was kept."""
NOT_KEPT = "no picture was kept"
FOLDERS = re.compile(r"(?<![\w/.])/(?:[^/\s;:'\"][^/;:'\"\n]*/)+")
"""The folders of an absolute path inside a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownReject:
    """A clip that was left out."""

    clip: str
    detail: str
    picture: Picture | None
    instead: str
    """Why there is no picture; empty where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectsOfReason:
    """Clips that were left out for one reason."""

    title: str
    note: str
    """How many of them are shown, where it is not all."""
    clips: tuple[ShownReject, ...]


def rejects_by_reason(store: Store, media: Media) -> tuple[RejectsOfReason, ...]:
    """Return the clips that were left out, the most frequent reason first, up to twelve of each.

    Whoever asked to be removed is not among them: a page that is passed on does not name them.

    Args:
        store: The dataset.
        media: Where the pictures go.
    """
    rows = [row for row in store.rejects if row.reason != RejectReason.WITHDRAWN]
    counts = Counter(row.reason for row in rows)
    chosen = {
        reason: spread([row for row in rows if row.reason == reason], MOST_OF_A_REASON)
        for reason in sorted(counts, key=lambda reason: (-counts[reason], reason))
    }
    pictures = store.reject_pictures([row.key for some in chosen.values() for row in some]) if chosen else {}
    return tuple(
        RejectsOfReason(
            title=reason.replace("_", " "),
            note="" if len(some) == counts[reason] else f"{len(some)} of {counts[reason]:,} are shown",
            clips=_shown(some, pictures, media),
        )
        for reason, some in chosen.items()
    )


def without_folders(detail: str) -> str:
    """Return the detail with no more than the names of files: where they lie on a machine stays on it."""
    return FOLDERS.sub("", detail)


def _shown(rows: Sequence[RejectRow], pictures: dict[str, bytes], media: Media) -> tuple[ShownReject, ...]:
    return tuple(
        ShownReject(
            clip=row.key,
            detail=without_folders(row.detail),
            picture=picture(decode(pictures[row.key]), _words(row), media) if row.key in pictures else None,
            instead="" if row.key in pictures else WITHOUT_PICTURE.get(row.reason, NOT_KEPT),
        )
        for row in rows
    )


def _words(row: RejectRow) -> str:
    return f"a frame of {row.key}: {REASONS.get(row.reason, row.reason)}; faces that were found are framed"
