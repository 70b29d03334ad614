"""How a system looks on the page: one colour, marker and dash everywhere, and what kind of pictures it shows."""

from collections.abc import Sequence
from dataclasses import dataclass

MARKERS = (
    "M-4-4H4V4H-4Z",
    "M0-5.2 5 3.8H-5Z",
    "M0-5.5 5.5 0 0 5.5-5.5 0Z",
    "M4.6 0A4.6 4.6 0 1 1-4.6 0 4.6 4.6 0 1 1 4.6 0Z",
    "M-1.6-5H1.6V-1.6H5V1.6H1.6V5H-1.6V1.6H-5V-1.6H-1.6Z",
    "M0 5.2-5-3.8H5Z",
    "M-5 0-2.5-4.4H2.5L5 0 2.5 4.4H-2.5Z",
    "M-4.6-2.2-2.2-4.6 0-2.4 2.2-4.6 4.6-2.2 2.4 0 4.6 2.2 2.2 4.6 0 2.4-2.2 4.6-4.6 2.2-2.4 0Z",
)
"""SVG paths around the origin: square, triangle, diamond, disc, plus, triangle down, hexagon, cross."""
DASHES = ("2 3", "7 3", "1 4", "", "10 3 2 3", "5 2", "12 4", "3 2 1 2")

REAL_PICTURES = {
    "copy-source": "a copy of a real frame",
    "nearest-frame": "a copy of a real frame",
    "mean-frame": "an average of real frames",
}
"""The baselines whose pictures are recorded ones; every other system's pictures are taken to be AI-generated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemKey:
    """One system's name and looks."""

    name: str
    title: str
    place: int
    """Order in the run; chooses the colour `--s<place>` of the style sheet."""
    marker: str
    dash: str
    synthetic: bool
    pictures: str
    """What its pictures are, in words."""


def legend(systems: Sequence[tuple[str, str]]) -> dict[str, SystemKey]:
    """Return the looks of each system by its name.

    Args:
        systems: (name, title) in the order in which tables list them. Beyond eight, looks repeat.
    """
    return {
        name: SystemKey(
            name=name,
            title=title,
            place=place % len(MARKERS),
            marker=MARKERS[place % len(MARKERS)],
            dash=DASHES[place % len(DASHES)],
            synthetic=name not in REAL_PICTURES,
            pictures=REAL_PICTURES.get(name, "AI-generated"),
        )
        for place, (name, title) in enumerate(systems)
    }
