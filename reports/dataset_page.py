"""The statistics page of a dataset: who is in it, how they look, what was left out, under which terms.

It reads the index and a bounded sample of frames, so the page of a million clips takes seconds, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.dataset_info import SoundTotals
from pipeline.layout import DatasetLayout
from pipeline.licences import LicenceUse, licence_address, licence_uses, shortened
from pipeline.store import Store
from reports.charts import histogram as geometry
from reports.charts.histogram import Histogram, histogram, share
from reports.dataset_sample import (
    MOST_FACES,
    PITCH_NAMES,
    YAW_NAMES,
    FrameSample,
    PoseCell,
    pose_grid,
    spread,
    typical_face,
)
from reports.html import headshot_version, policy, script, style, templates
from reports.media import Media
from reports.numbers import plural
from reports.people import People
from reports.pictures import Picture
from reports.provenance import Fact
from reports.reject_list import REASONS, RejectsOfReason, rejects_by_reason
from weights.files import publish_text

MOST_LISTED = 40
"""People with a bar of their own; of more, the distribution is drawn."""
SPLITS = {"train": "to train on", "val": "to validate on", "test": "to test on"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFace:
    """One person."""

    identity: str
    frames: int
    picture: Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitFaces:
    """The people of one split."""

    split: str
    title: str
    note: str
    faces: tuple[PersonFace, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BarRow:
    """A line of a table with a bar."""

    name: str
    note: str
    count: int
    percent: float
    """Of the longest bar."""
    split: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceRow:
    """A licence with a link where its text is known."""

    use: LicenceUse
    address: str
    credit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetPage:
    """Everything the template shows."""

    title: str
    description: str
    version: str
    facts: tuple[Fact, ...]
    faces: tuple[SplitFaces, ...]
    poses: tuple[tuple[PoseCell, ...], ...]
    pose_columns: tuple[str, ...]
    pose_lines: tuple[str, ...]
    sampled: str
    clip_histograms: tuple[Histogram, ...]
    frame_histograms: tuple[Histogram, ...]
    people: tuple[BarRow, ...]
    people_histogram: Histogram | None
    rejects: tuple[BarRow, ...]
    left_out: tuple[RejectsOfReason, ...]
    licences: tuple[LicenceRow, ...]
    networks: tuple[tuple[str, str, str], ...]

    @property
    def pictured(self) -> bool:
        """Whether there is a picture of some clip that was left out."""
        return any(one.picture for group in self.left_out for one in group.clips)


def build_dataset_page(root: Path) -> Path:
    """Write `statistics.html` beside the card of a finished dataset and return its path.

    Raises:
        HeadshotError: The dataset is not finished.
    """
    path = DatasetLayout(root).statistics
    publish_text(path, render(compose(Store.open(root), Media())))
    return path


def compose(store: Store, media: Media) -> DatasetPage:
    """Return the page of a dataset.

    Args:
        store: The dataset.
        media: Where the pictures go.
    """
    index = store.index()
    sample = FrameSample.of(store, index["key"].to_pylist())
    info = store.info
    people = index.group_by(["identity", "split"]).aggregate([("frames", "sum")]).sort_by("identity")
    counted = [people["frames_sum"].to_pylist(), people["identity"].to_pylist(), people["split"].to_pylist()]
    listed = len(people) <= MOST_LISTED
    licences = licence_uses(
        zip(*(index[name].to_pylist() for name in ("licence", "identity", "frames", "credit")), strict=True)
    )
    return DatasetPage(
        title=info.title,
        description=info.description,
        version=headshot_version(),
        facts=_facts(store, index),
        faces=_faces(store, index, people, media),
        poses=pose_grid(store, sample, media),
        pose_columns=YAW_NAMES,
        pose_lines=PITCH_NAMES,
        sampled=_sampled(sample, len(index)),
        clip_histograms=_clip_histograms(index, info.config.fps),
        frame_histograms=_frame_histograms(sample),
        people=_people_rows(*counted) if listed else (),
        people_histogram=None
        if listed
        else histogram(np.array(counted[0], float), "Frames per person", "all clips of a person", what="people"),
        rejects=_reject_rows(info.rejects_by_reason),
        left_out=rejects_by_reason(store, media),
        licences=tuple(
            LicenceRow(use=use, address=licence_address(use.licence), credit=shortened(use.credits, 12))
            for use in licences
        ),
        networks=tuple((weight.title, weight.licence, weight.sha256[:12]) for weight in info.weights),
    )


def render(page: DatasetPage, terms: People | None = None) -> str:
    """Return the page as one HTML file, which lets in nothing but its own style and pictures.

    Args:
        page: The dataset.
        terms: Every clip with its terms, for a page beside a report.
    """
    look, none = style("style.css", "charts.css", "dataset.css"), script()
    template = templates().get_template("dataset.html")
    return template.render(page=page, terms=terms, chart=geometry, style=look, policy=policy(look, none))


def _facts(store: Store, index: pa.Table) -> tuple[Fact, ...]:
    info = store.info
    hours = info.frames / info.config.fps / 3600
    length = f"{hours:,.1f} hours" if hours >= 1 else f"{60 * hours:,.1f} minutes"
    splits = ", ".join(
        f"{plural(info.identities_per_split.get(split, 0), 'person', 'people')} and {plural(clips, 'clip')} {words}"
        for split, words in SPLITS.items()
        if (clips := info.clips_per_split.get(split, 0))
    )
    size = sum(shard.size_bytes for shard in info.shards)
    unknown = pc.sum(pc.equal(index["consent"], "")).as_py() or 0
    return (
        Fact(name="People and clips", value=splits or "none"),
        Fact(name="Frames", value=f"{info.frames:,}, {info.usable_frames:,} of them with a face; about {length}"),
        Fact(name="Pictures", value=f"{info.config.size_px} × {info.config.size_px} px, {info.config.image_format}"),
        Fact(name="Landmarks", value="68 points,", code=info.scheme),
        *(() if info.sound is None else (Fact(name="Sound", value=_about_sound(info.sound, info.clips)),)),
        Fact(name="Size", value=f"{size / 1e9:,.2f} GB in {plural(len(info.shards), 'file')}"),
        Fact(name="Consent", value=f"not known for {plural(unknown, 'clip')}" if unknown else "a note on every clip"),
        Fact(name="Manifest", value="", code=info.manifest_sha256[:16]),
    )


def _about_sound(sound: SoundTotals, clips: int) -> str:
    flaws = "".join(f"; {plural(count, 'clip')} {flaw}" for flaw, count in sound.flaws.items())
    return f"{sound.clips:,} of {plural(clips, 'clip')}, {sound.seconds / 60:,.1f} minutes{flaws.replace('_', ' ')}"


def _faces(store: Store, index: pa.Table, people: pa.Table, media: Media) -> tuple[SplitFaces, ...]:
    """Return one face a person, from their longest clip, split by split."""
    longest = index.sort_by([("identity", "ascending"), ("usable_frames", "descending"), ("key", "ascending")])
    clip_of: dict[str, str] = {}
    for identity, key in zip(longest["identity"].to_pylist(), longest["key"].to_pylist(), strict=True):
        clip_of.setdefault(identity, key)
    rows = [row for row in people.to_pylist() if row["split"] in SPLITS]
    shown = spread(rows, MOST_FACES)
    found = []
    for split, words in SPLITS.items():
        everybody = [row for row in rows if row["split"] == split]
        faces = tuple(
            PersonFace(identity=row["identity"], frames=row["frames_sum"], picture=face)
            for row in shown
            if row["split"] == split and (face := typical_face(store, clip_of[row["identity"]], media))
        )
        if faces:
            note = "" if len(faces) == len(everybody) else f"{len(faces):,} of {len(everybody):,} are shown"
            found.append(SplitFaces(split=split, title=f"People {words}", note=note, faces=faces))
    return tuple(found)


def _clip_histograms(index: pa.Table, fps: float) -> tuple[Histogram, ...]:
    def column(name: str) -> np.ndarray:
        return np.asarray(index[name].to_numpy(), np.float64)

    drawn = (
        histogram(column("face_px"), "Face size", "side of the face in source pixels, median of a clip", unit=" px"),
        histogram(column("frames") / fps, "Length", f"of a clip, at {fps:g} frames per second", unit=" s"),
        histogram(100 * column("pad"), "Padding", "share of the crop that lies outside the video", unit="%"),
    )
    return tuple(one for one in drawn if one)


def _frame_histograms(sample: FrameSample) -> tuple[Histogram, ...]:
    drawn = (
        histogram(sample.yaw_deg, "Yaw", "positive is to the right of the picture", unit="°", what="frames"),
        histogram(sample.pitch_deg, "Pitch", "positive is down", unit="°", what="frames"),
        histogram(sample.roll_deg, "Roll", "positive is clockwise", unit="°", what="frames"),
        histogram(sample.sharpness, "Sharpness", "variance of the Laplacian; low is blurred", what="frames"),
    )
    return tuple(one for one in drawn if one)


def _people_rows(frames: Sequence[int], identities: Sequence[str], splits: Sequence[str]) -> tuple[BarRow, ...]:
    rows = sorted(zip(frames, identities, splits, strict=True), key=lambda row: (-row[0], row[1]))
    shares = share([count for count, _, _ in rows])
    return tuple(
        BarRow(name=identity, note=SPLITS.get(split, split), count=count, percent=percent, split=split)
        for (count, identity, split), percent in zip(rows, shares, strict=True)
    )


def _reject_rows(counts: dict[str, int]) -> tuple[BarRow, ...]:
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    shares = share([count for _, count in rows])
    return tuple(
        BarRow(name=reason.replace("_", " "), note=REASONS.get(reason, ""), count=count, percent=percent)
        for (reason, count), percent in zip(rows, shares, strict=True)
    )


def _sampled(sample: FrameSample, clips: int) -> str:
    frames = plural(len(sample), "frame")
    if len(sample.keys) == clips:
        return f"Counted over {frames} with a face."
    return f"Counted over {frames} with a face, of {len(sample.keys):,} of {clips:,} clips, evenly spread."
