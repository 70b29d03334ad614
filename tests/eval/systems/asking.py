"""Tasks for systems that are asked for many at once."""

import numpy as np

from eval.systems.protocol import Asked, Support

SIZE_PX = 16


def asked_of(number: int, frames: int = 3, shots: int = 2) -> Asked:
    """Return a task of noise; its id begins with its number, so that tasks come in that order."""
    rng = np.random.default_rng(number)
    support = Support(
        frames=rng.integers(0, 256, (shots, SIZE_PX, SIZE_PX, 3), dtype=np.uint8),
        landmarks=rng.uniform(0, SIZE_PX, (shots, 68, 2)).astype(np.float32),
        size_px=SIZE_PX,
        seed=number,
    )
    driving = rng.uniform(0, SIZE_PX, (frames, 68, 2)).astype(np.float32)
    return Asked(id=f"{number:016x}", support=support, driving_landmarks=driving)
