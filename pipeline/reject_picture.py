"""The small picture that is kept of a clip that was left out, so that a person sees at once why."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from pipeline.track import Track
from pipeline.verdicts import RejectReason

LONG_SIDE_PX = 160
QUALITY = 70
FOUND = (255, 208, 0)
"""Colour of the boxes of faces that were found."""
ASKED = (0, 208, 255)
"""... and of the manifest's `face_box`."""
LINE_PX = 2
RIM_PX = 4
"""The line lies on a dark one of this width, so that it is seen on any picture."""
LEAST_BOX_PX = 6
"""A smaller box would be hidden by its own line."""
UNSEEN = frozenset({RejectReason.NO_VIDEO, RejectReason.TIMEOUT})
"""Reasons for which no frame is looked for again: there is none, or the time for it is over."""


def telling_row(tracks: Sequence[Track], frames: int, reason: RejectReason) -> int:
    """Return the frame that shows best why a clip was left out.

    The one in which most is seen of the two people who are seen most; where the face was lost, one without a face. Of
    several, and where nobody is seen at all, the one nearest to the middle.

    Args:
        tracks: Every face that was followed.
        frames: Rows to choose from; at least one.
        reason: Why it was left out.
    """
    seen: dict[int, list[float]] = defaultdict(list)
    for track in tracks:
        weight = len(track.rows) * track.face_px() if track.rows else 0.0
        for row in track.rows:
            if row < frames:
                seen[row].append(weight)
    rows = set(range(frames))
    if reason is RejectReason.FACE_LOST:
        rows = rows - set(seen) or rows
    elif seen:
        pairs = {row: sum(sorted(weights)[-2:]) for row, weights in seen.items()}
        most = max(pairs.values())
        rows = {row for row, weight in pairs.items() if weight == most}
    return min(rows, key=lambda row: (abs(row - frames // 2), row))


def boxes_in(tracks: Sequence[Track], row: int) -> list[Float[np.ndarray, " 4"]]:
    """Return the faces that are seen in a frame."""
    places = ((track, bisect_left(track.rows, row)) for track in tracks)
    return [track.faces[at].box for track, at in places if at < len(track.rows) and track.rows[at] == row]


def draw(
    rgb: UInt8[np.ndarray, "height width 3"],
    found: Sequence[Float[np.ndarray, " 4"]],
    asked: Float[np.ndarray, " 4"] | None,
) -> bytes:
    """Return a frame as a small JPEG with boxes in it; the same frame gives the same bytes.

    Args:
        rgb: The frame, of any size; it is shrunk to a long side of 160 pixels, and never enlarged.
        found: Boxes of faces (x0, y0, x1, y1), as fractions of the frame's width and height.
        asked: The manifest's `face_box`, in the same way.
    """
    height, width = rgb.shape[:2]
    shrink = min(1.0, LONG_SIDE_PX / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    boxes = [*(() if asked is None else ((asked, ASKED),)), *((box, FOUND) for box in found)]
    corners = [(_corners(box, size), colour) for box, colour in boxes]
    for (first, second), _ in corners:
        cv2.rectangle(small, first, second, (0, 0, 0), RIM_PX)
    for (first, second), colour in corners:
        cv2.rectangle(small, first, second, colour, LINE_PX)
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,  # lines keep their colour
    ]
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), options)
    assert done, "OpenCV reports every failure of imencode by exception"
    return encoded.tobytes()


def _corners(box: Float[np.ndarray, " 4"], size: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the corners in pixels of the small picture, inside of it and far enough from each other to be seen."""
    spans = []
    for axis, side in enumerate(size):
        low, high = (float(box[axis + 2 * end]) * side for end in (0, 1))
        wider = max(0.0, LEAST_BOX_PX - (high - low)) / 2
        spans.append([int(np.clip(round(value), 1, max(1, side - 2))) for value in (low - wider, high + wider)])
    (left, right), (top, bottom) = spans
    return (left, top), (right, bottom)
