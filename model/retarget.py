"""One person's movement, carried out by another person's face."""

import numpy as np
from jaxtyping import Complex, Float

Points = Float[np.ndarray, "frames points 2"]


def carried_over(driving: Points, support: Points) -> Points:
    """Return landmarks that move as the driver's do and keep the proportions of the person in the support.

    Of all pairs of a driving and a support frame, the one whose faces are most alike in expression and pose is taken
    to mean the same. From there on, the person's landmarks move by what the driver's move by, turned and scaled by the
    similarity between the two faces.

    Args:
        driving: (x, y) in pixels of each driving frame, finite.
        support: The same of each support frame.

    Source: the relative motion of Siarohin et al. 2019 (first-order motion model, section 3.3), there for learned
    keypoints and the first driving frame; differs in choosing the pair of frames.
    """
    drivers, owns = _complex(driving), _complex(support)
    shapes, own_shapes = _normalised(drivers), _normalised(owns)
    gaps = np.abs(shapes[:, None] - own_shapes[None]).mean(axis=-1)  # (driving, support)
    moment, like = np.unravel_index(gaps.argmin(), gaps.shape)
    start, own = drivers[moment], owns[like]
    turn = _similarity(start, own)
    moved = own + turn * (drivers - start)
    return np.stack([moved.real, moved.imag], axis=-1).astype(np.float32)


def _complex(points: Points) -> Complex[np.ndarray, "frames points"]:
    """Return x + iy, of which a similarity is a multiple."""
    return np.asarray(points[..., 0] + 1j * points[..., 1].astype(np.float64))


def _normalised(points: Complex[np.ndarray, "frames points"]) -> Complex[np.ndarray, "frames points"]:
    """Return the shapes around their mean and of unit size."""
    centred = points - points.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.sqrt((np.abs(centred) ** 2).mean(axis=1, keepdims=True)))


def _similarity(one: Complex[np.ndarray, " points"], other: Complex[np.ndarray, " points"]) -> complex:
    """Return rotation and scale that bring `one` nearest to `other`, both around their means."""
    a, b = one - one.mean(), other - other.mean()
    return complex(np.vdot(a, b) / np.vdot(a, a))
