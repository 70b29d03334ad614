"""Look for yourself: source, driving and target frames beside what each system drew, chosen by a rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from eval.rendering import predictions
from eval.runs.results import Run
from eval.tasks.queries import QueryFrame, driving_landmarks, target_frames
from eval.tasks.task_set import Task
from model.landmark_map import draw
from pipeline.landmarks import interocular
from pipeline.store import Store
from reports.findings import Findings
from reports.legend import SystemKey
from reports.media import Media
from reports.numbers import plural
from reports.pictures import Picture, marked_picture, picture
from reports.player.player import Player, by_clip, player

THUMB_PX = 56
MOVEMENTS = ("Least movement", "Middle", "Most movement")


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportStrip:
    """The source frames that one number of shots adds to the smaller ones."""

    caption: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameBlock:
    """One frame to be drawn."""

    movement: str
    frame: int
    distance: str
    """The stratum, and whether the frame is of another clip than the source frames."""
    driving: Picture
    target: Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemRow:
    """What one system drew: for each frame block and number of shots a picture, None where it delivered none."""

    key: SystemKey
    generated: tuple[tuple[Picture | None, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipGallery:
    """One test clip."""

    anchor: str
    identity: str
    clip: str
    shots: tuple[int, ...]
    supports: tuple[SupportStrip, ...]
    blocks: tuple[FrameBlock, ...]
    rows: tuple[SystemRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GallerySection:
    """The section of the page."""

    clips: tuple[ClipGallery, ...]
    note: str
    """How many clips are shown, where it is not all of them."""
    player: Player | None
    """Takes the place of the pictures on a screen, where scripts run; they stay for paper. None where there is no room
    for it."""


def gallery_section(found: Findings) -> GallerySection:
    """Return the section, with as many clips as there is room for."""
    shown = galleries(found.run, found.store, found.keys, found.media, most_pictures=found.most_pictures)
    return GallerySection(clips=shown, note=_note(len(shown), found.clips), player=player(found))


def galleries(
    run: Run, store: Store, keys: Mapping[str, SystemKey], media: Media, *, most_pictures: int
) -> tuple[ClipGallery, ...]:
    """Return the pictures of the test clips, every person before any second clip of one.

    Of each clip three frames are shown: the one whose landmarks are nearest to the first source frame's, the
    farthest, and the one in the middle. With many clips it is one frame each (the middle), then fewer clips.

    Args:
        run: The finished benchmark.
        store: The data set.
        keys: The systems, in the order of the columns.
        media: Where the pictures go.
        most_pictures: Roughly how many pictures the page can carry.
    """
    clips = by_clip(run.tasks.tasks)
    per_frame = 2 + len(keys) * len(run.tasks.shots)
    movements = MOVEMENTS if len(clips) * len(MOVEMENTS) * per_frame <= most_pictures else MOVEMENTS[1:2]
    shown = clips[: max(1, most_pictures // (per_frame * len(movements)))]
    return tuple(_gallery(run, store, tasks, keys, movements, media) for tasks in shown)


def _gallery(
    run: Run,
    store: Store,
    tasks: Sequence[Task],
    keys: Mapping[str, SystemKey],
    movements: Sequence[str],
    media: Media,
) -> ClipGallery:
    first, size_px = tasks[0], run.tasks.size_px
    clip = store.clip(first.clip)
    landmarks = driving_landmarks(store, first.queries, size_px)
    targets = target_frames(store, first.queries, size_px)
    source = store.landmarks(clip, first.support[:1], size_px)[0]
    order = np.argsort(movement(landmarks, source), kind="stable")
    place_of = dict(zip(MOVEMENTS, order[[0, len(order) // 2, -1]].tolist(), strict=True))
    places = [place_of[kind] for kind in movements]
    frames = [first.frames[place] for place in places]
    about = [_about(first, frame) for frame in frames]
    return ClipGallery(
        anchor=f"clip-{first.clip.replace('/', '-')}",
        identity=first.identity,
        clip=first.clip,
        shots=tuple(task.shots for task in tasks),
        supports=_supports(store, tasks, media),
        blocks=tuple(
            FrameBlock(
                movement=kind,
                frame=frame.row,
                distance=_distance(first, frame),
                driving=picture(draw(landmarks[place], size_px), f"landmark map of {words}", media),
                target=picture(targets[place], f"{beside(first)}, {words}", media),
            )
            for kind, place, frame, words in zip(movements, places, frames, about, strict=True)
        ),
        rows=tuple(_system_row(run, tasks, key, places, about, media) for key in keys.values()),
    )


def beside(task: Task) -> str:
    """Return what the real frame beside a landmark map is."""
    return f"real frame of {task.driver}, who drives" if task.driver else "real target"


def _distance(task: Task, frame: QueryFrame) -> str:
    if task.driver:
        return f"{frame.stratum}, driven by {task.driver}"
    return f"{frame.stratum}, of another clip" if frame.clip != task.clip else frame.stratum


def _about(task: Task, frame: QueryFrame) -> str:
    clip = f" of {frame.clip}" if frame.clip != task.clip else ""
    return f"{task.identity}, frame {frame.row}{clip}"


def _system_row(
    run: Run, tasks: Sequence[Task], key: SystemKey, places: Sequence[int], about: Sequence[str], media: Media
) -> SystemRow:
    """Return a system's pictures of the query frames at `places`."""
    drawn = {
        task.shots: predictions.load(run.folder, key.name, task, places)
        for task in tasks
        if predictions.header(run.folder, key.name, task) is not None
    }
    return SystemRow(
        key=key,
        generated=tuple(
            tuple(
                generated_picture(drawn[task.shots][nth], key, task.shots, words, media)
                if task.shots in drawn
                else None
                for task in tasks
            )
            for nth, words in enumerate(about)
        ),
    )


def movement(
    landmarks: Float[np.ndarray, "frames 68 2"], source: Float[np.ndarray, "68 2"]
) -> Float[np.ndarray, " frames"]:
    """Return how far each frame's landmarks lie from the source's, as a fraction of its inter-ocular distance."""
    gaps = np.linalg.norm(landmarks - source, axis=-1).mean(axis=-1)
    return np.asarray(gaps / interocular(source))


def generated_picture(
    image: UInt8[np.ndarray, "size size 3"], key: SystemKey, shots: int, about: str, media: Media
) -> Picture:
    """Return what a system drew, labelled in its pixels where that is no recorded frame."""
    alt = f"{key.name} from {plural(shots, 'shot')}, {about}"
    return marked_picture(image, alt, key.mark, media) if key.mark else picture(image, f"{alt} ({key.pictures})", media)


def _supports(store: Store, tasks: Sequence[Task], media: Media) -> tuple[SupportStrip, ...]:
    """Return the nested source frames: those of the fewest shots, then what each larger number adds."""
    strips: list[SupportStrip] = []
    seen = 0
    for task in tasks:
        added = task.support[seen:]
        images = store.frames(store.clip(task.clip), added, THUMB_PX)
        pictures = tuple(
            picture(image, f"real source frame {row}", media) for image, row in zip(images, added, strict=True)
        )
        caption = plural(task.shots, "shot") if not seen else f"{task.shots} shots: these {len(added)} more"
        strips.append(SupportStrip(caption=caption, pictures=pictures))
        seen = len(task.support)
    return tuple(strips)


def _note(shown: int, clips: int) -> str:
    if shown == clips:
        return ""
    verb = "is" if shown == 1 else "are"
    return f"{shown} of {clips} clips {verb} shown, everybody once before anybody twice, to keep this page light."
