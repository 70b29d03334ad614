"""Who is in the data, under which terms, and which clips were left out and why."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline.store import ClipEntry, RejectRow
from pipeline.verdicts import RejectReason
from reports.dataset_sample import typical_face
from reports.findings import Findings
from reports.numbers import plural
from reports.pictures import Picture
from reports.reject_list import without_folders

UNKNOWN_CONSENT = "not known"
MOST_CLIPS = 2_000
"""Listed one by one; a page with more opens slowly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipTerms:
    """One clip as the page lists it."""

    clip: str
    identity: str
    split: str
    frames: str
    licence: str
    consent: str
    credit: str
    link: str
    """A web address, or empty where there is none that is safe to follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """One clip that is not in the data or not in the test, and why."""

    clip: str
    stage: str
    reason: str
    detail: str
    picture: Picture | None = None
    """Of clips that are in the data set; those of the others are on its page (`reports.reject_list`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The dataset section."""

    summary: str
    description: str
    """What the data set says of itself."""
    clips: tuple[ClipTerms, ...]
    left_out: tuple[LeftOut, ...]
    reasons: str
    """How many clips were left out for each reason."""
    note: str
    """How many clips are listed, where it is not all of them."""


def people_section(found: Findings) -> People:
    """Return the section of the page."""
    return people(
        found.store.info.description,
        found.store.clips,
        found.store.rejects,
        [(skip.clip, skip.reason) for skip in found.run.tasks.skipped],
        lambda clip: typical_face(found.store, clip, found.media),
    )


def people(
    description: str,
    clips: Sequence[ClipEntry],
    rejects: Sequence[RejectRow],
    skipped: Sequence[tuple[str, str]],
    picture_of: Callable[[str], Picture | None] = lambda _: None,
) -> People:
    """Return the dataset section, test clips first.

    Args:
        description: What the data set says of itself.
        clips: The clips in the data set.
        rejects: The clips that preprocessing left out.
        skipped: (clip key, reason) of test clips without tasks.
        picture_of: Shows one of those by its key.
    """
    order = {"test": 0, "val": 1, "train": 2}
    listed = sorted(clips, key=lambda clip: (order.get(clip.split, 3), clip.key))
    left_out = (
        *(
            LeftOut(clip=one.key, stage="preprocessing", reason=_words(one.reason), detail=without_folders(one.detail))
            for one in rejects
            if one.reason != RejectReason.WITHDRAWN
        ),
        *_withdrawn([one for one in rejects if one.reason == RejectReason.WITHDRAWN]),
        *(
            LeftOut(clip=clip, stage="tasks", reason="too few frames", detail=reason, picture=picture_of(clip))
            for clip, reason in skipped
        ),
    )
    counts = Counter([*(_words(one.reason) for one in rejects), *("too few frames" for _ in skipped)])
    return People(
        summary=_summary(clips),
        description=description,
        clips=tuple(_terms(clip) for clip in listed[:MOST_CLIPS]),
        left_out=left_out[:MOST_CLIPS],
        reasons=", ".join(f"{reason}: {count}" for reason, count in counts.most_common()),
        note=f"{MOST_CLIPS:,} of {len(clips):,} clips are listed, those under test first; index.parquet has all."
        if len(clips) > MOST_CLIPS
        else "",
    )


def safe_link(url: str) -> str:
    """Return the address where it is a plain web address, and nothing where following it could run something."""
    parts = urlsplit(url)
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def _terms(clip: ClipEntry) -> ClipTerms:
    usable = f"{clip.usable_frames:,} of {clip.frames:,}"
    return ClipTerms(
        clip=clip.key,
        identity=clip.identity,
        split=clip.split,
        frames=usable,
        licence=clip.licence,
        consent=clip.consent or UNKNOWN_CONSENT,
        credit=clip.credit,
        link=safe_link(clip.source_url),
    )


def _summary(clips: Sequence[ClipEntry]) -> str:
    """Say how many people and clips each split holds, and of how many people the consent is not known."""
    parts = []
    for split, name in (("test", "tested on"), ("train", "trained on"), ("val", "for validation")):
        of_split = [clip for clip in clips if clip.split == split]
        if of_split:
            identities = plural(len({clip.identity for clip in of_split}), "person", "people")
            parts.append(f"{identities} {name} ({plural(len(of_split), 'clip')})")
    unknown = len({clip.identity for clip in clips if not clip.consent})
    consent = f" Of {plural(unknown, 'person', 'people')} the basis of consent is not known." if unknown else ""
    return f"{'; '.join(parts)}. Nobody is in two splits.{consent}"


def _withdrawn(rejects: Sequence[RejectRow]) -> Iterator[LeftOut]:
    """Yield one line for everybody who asked to be removed; a page that is passed on does not name them."""
    if rejects:
        names = plural(len({one.identity for one in rejects}), "person", "people")
        detail = f"{plural(len(rejects), 'clip')} of {names}"
        yield LeftOut(clip="not named", stage="preprocessing", reason="withdrawn", detail=detail)


def _words(reason: str) -> str:
    return reason.replace("_", " ")
