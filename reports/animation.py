"""`drive`: adapt the reference model to a person and animate them with the landmarks of a driving clip."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from manifests.schema import Clip, FileSource
from model.label import DigitalSourceType
from model.reference import ReferenceModel
from pipeline.audio import Sound
from pipeline.clip_work import process_clip
from pipeline.config import PipelineConfig
from pipeline.sound_track import Span, read_sound
from pipeline.stills import read_still
from pipeline.store import Store
from pipeline.verdicts import Reject
from reports.drive import side_by_side
from reports.soundtrack import soundtrack
from reports.synthetic import write_video
from weights.errors import HeadshotError

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
"""Endings of files that are taken as stills."""
STILL_FPS = 25.0
MOST_LISTED = 20
"""Clips named where one is not found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to animate with what."""

    support: str
    """Clip key of the dataset, a video, a picture or a folder of pictures."""
    driving: str
    """Clip key of the dataset, or a video."""
    shots: int
    fine_tune: bool
    steps: int | None = None
    """Iterations of fine-tuning; none leaves their number to the preset."""
    data: Path | str
    """Folder or address of the dataset."""
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Animated:
    """How it went."""

    frames: int
    fps: float
    shots: int
    iterations: int
    skipped: int
    """Driving frames without a face, which have no picture in the video."""
    sound: bool
    """The driving clip has sound, and so has the video."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Footage:
    """Usable frames of one person in time order."""

    frames: UInt8[np.ndarray, "frames size size 3"]
    landmarks: Float[np.ndarray, "frames points 2"]
    pts_s: Float[np.ndarray, " frames"]
    """Times in the recording."""
    fps: float
    skipped: int


def animate(request: Request, checkpoint: Path, out: Path, device: str = "auto") -> Animated:
    """Write the labelled video and return what was done.

    The driving landmarks are used where they lie in their own crop: the person moves as the driver's head does
    in its picture, and takes on the proportions of the driver's face.

    Args:
        request: Whom to animate with what.
        checkpoint: Folder of the reference model.
        out: The video, `.mp4`.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        HeadshotError: No usable face in the support or the driving clip, fewer frames than shots, or options that
            contradict each other.
    """
    if out.suffix.lower() != ".mp4":
        raise HeadshotError(f"--out {out}: the video is written as MP4; give a name that ends in .mp4")
    if request.steps is not None and not request.fine_tune:
        raise HeadshotError(
            f"--steps {request.steps} is a number of fine-tuning iterations, and --feed-forward does none; "
            "leave one of them out"
        )
    model = ReferenceModel.load(checkpoint, device)
    person = _footage(request.support, request.data, model)
    driver = _footage(request.driving, request.data, model)
    if len(person.frames) < request.shots:
        raise HeadshotError(
            f"--support {request.support} has {len(person.frames)} usable frames, --shots asks for {request.shots}; "
            f"lower --shots or give more pictures"
        )
    chosen = np.linspace(0, len(person.frames) - 1, request.shots).round().astype(int)
    frames, landmarks = person.frames[chosen], person.landmarks[chosen]
    if request.fine_tune:
        head = model.fine_tune(frames, landmarks, request.seed, request.steps)
    else:
        head = model.feed_forward(frames, landmarks)
    generated = head.render(driver.landmarks)
    recorded = _sound(request, driver)
    heard = soundtrack(recorded, driver.pts_s, driver.fps) if recorded else None
    composed = side_by_side(driver.frames, generated)
    write_video(composed, out, driver.fps, source_type=DigitalSourceType.COMPOSITE, sound=heard)
    return Animated(
        frames=len(generated),
        fps=driver.fps,
        shots=request.shots,
        iterations=head.iterations,
        skipped=driver.skipped,
        sound=heard is not None,
    )


def _sound(request: Request, driver: _Footage) -> Sound | None:
    """Return the sound of the driving clip at the times of its frames; None where it has none."""
    path = Path(request.driving)
    if path.is_file() and path.suffix.lower() not in PICTURES:
        return read_sound(path, Span(start_s=driver.pts_s[0], end_s=driver.pts_s[-1] + 1 / driver.fps))
    if path.exists():
        return None  # pictures
    store = Store.open(request.data)
    if not store.info.config.audio:
        return None
    clip = store.clip(request.driving)
    sound, first_s = store.sound(clip), float(store.column(clip, "pts_s")[0])
    return replace(sound, start_s=sound.start_s + first_s) if sound else None


def _footage(where: str, data: Path | str, model: ReferenceModel) -> _Footage:
    """Read a clip of the dataset, a video, a picture or a folder of pictures as the model takes it."""
    path, size_px = Path(where), model.size_px
    config = PipelineConfig(size_px=size_px, gaze=model.gaze)
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
    store = store.with_irises() if model.gaze else store
    rows = store.usable_rows(clip)
    return _Footage(
        frames=store.frames(clip, rows, size_px),
        landmarks=store.landmarks(clip, rows, size_px),
        pts_s=store.column(clip, "pts_s")[rows],
        fps=_rate(store.column(clip, "pts_s")),
        skipped=clip.frames - len(rows),
    )


def _stills(paths: list[Path], where: str, config: PipelineConfig) -> _Footage:
    """Read pictures; each has to show a face."""
    if not paths:
        raise HeadshotError(f"{where} holds no picture ({', '.join(sorted(PICTURES))})")
    stills = [read_still(path, config) for path in paths]
    return _Footage(
        frames=np.stack([frame for frame, _ in stills]),
        landmarks=np.stack([points for _, points in stills]),
        pts_s=np.arange(len(stills)) / STILL_FPS,
        fps=STILL_FPS,
        skipped=0,
    )


def _video(path: Path, config: PipelineConfig) -> _Footage:
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
    return _Footage(
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
