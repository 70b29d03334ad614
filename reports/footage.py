"""Frames and landmarks of whoever is animated or drives, from wherever they are given."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from manifests.schema import Clip, FileSource
from pipeline.clip_work import process_clip
from pipeline.config import PipelineConfig
from pipeline.stills import read_still
from pipeline.store import Store
from pipeline.verdicts import Reject
from weights.errors import HeadshotError

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
"""Endings of files that are taken as stills."""
STILL_FPS = 25.0
MOST_LISTED = 20
"""Clips named where one is not found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """Usable frames of one person in time order."""

    frames: UInt8[np.ndarray, "frames size size 3"]
    landmarks: Float[np.ndarray, "frames points 2"]
    pts_s: Float[np.ndarray, " frames"]
    """Times in the recording."""
    fps: float
    skipped: int


def read_footage(where: str, data: Path | str, size_px: int, *, gaze: bool) -> Footage:
    """Read a clip of the dataset, a video, a picture or a folder of pictures.

    Args:
        where: Key of a clip of the dataset, or a path.
        data: Folder or address of the dataset.
        size_px: Side of the frames.
        gaze: Whether the irises belong to the landmarks.

    Raises:
        HeadshotError: There is nothing there, or no usable face in it.
    """
    path, config = Path(where), PipelineConfig(size_px=size_px, gaze=gaze)
    if path.is_dir():
        return _stills(sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURES), where, config)
    if path.is_file():
        return _stills([path], where, config) if path.suffix.lower() in PICTURES else _video(path, config)
    store = Store.open(data)
    clip = store.clips.find(where)
    if clip is None:
        some = ", ".join(known.key for known in store.clips[:MOST_LISTED])
        more = f" and {len(store.clips) - MOST_LISTED:,} more" if len(store.clips) > MOST_LISTED else ""
        raise HeadshotError(f"{where} is neither a file or folder nor a clip of {data}; its clips are: {some}{more}")
    store = store.with_irises() if gaze else store
    rows = store.usable_rows(clip)
    return Footage(
        frames=store.frames(clip, rows, size_px),
        landmarks=store.landmarks(clip, rows, size_px),
        pts_s=store.column(clip, "pts_s")[rows],
        fps=_rate(store.column(clip, "pts_s")),
        skipped=clip.frames - len(rows),
    )


def _stills(paths: list[Path], where: str, config: PipelineConfig) -> Footage:
    """Read pictures; each has to show a face."""
    if not paths:
        raise HeadshotError(f"{where} holds no picture ({', '.join(sorted(PICTURES))})")
    stills = [read_still(path, config) for path in paths]
    return Footage(
        frames=np.stack([frame for frame, _ in stills]),
        landmarks=np.stack([points for _, points in stills]),
        pts_s=np.arange(len(stills)) / STILL_FPS,
        fps=STILL_FPS,
        skipped=0,
    )


def _video(path: Path, config: PipelineConfig) -> Footage:
    """Run a video through the same steps as a dataset."""
    clip = Clip(
        identity="person",
        video="file",
        clip="all",
        source=FileSource(path=str(path)),
        split="test",
        licence="",
        consent="",
    )
    found = process_clip(path, clip, config)
    if isinstance(found, Reject):
        raise HeadshotError(f"{path} cannot be used: {found.reason}: {found.detail}")
    points = np.concatenate([found.landmarks, found.irises], axis=1) if config.gaze else found.landmarks
    return Footage(
        frames=found.images[found.ok],
        landmarks=points[found.ok],
        pts_s=found.pts_s[found.ok],
        fps=_rate(found.pts_s),
        skipped=int((~found.ok).sum()),
    )


def _rate(pts_s: Float[np.ndarray, " frames"]) -> float:
    """Return the frame rate of evenly resampled frames; that of stills where there is only one."""
    if len(pts_s) < 2:
        return STILL_FPS
    steps_s = np.diff(pts_s)
    slots = np.round(steps_s / np.median(steps_s)).sum()  # time stamps may be rounded: one step says less than all
    return float(slots / steps_s.sum())
