"""A person made of ellipses: something to ask a program for that is nobody's picture."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from eval.systems.protocol import Asked, Support

SKINS = ((224, 172, 140), (141, 92, 66))
_HAIR, _DARK, _LIPS, _WALL = (70, 45, 30), (25, 20, 30), (170, 60, 70), (120, 150, 190)


def drawn_tasks(size_px: int, *, gaze: bool = False) -> tuple[Asked, Asked]:
    """Return two tasks: one support frame and four to draw, three and five; each of a person of its own.

    Args:
        size_px: Side of the frames.
        gaze: Give 70 points.
    """
    return _task(0, 1, 4, size_px, gaze), _task(1, 3, 5, size_px, gaze)


def face_points(phase: float, size_px: int, *, gaze: bool = False) -> Float[np.ndarray, "points 2"]:
    """Return the landmarks of the face: it nods and talks as `phase` goes from 0 to 2 pi."""
    jaw = _arc((0, 0.05), (0.62, 0.85), np.linspace(np.pi, 0, 17))
    brows = [_arc((x, -0.38), (0.2, 0.08), np.linspace(np.pi, 2 * np.pi, 5)) for x in (-0.3, 0.3)]
    nose = np.concatenate([_line((0, -0.25), (0, 0.1), 4), _line((-0.14, 0.2), (0.14, 0.2), 5)])
    ring = np.linspace(np.pi, 3 * np.pi, 7)[:6]
    eyes = [_arc((x, -0.2), (0.13, 0.06), ring) for x in (-0.3, 0.3)]
    mouth = 0.07 + 0.05 * np.sin(3 * phase)
    outer = _arc((0, 0.5), (0.28, mouth + 0.05), np.linspace(np.pi, 3 * np.pi, 13)[:12])
    inner = _arc((0, 0.5), (0.2, mouth), np.linspace(np.pi, 3 * np.pi, 9)[:8])
    irises = np.array([eye.mean(axis=0) for eye in eyes] if gaze else []).reshape(-1, 2)
    points = np.concatenate([jaw, *brows, nose, *eyes, outer, inner, irises])
    shift = 0.08 * np.array([np.sin(phase), np.cos(2 * phase)])
    return np.asarray((points + shift + 1.5) / 3 * size_px - 0.5, np.float32)


def face_picture(
    points: Float[np.ndarray, "points 2"], skin: tuple[int, int, int], size_px: int
) -> UInt8[np.ndarray, "size size 3"]:
    """Return a picture of the face with these landmarks."""
    picture = np.full((size_px, size_px, 3), _WALL, np.uint8)
    jaw = points[:17]
    top = jaw[[0, -1]].mean(axis=0)
    radius = float(np.linalg.norm(jaw[0] - jaw[-1])) / 2
    cv2.circle(picture, _whole(top - [0, radius / 4]), round(1.15 * radius), _HAIR, -1, cv2.LINE_AA)
    cv2.ellipse(picture, _whole(top), (round(radius), round(0.7 * radius)), 0, 180, 360, skin, -1, cv2.LINE_AA)
    for part, colour in ((jaw, skin), (points[48:60], _LIPS), (points[60:68], _DARK)):
        cv2.fillPoly(picture, [np.rint(part).astype(np.int32)], colour, cv2.LINE_AA)
    for eye in (points[36:42], points[42:48]):
        cv2.fillPoly(picture, [np.rint(eye).astype(np.int32)], (245, 245, 245), cv2.LINE_AA)
        cv2.circle(picture, _whole(eye.mean(axis=0)), max(1, round(radius / 12)), _DARK, -1, cv2.LINE_AA)
    for brow in (points[17:22], points[22:27], points[31:36]):
        cv2.polylines(picture, [np.rint(brow).astype(np.int32)], False, _HAIR, max(1, size_px // 64), cv2.LINE_AA)
    return picture


def _task(number: int, shots: int, frames: int, size_px: int, gaze: bool) -> Asked:
    points = np.stack(
        [face_points(phase, size_px, gaze=gaze) for phase in np.linspace(0, 2 * np.pi, shots + frames, endpoint=False)]
    )
    skin = SKINS[number]
    support = Support(
        frames=np.stack([face_picture(one, skin, size_px) for one in points[:shots]]),
        landmarks=points[:shots],
        size_px=size_px,
        seed=number,
    )
    return Asked(id=f"{number + 1:016x}", support=support, driving_landmarks=points[shots:])


def _arc(
    centre: tuple[float, float], radii: tuple[float, float], angles: Float[np.ndarray, " points"]
) -> Float[np.ndarray, "points 2"]:
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1) * radii + centre


def _line(start: tuple[float, float], end: tuple[float, float], count: int) -> Float[np.ndarray, "points 2"]:
    return np.linspace(start, end, count)


def _whole(point: Float[np.ndarray, " 2"]) -> tuple[int, int]:
    x, y = np.rint(point).astype(int)
    return int(x), int(y)
