"""How a system looks on the page: one colour, marker and dash everywhere, and what kind of pictures it shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from eval.systems.builtin import LEARNED, WARPS
from model.disclosure.label import ALTERED, LABEL

MARKERS = (
    "M-4-4H4V4H-4Z",
    "M0-5.2 5 3.8H-5Z",
    "M0-5.5 5.5 0 0 5.5-5.5 0Z",
    "M4.6 0A4.6 4.6 0 1 1-4.6 0 4.6 4.6 0 1 1 4.6 0Z",
    "M-1.6-5H1.6V-1.6H5V1.6H1.6V5H-1.6V1.6H-5V-1.6H-1.6Z",
    "M0 5.2-5-3.8H5Z",
    "M-5 0-2.5-4.4H2.5L5 0 2.5 4.4H-2.5Z",
    "M-4.6-2.2-2.2-4.6 0-2.4 2.2-4.6 4.6-2.2 2.4 0 4.6 2.2 2.2 4.6 0 2.4-2.2 4.6-4.6 2.2-2.4 0Z",
    "M5.2 0-3.8-5V5Z",
    "M-5.2 0 3.8-5V5Z",
    "M0-5.8 1.5-1.5 5.8 0 1.5 1.5 0 5.8-1.5 1.5-5.8 0-1.5-1.5Z",
    "M-2-5.2H2V5.2H-2Z",
)
"""SVG paths around the origin: square, triangle, diamond, disc, plus, triangles down, hexagon, cross, triangles to the
right and left, star, bar. The style sheet has as many colours."""
DASHES = (
    *("2 3", "7 3", "1 4", "", "10 3 2 3", "5 2", "12 4", "3 2 1 2"),
    *("8 2 2 2 2 2", "4 5", "1 2", "14 3 1 3 1 3", "9 6"),
)
"""One more than there are markers and colours, so that these come back with other dashes."""


class Family(StrEnum):
    """What a system is, which decides what it is compared with and how its pictures are marked."""

    COPY = "copy"
    """Shows recorded frames, or their average."""
    WARP = "warp"
    """Bends a recorded frame by a formula; nothing is learned."""
    BASELINE = "learned baseline"
    """A learned model of another family than the reference model's, for comparison."""
    MODEL = "model"
    """Everything else: the reference model, and systems that are not built in."""


COPIES = {
    "copy-source": "a copy of a real frame",
    "nearest-frame": "a copy of a real frame",
    "mean-frame": "an average of real frames",
    "real-frames": "a real frame",
    "shuffled-identity": "a real frame of another person",
    "reencoded-crf23": "a real frame, once through a video codec",
}
"""The baselines and references whose pictures are recorded ones. Those of unknown systems are taken to be
AI-generated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemKey:
    """One system's name and looks."""

    name: str
    title: str
    place: int
    """Order in the run; chooses the colour `--s<place>` of the style sheet."""
    marker: str
    dash: str
    family: Family
    pictures: str
    """What its pictures are, in words."""

    @property
    def mark(self) -> str:
        """What is written below its pictures; nothing below recorded ones."""
        return {Family.COPY: "", Family.WARP: ALTERED}.get(self.family, LABEL)


def legend(systems: Sequence[tuple[str, str]]) -> dict[str, SystemKey]:
    """Return the looks of each system by its name; no two look alike, whatever their number.

    Args:
        systems: (name, title) in the order in which tables list them. Beyond twelve, colours and markers come back
            with other dashes.
    """
    return {
        name: SystemKey(
            name=name,
            title=title,
            place=place % len(MARKERS),
            marker=MARKERS[place % len(MARKERS)],
            dash=DASHES[place % len(DASHES)],
            family=_family(name),
            pictures=COPIES.get(name, "a real frame, bent by a formula" if name in WARPS else LABEL),
        )
        for place, (name, title) in enumerate(systems)
    }


def _family(name: str) -> Family:
    if name in COPIES:
        return Family.COPY
    if name in WARPS:
        return Family.WARP
    return Family.BASELINE if name in LEARNED else Family.MODEL
