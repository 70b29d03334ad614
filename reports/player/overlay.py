"""Points over a sheet of frames: lines that stay sharp at any size, as an SVG picture laid out like the sheet."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float

from model.landmark_map import PARTS
from pipeline.iris import EYE_CORNERS
from reports.player.film import Layout

ASKED = "#19d3ff"
"""Landmarks that a system was given."""
FOUND = "#ff9d2e"
"""Landmarks that were found in what it drew."""
GAZE = "#fff34d"
HALO = "#000"
DOTS_PER_PX = 4
"""Coordinates are whole numbers of quarter pixels."""
GAZE_OVER_EYE = 1.5
"""Length of the line of sight of an eye that looks to the side, over the width of the eye."""


def landmark_sheet(points: Float[np.ndarray, "frames points 2"], layout: Layout, colour: str) -> bytes:
    """Return the outlines of faces.

    Args:
        points: 68 or more a frame, in pixels of the frame; frames with a point that is not finite stay empty.
        layout: Of the sheet that lies below.
        colour: Of the lines.
    """
    return _svg([_outline(frame) for frame in points], layout, colour)


def gaze_sheet(
    irises: Float[np.ndarray, "frames 2 2"],
    points: Float[np.ndarray, "frames points 2"],
    gaze_deg: Float[np.ndarray, "frames 2"],
    layout: Layout,
) -> bytes:
    """Return the irises, and from each a line in the direction that it looks in.

    Args:
        irises: Centres of the right and of the left, in pixels of the frame; frames without stay empty.
        points: The landmarks, whose eyes say how long the lines are.
        gaze_deg: Yaw, positive to the right of the picture, and pitch, positive down.
        layout: Of the sheet that lies below.
    """
    ends = irises + _sight(points, gaze_deg)
    return _svg([_eyes(*frame) for frame in zip(irises, ends, strict=True)], layout, GAZE)


def _sight(
    points: Float[np.ndarray, "frames points 2"], gaze_deg: Float[np.ndarray, "frames 2"]
) -> Float[np.ndarray, "frames 2 2"]:
    """Return the lines of sight of both eyes: an orthographic view of unit vectors, as long as eyes are wide."""
    corners = np.array(EYE_CORNERS)
    widths = np.linalg.norm(points[:, corners[:, 0]] - points[:, corners[:, 1]], axis=-1)  # (frames, 2)
    yaw, pitch = np.radians(gaze_deg).T
    direction = np.stack([np.sin(yaw) * np.cos(pitch), np.sin(pitch)], axis=1)
    return np.asarray(GAZE_OVER_EYE * widths[..., None] * direction[:, None])


def _svg(paths: Sequence[str], layout: Layout, colour: str) -> bytes:
    """Return the path of each frame where the frame stands, cut off at its edge, light on a dark halo."""
    parts = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{layout.width_px}" height="{layout.height_px}" ',
        'fill="none" stroke-linecap="round" stroke-linejoin="round">',
        *_cells(paths, layout, colour),
        "</svg>",
    )
    return "".join(parts).encode()


def _cells(paths: Sequence[str], layout: Layout, colour: str) -> Iterator[str]:
    side, dots = layout.size_px, layout.size_px * DOTS_PER_PX
    light, dark = (f'stroke="{ink}" stroke-width="{dots / share:.1f}"' for ink, share in ((colour, 90), (HALO, 40)))
    for place, path in enumerate(paths):
        if path:
            x, y = layout.corner(place)
            yield f'<svg x="{x}" y="{y}" width="{side}" height="{side}" viewBox="0 0 {dots} {dots}">'
            yield f'<g {dark} opacity=".5"><path id="p{place}" d="{path}"/></g><use href="#p{place}" {light}/></svg>'


def _outline(points: Float[np.ndarray, "points 2"]) -> str:
    if not np.isfinite(points[:68]).all():
        return ""
    return "".join(
        _line(points[start:stop]) + ("z" if closed else "") for start, stop, closed, _ in PARTS if stop <= len(points)
    )


def _eyes(irises: Float[np.ndarray, "2 2"], ends: Float[np.ndarray, "2 2"]) -> str:
    """Return a point where each iris is, which round line ends make a disc, and its line of sight."""
    pairs = np.stack([irises, ends], axis=1)
    return "".join(map(_line, pairs)) if np.isfinite(pairs).all() else ""


def _line(points: Float[np.ndarray, "points 2"]) -> str:
    """Return a poly-line: where it begins, then steps, which are short numbers."""
    whole = np.rint(points * DOTS_PER_PX).astype(int)
    steps = " ".join(f"{x},{y}" for x, y in np.diff(whole, axis=0).tolist())
    return f"M{whole[0, 0]},{whole[0, 1]}l{steps}"
