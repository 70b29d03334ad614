"""Faces made of circles: what the pictures of the drawn data set show."""

import cv2
import numpy as np

from pipeline.landmarks import rescale


def drawn_landmarks(row: int) -> np.ndarray:
    """68 points of a face whose mouth opens and whose head sways, in pixels of a 64 px image."""
    sway, opening = 3 * np.sin(row / 9), 2 + 2 * np.sin(row / 5)
    turn = np.linspace(0.05 * np.pi, 0.95 * np.pi, 17)
    jaw = np.stack([32 - 20 * np.cos(turn), 30 + 26 * np.sin(turn)], axis=1)

    def arc(centre: tuple[float, float], width: float, height: float, count: int) -> np.ndarray:
        angle = np.linspace(np.pi, 3 * np.pi, count, endpoint=False)
        return np.asarray(centre) + np.stack([width * np.cos(angle), height * np.sin(angle)], axis=1)

    brows = np.array([[x, 22] for middle in (22, 42) for x in np.linspace(middle - 5, middle + 5, 5)])
    nose = np.array([[32, 27], [32, 31], [32, 35], [32, 38], *[[x, 41] for x in np.linspace(28, 36, 5)]])
    eyes = np.concatenate([arc((22, 27), 5, 2, 6), arc((42, 27), 5, 2, 6)])
    lips = np.concatenate([arc((32, 49), 8, 2 + opening, 12), arc((32, 49), 6, opening, 8)])
    points = np.concatenate([jaw, brows, nose, eyes, lips])
    return (points + np.array([sway, 0.0])).astype(np.float32)


def drawn_face(identity: str, row: int, size_px: int) -> np.ndarray:
    """A drawn head in a colour of its own."""
    rng = np.random.default_rng(sum(identity.encode()))
    skin, wall, hair = (tuple(int(v) for v in rng.integers(60, 220, 3)) for _ in range(3))
    points = rescale(drawn_landmarks(row), 64, size_px)
    image = np.full((size_px, size_px, 3), wall, np.uint8)
    scale = size_px / 64
    centre = points[:17].mean(axis=0)
    cv2.circle(image, tuple(int(v) for v in centre - [0, 14 * scale]), int(22 * scale), hair, -1, cv2.LINE_AA)
    cv2.fillPoly(image, [np.round(points[:17]).astype(np.int32)], skin, cv2.LINE_AA)
    cv2.ellipse(
        image,
        tuple(int(v) for v in centre - [0, 8 * scale]),
        (int(20 * scale), int(17 * scale)),
        0,
        0,
        360,
        skin,
        -1,
        cv2.LINE_AA,
    )
    for part, colour in (
        (slice(36, 42), (250, 250, 250)),
        (slice(42, 48), (250, 250, 250)),
        (slice(48, 60), (150, 30, 40)),
        (slice(60, 68), (30, 5, 10)),
    ):
        cv2.fillPoly(image, [np.round(points[part]).astype(np.int32)], colour, cv2.LINE_AA)
    return image
