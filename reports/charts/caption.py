"""What a figure says to those who do not see it, and names short enough to stand in it."""

from dataclasses import dataclass

MOST_LETTERS = 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """Name and content of a drawing in words."""

    anchor: str
    """Its id in the page."""
    title: str
    description: str


def fitted(name: str, most: int = MOST_LETTERS) -> str:
    """Return a name that fits beside a drawing; the table beside it has the whole one."""
    return name if len(name) <= most else f"{name[: most - 1]}…"
