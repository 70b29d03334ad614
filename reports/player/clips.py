"""A clip as the player has it: its sheets, encoded, and all that the page has to know of it."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from eval.features import Digest, Frames
from eval.rendering import predictions
from eval.runs.results import Run
from eval.tasks.queries import driving_landmarks, target_frames
from eval.tasks.task_set import Task
from model.disclosure.statement import Marks
from model.landmark_map import draw_all
from pipeline.store import Store
from reports.legend import SystemKey
from reports.media import Media
from reports.numbers import plural
from reports.pictures import shown_as
from reports.player.film import QUALITY, Layout, encoded, encoded_synthetic, sheet
from reports.player.overlay import ASKED, FOUND, gaze_sheet, landmark_sheet
from reports.player.scores import Digits, ScorePack, pack

SUPPORT_PX = 64
USUAL_FPS = 25.0
POINTS = 68


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A picture with all frames of a clip, encoded, with its marks."""

    content: bytes
    suffix: str
    recorded: bool = True
    """It shows nothing synthetic."""
    digest: str = ""
    """Of what went into a synthetic one: signatures differ from time to time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemSheets:
    """What one system drew of a clip at one number of shots."""

    frames: Sheet | None
    """None where it delivered nothing."""
    found: Sheet | None
    """Landmarks in what it drew, where the run has measured them."""
    missing: tuple[int, ...]
    """Places of frames that it did not deliver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedClip:
    """Everything the player shows of a clip, before it is published."""

    tasks: tuple[Task, ...]
    """By number of shots."""
    fps: float
    """Of the recording."""
    layout: Layout
    support_layout: Layout
    support: Sheet
    """The source frames of the most shots, in order: fewer shots have the first of them."""
    driving: Sheet
    """The landmark maps."""
    target: Sheet
    asked: Sheet
    """The landmarks of the frames to be drawn."""
    gaze: Sheet | None
    """Where the eyes of the target look, in data sets that have it."""
    systems: tuple[tuple[SystemSheets, ...], ...]
    """For each number of shots, each system."""
    scores: ScorePack

    @property
    def sheets(self) -> Iterator[Sheet]:
        """All of them."""
        yield from (self.support, self.driving, self.target, self.asked)
        yield from filter(None, [self.gaze])
        for one in (one for of_shots in self.systems for one in of_shots):
            yield from filter(None, (one.frames, one.found))

    @property
    def media_bytes(self) -> int:
        """Of all sheets."""
        return sum(len(one.content) for one in self.sheets)

    @property
    def data_bytes(self) -> int:
        """Of what stands in the page itself, but for names."""
        return len(self.scores.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipEncoder:
    """Reads clips of a run, each prediction once, and lays them out on sheets."""

    run: Run
    store: Store
    keys: Mapping[str, SystemKey]
    digits: tuple[Digits, ...]
    landmarks: Mapping[Digest, Float[np.ndarray, " numbers"]]
    """Of generated frames, by content, as the run has them."""
    marks: Marks
    """What every synthetic sheet carries."""
    threads: int = os.cpu_count() or 1

    def encode(self, tasks: Sequence[Task]) -> EncodedClip:
        """Return one clip.

        Args:
            tasks: Of one clip and draw, by number of shots; all have the same frames.
        """
        first, last, size_px = tasks[0], tasks[-1], self.run.tasks.size_px
        layout = Layout.of(len(first.frames), size_px)
        support_layout = Layout.of(len(last.support), SUPPORT_PX, strip=False)
        points = driving_landmarks(self.store, first.queries, size_px)[:, :POINTS]
        support = self.store.frames(self.store.clip(last.clip), last.support, SUPPORT_PX)
        asked = [(task, key) for task in tasks for key in self.keys.values()]
        with ThreadPoolExecutor(self.threads) as pool:  # decoding and encoding pictures release the interpreter lock
            drawn = list(pool.map(lambda pair: self._system(pair[0], pair[1], layout), asked))
        return EncodedClip(
            tasks=tuple(tasks),
            fps=self._fps(first),
            layout=layout,
            support_layout=support_layout,
            support=_sheet(support, support_layout),
            driving=_sheet(draw_all(points, size_px), layout),
            target=_sheet(target_frames(self.store, first.queries, size_px), layout),
            asked=Sheet(content=landmark_sheet(points, layout, ASKED), suffix="svg"),
            gaze=self._gaze(first, points, layout),
            systems=tuple(
                tuple(drawn[start : start + len(self.keys)]) for start in range(0, len(drawn), len(self.keys))
            ),
            scores=pack(self.run, tasks, self.digits, list(self.keys)),
        )

    def _system(self, task: Task, key: SystemKey, layout: Layout) -> SystemSheets:
        header = predictions.header(self.run.folder, key.name, task)
        if header is None:
            return SystemSheets(frames=None, found=None, missing=tuple(range(len(task.frames))))
        frames = predictions.load(self.run.folder, key.name, task)
        missing = tuple(sorted(header.failures))
        return SystemSheets(
            frames=self._drawn(frames, task, key, layout) if key.mark else _sheet(frames, layout),
            found=self._found(frames, missing, layout),
            missing=missing,
        )

    def _drawn(
        self, frames: UInt8[np.ndarray, "frames size size 3"], task: Task, key: SystemKey, layout: Layout
    ) -> Sheet:
        """Return frames of what never happened, marked."""
        about = f"{key.name} from {plural(task.shots, 'shot')}, {plural(len(frames), 'frame')} of {task.identity}"
        shown = shown_as(key.mark, about)
        laid_out = sheet(frames, layout, key.mark if self.marks.label else "")
        asked = hashlib.sha256(repr((laid_out.shape, shown, self.marks, QUALITY)).encode() + laid_out.data)
        content = encoded_synthetic(laid_out, shown, self.marks)
        return Sheet(content=content, suffix="jpg", recorded=False, digest=asked.hexdigest())

    def _found(
        self, frames: UInt8[np.ndarray, "frames size size 3"], missing: Sequence[int], layout: Layout
    ) -> Sheet | None:
        """Return the landmarks that the run has found in the frames, None where it looked for none."""
        if not self.landmarks:
            return None
        unknown = np.full(POINTS * 2, np.nan, np.float32)
        rows = np.stack([self.landmarks.get(digest, unknown) for digest in Frames.of(frames).digests])
        rows[list(missing)] = np.nan
        if not np.isfinite(rows).all(axis=1).any():
            return None
        return Sheet(content=landmark_sheet(rows.reshape(-1, POINTS, 2), layout, FOUND), suffix="svg")

    def _gaze(self, task: Task, points: Float[np.ndarray, "frames 68 2"], layout: Layout) -> Sheet | None:
        """Return where the eyes of the recorded frames look, None in a data set that does not say."""
        if not self.store.info.config.gaze:
            return None
        irises = driving_landmarks(self.store.with_irises(), task.queries, layout.size_px)[:, POINTS:]
        angles = np.concatenate([_of(self.store, task, name) for name in ("gaze_yaw_deg", "gaze_pitch_deg")], axis=1)
        return Sheet(content=gaze_sheet(irises, points, angles, layout), suffix="svg")

    def _fps(self, task: Task) -> float:
        """Return the frame rate of the recording of the first frame that is asked for."""
        gaps = np.diff(self.store.column(self.store.clip(task.queries[0].clip), "pts_s"))
        usual = float(np.median(gaps)) if len(gaps) else 0.0
        return round(1 / usual, 2) if usual > 0 else USUAL_FPS


def _of(store: Store, task: Task, column: str) -> Float[np.ndarray, "frames 1"]:
    """Return a column of the data set for the frames of a task."""
    parts = [store.column(store.clip(query.clip), column)[list(query.rows)] for query in task.queries]
    return np.concatenate(parts)[:, None]


def _sheet(frames: UInt8[np.ndarray, "frames size size 3"], layout: Layout) -> Sheet:
    return Sheet(content=encoded(sheet(frames, layout)), suffix="jpg")


def published(clip: EncodedClip, media: Media) -> dict[str, object]:
    """Publish the sheets of a clip and return what the page has to know of it, ready for JSON.

    Args:
        clip: The clip.
        media: Where the sheets go.
    """
    first = clip.tasks[0]

    def address(one: Sheet | None) -> str | None:
        if one is None:
            return None
        return media.add(one.content, one.suffix, recorded=one.recorded, digest=one.digest)

    return {
        "clip": first.clip,
        "identity": first.identity,
        "driver": first.driver,
        "fps": clip.fps,
        "queries": [
            {"clip": one.clip, "rows": one.rows, "strata": "".join(stratum[0] for stratum in one.strata)}
            for one in first.queries
        ],
        "grid": _grid(clip.layout),
        "support": {**_grid(clip.support_layout), "url": address(clip.support), "rows": clip.tasks[-1].support},
        "counts": [len(task.support) for task in clip.tasks],
        "driving": address(clip.driving),
        "target": address(clip.target),
        "asked": address(clip.asked),
        "gaze": address(clip.gaze),
        "systems": [
            [{"url": address(one.frames), "found": address(one.found), "missing": one.missing} for one in of_shots]
            for of_shots in clip.systems
        ],
        "scores": clip.scores.values,
        "reasons": clip.scores.reasons,
    }


def _grid(layout: Layout) -> dict[str, int]:
    return {
        "columns": layout.columns,
        "size": layout.size_px,
        "strip": layout.strip_px,
        "width": layout.cell_width_px,
        "height": layout.cell_height_px,
    }
