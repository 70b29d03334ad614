"""`drive`: adapt the reference model to a person and animate them with the landmarks of a driving clip."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from model.disclosure.mark import marked_video, write
from model.disclosure.statement import ALL, Marks, Shown
from model.reference import ReferenceModel
from model.retarget import carried_over
from pipeline.audio import Sound
from pipeline.sound_track import Span, read_sound
from pipeline.store import Store
from reports.drive import side_by_side
from reports.footage import PICTURES, Footage, read_footage
from reports.soundtrack import soundtrack
from weights.errors import HeadshotError

USUAL_SHOTS = 8
STATEMENT = (
    "AI-generated: the person in this video was synthesised by headshot from still frames and the facial "
    "landmarks of another recording. It does not show anything the person did or said."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to animate with what."""

    support: str
    """Clip key of the dataset, a video, a picture or a folder of pictures."""
    driving: str
    """Clip key of the dataset, or a video."""
    shots: int | None = None
    """Support frames to adapt to; where it is left open, `USUAL_SHOTS` or all, where there are fewer."""
    relative: bool = True
    """Carry the driver's movement over to the person's own proportions, in place of the driver's landmarks as they
    are."""
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


def animate(request: Request, checkpoint: Path, out: Path, device: str = "auto", marks: Marks = ALL) -> Animated:
    """Write the marked video and return what was done.

    With `relative`, the person keeps the proportions of their own face (see `model.retarget.carried_over`). Without,
    the driving landmarks are used where they lie in their own crop: the person takes on the driver's proportions and
    place in the picture.

    Args:
        request: Whom to animate with what.
        checkpoint: Folder of the reference model.
        out: The video, `.mp4`.
        device: `auto`, `cpu` or `cuda`.
        marks: What says that the video is synthetic.

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
    person = read_footage(request.support, request.data, model.size_px, gaze=model.gaze)
    driver = read_footage(request.driving, request.data, model.size_px, gaze=model.gaze)
    shots = request.shots or min(USUAL_SHOTS, len(person.frames))
    if len(person.frames) < shots:
        raise HeadshotError(
            f"--support {request.support} has {len(person.frames)} usable frames, --shots asks for {shots}; "
            f"lower --shots or give more pictures"
        )
    chosen = np.linspace(0, len(person.frames) - 1, shots).round().astype(int)
    frames, landmarks = person.frames[chosen], person.landmarks[chosen]
    if request.fine_tune:
        head = model.fine_tune(frames, landmarks, request.seed, request.steps)
    else:
        head = model.feed_forward(frames, landmarks)
    generated = head.render(carried_over(driver.landmarks, landmarks) if request.relative else driver.landmarks)
    recorded = _sound(request, driver)
    heard = soundtrack(recorded, driver.pts_s, driver.fps) if recorded else None
    composed = side_by_side(driver.frames, generated)
    shown = Shown(description=STATEMENT, made_by={"model": f"{checkpoint.parent.name}/{checkpoint.name}"})
    write(out, marked_video(composed, driver.fps, shown, marks, sound=heard))
    return Animated(
        frames=len(generated),
        fps=driver.fps,
        shots=shots,
        iterations=head.iterations,
        skipped=driver.skipped,
        sound=heard is not None,
    )


def _sound(request: Request, driver: Footage) -> Sound | None:
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
