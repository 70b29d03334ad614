"""Follow every face through a clip."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, UInt8

from pipeline.blazeface import Detection, box_iou
from pipeline.config import PipelineConfig
from pipeline.cuts import Change, CutDetector
from pipeline.faces import Face, FaceBackend

SAME_FACE_IOU = 0.3
UNSEEN_SEARCHES = 3
"""A followed face that the detector misses this many times in a row is not one."""
SURE_S = 0.5
"""Within this time nobody takes another's place: a face that is back so soon is the same person's."""


@dataclass(slots=True)
class Track:
    """One face through a scene."""

    rows: list[int] = field(default_factory=list)
    """Positions in the clip's frames, increasing."""
    faces: list[Face] = field(default_factory=list)
    confirmed: int = 0
    """Faces up to the last time that the detector saw this one too."""
    unseen: int = 0
    """Searches since then."""
    doubts: list[int] = field(default_factory=list)
    """Positions in `rows` from which on it is at the same place, but may be somebody else."""

    @property
    def last(self) -> Face:
        """The face as it was seen last."""
        return self.faces[-1]

    def add(self, row: int, face: Face) -> None:
        """Append what was seen in frame `row`."""
        self.rows.append(row)
        self.faces.append(face)

    def forget_unconfirmed(self) -> None:
        """Drop what was followed since the detector saw the face last."""
        del self.rows[self.confirmed :], self.faces[self.confirmed :]
        self.doubts = [doubt for doubt in self.doubts if doubt < self.confirmed]

    def doubt(self) -> None:
        """Note that what comes next may be somebody else."""
        if self.rows and self.doubts[-1:] != [len(self.rows)]:
            self.doubts.append(len(self.rows))

    def pieces(self) -> list["Track"]:
        """Return the stretches between doubts, in each of which it is one person for sure."""
        ends = [*(doubt for doubt in self.doubts if doubt < len(self.rows)), len(self.rows)]
        return [
            Track(rows=self.rows[start:end], faces=self.faces[start:end])
            for start, end in zip([0, *ends], ends, strict=False)
        ]

    def face_px(self) -> float:
        """Return the median side of the face in source pixels."""
        return float(np.median([face_side_px(face.box) for face in self.faces]))


class Tracker:
    """Feeds on frames in order and keeps a track per person."""

    def __init__(self, backend: FaceBackend, config: PipelineConfig) -> None:
        self._backend = backend
        self._config = config
        self._live: list[Track] = []
        self._ended: list[Track] = []
        self._relink_rows = round(config.relink_s * config.fps)
        self._sure_rows = round(SURE_S * config.fps)
        self._cuts = CutDetector(config.cut_threshold)
        self._scene_start = 0
        self._sudden = 0

    def step(self, row: int, rgb: UInt8[np.ndarray, "height width 3"]) -> None:
        """Follow the known faces into frame `row`, and look for new ones when it is time or one got lost."""
        change = self._cuts.change(rgb)
        if change is Change.CUT:
            self._ended, self._live, self._scene_start = self._ended + self._live, [], row
        elif change is Change.SUDDEN:
            self._sudden = row
            for track in self._live:
                track.doubt()
        lost = self._follow(row, rgb)
        if lost or not self._live or row % self._config.detect_every == 0 or change is Change.SUDDEN:
            self._search(row, rgb)

    def tracks(self) -> list[Track]:
        """Return all tracks seen so far."""
        return self._ended + self._live

    def _follow(self, row: int, rgb: UInt8[np.ndarray, "height width 3"]) -> bool:
        followed: list[Track] = []
        for track in sorted(self._live, key=lambda track: -len(track.rows)):
            face = self._in_picture(self._backend.follow(rgb, track.last), rgb)
            if face is None or _match(face.box, [other.last.box for other in followed]) is not None:
                self._ended.append(track)  # lost, or slipped onto another person's face
                continue
            track.add(row, face)
            followed.append(track)
        lost = len(followed) < len(self._live)
        self._live = followed
        return lost

    def _search(self, row: int, rgb: UInt8[np.ndarray, "height width 3"]) -> None:
        detections = self._backend.detect(rgb)
        self._confirm(detections)
        for detection in detections:
            if len(self._live) >= self._config.max_faces:
                return
            if _match(detection.box, [track.last.box for track in self._live]) is not None:
                continue
            face = self._in_picture(self._backend.fit(rgb, detection), rgb)
            if face is not None and _match(face.box, [track.last.box for track in self._live]) is None:
                self._resume(row, face)

    def _in_picture(self, face: Face | None, rgb: UInt8[np.ndarray, "height width 3"]) -> Face | None:
        """Return the face unless too much of it lies outside the picture, where its points are guesses."""
        if face is None:
            return None
        height, width = rgb.shape[:2]
        outside = ((face.points < 0) | (face.points > (width - 1, height - 1))).any(axis=1).mean()
        return None if outside > self._config.max_outside else face

    def _confirm(self, detections: list[Detection]) -> None:
        boxes = [detection.box for detection in detections]
        live = []
        for track in self._live:
            if _match(track.last.box, boxes) is not None:
                track.confirmed, track.unseen = len(track.faces), 0
            else:
                track.unseen += 1
            if track.unseen < UNSEEN_SEARCHES:
                live.append(track)
            else:
                track.forget_unconfirmed()
                self._ended.append(track)
        self._live = live

    def _resume(self, row: int, face: Face) -> None:
        """Go on with the track of a face that was lost here a moment ago, else begin one."""
        earliest = max(row - self._relink_rows, self._scene_start)
        recent = [track for track in self._ended if track.rows[-1] >= earliest]
        match = _match(face.box, [track.last.box for track in recent])
        track = Track() if match is None else recent[match]
        if track.rows and (row - track.rows[-1] > self._sure_rows or track.rows[-1] < self._sudden):
            track.doubt()
        track.add(row, face)
        track.confirmed, track.unseen = len(track.faces), 0
        self._ended = [ended for ended in self._ended if ended is not track]
        self._live.append(track)


def face_side_px(box: Float[np.ndarray, " 4"]) -> float:
    """Return the geometric mean of a box's sides."""
    return float(np.sqrt(max(box[2] - box[0], 0) * max(box[3] - box[1], 0)))


def _match(box: Float[np.ndarray, " 4"], others: list[Float[np.ndarray, " 4"]]) -> int | None:
    """Return the position of the box that overlaps most, None if none is the same face."""
    if not others:
        return None
    overlaps = box_iou(box, np.stack(others))
    best = int(np.argmax(overlaps))
    return best if overlaps[best] >= SAME_FACE_IOU else None
