"""Follow every face through a clip, then pick the person the clip is about."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, UInt8

from pipeline.blazeface import Detection, box_iou
from pipeline.config import PipelineConfig
from pipeline.cuts import CutDetector
from pipeline.faces import Face, FaceBackend
from pipeline.verdicts import ClipRejectedError, RejectReason

SAME_FACE_IOU = 0.3
UNSEEN_SEARCHES = 3
"""A followed face that the detector misses this many times in a row is not one."""


@dataclass(slots=True)
class Track:
    """One person's face through a clip."""

    rows: list[int] = field(default_factory=list)
    """Positions in the clip's frames, increasing."""
    faces: list[Face] = field(default_factory=list)
    confirmed: int = 0
    """Faces up to the last time that the detector saw this one too."""
    unseen: int = 0
    """Searches since then."""

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
        self._cuts = CutDetector(config.cut_threshold)
        self._scene_start = 0

    def step(self, row: int, rgb: UInt8[np.ndarray, "height width 3"]) -> None:
        """Follow the known faces into frame `row`, and look for new ones when it is time or one got lost."""
        if self._cuts.is_cut(rgb):
            self._ended, self._live, self._scene_start = self._ended + self._live, [], row
        lost = self._follow(row, rgb)
        if lost or not self._live or row % self._config.detect_every == 0:
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
        track.add(row, face)
        track.confirmed, track.unseen = len(track.faces), 0
        self._ended = [ended for ended in self._ended if ended is not track]
        self._live.append(track)


def pick_person(
    tracks: Iterable[Track],
    hint: Float[np.ndarray, " 4"] | None,
    config: PipelineConfig,
) -> Track:
    """Return the track of the person the clip is about.

    Args:
        tracks: Everybody seen.
        hint: Face box in pixels at the start of the clip, from the manifest; None lets the longest and largest
            face win, unless a second one competes with it.
        config: Gives the limits.

    Raises:
        ClipRejectedError: There is no face (where the hint says), or two people compete.
    """
    ranked = sorted(tracks, key=lambda track: -len(track.rows) * track.face_px())
    if not ranked:
        raise ClipRejectedError(RejectReason.NO_FACE, "no face in any frame")
    if hint is not None:
        return _hinted(ranked, hint, config)
    for rival in ranked[1:]:
        _check_rival(ranked[0], rival, config)
    return ranked[0]


def face_side_px(box: Float[np.ndarray, " 4"]) -> float:
    """Return the geometric mean of a box's sides."""
    return float(np.sqrt(max(box[2] - box[0], 0) * max(box[3] - box[1], 0)))


def _hinted(tracks: list[Track], hint: Float[np.ndarray, " 4"], config: PipelineConfig) -> Track:
    first_second = [track for track in tracks if track.rows[0] <= config.fps]
    overlaps = [float(box_iou(hint, track.faces[0].box[None])[0]) for track in first_second]
    if not overlaps or max(overlaps) <= 0:
        where = ", ".join(f"{value:.0f}" for value in hint)
        raise ClipRejectedError(
            RejectReason.NO_FACE,
            f"none of the {len(tracks)} faces lies where the manifest's face_box says (pixels {where}) "
            "in the first second",
        )
    return first_second[int(np.argmax(overlaps))]


def _check_rival(chosen: Track, rival: Track, config: PipelineConfig) -> None:
    together = len(set(chosen.rows) & set(rival.rows)) / len(chosen.rows)
    size = rival.face_px() / chosen.face_px()
    if together >= config.ambiguous_time and size >= config.ambiguous_size:
        raise ClipRejectedError(
            RejectReason.AMBIGUOUS_FACE,
            f"two people: the second face is {size:.0%} as large as the first and is seen with it in {together:.0%} "
            "of its frames; give the clip a face_box in the manifest that says who is meant",
        )


def _match(box: Float[np.ndarray, " 4"], others: list[Float[np.ndarray, " 4"]]) -> int | None:
    """Return the position of the box that overlaps most, None if none is the same face."""
    if not others:
        return None
    overlaps = box_iou(box, np.stack(others))
    best = int(np.argmax(overlaps))
    return best if overlaps[best] >= SAME_FACE_IOU else None
