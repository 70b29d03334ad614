"""Frames as one picture: side by side on a sheet, from which the page shows one at a time.

A sheet is exact by construction: which frame stands where is arithmetic, and all panes of the player draw theirs from
sheets that have been read whole. The frames to be drawn are seldom neighbours in time, which is what video codecs live
on, and a browser seeks each video by itself.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from model.disclosure.label import BAR_RGB, label_below
from model.disclosure.mark import marked_picture, plain_picture
from model.disclosure.statement import Marks, Shown

BLOCK_PX = 8
"""Of JPEG: what begins on a multiple of it does not bleed into its neighbour, if colour has full resolution."""
LEAST_STRIP_PX = 11
QUALITY = 80
"""With colour at full resolution: at half, a decoder smooths colours across the border of two frames, and quality 85,
which then makes sheets a tenth smaller, is 2 dB further from the frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where each frame of a clip stands on its sheets; the same on all of them."""

    frames: int
    size_px: int
    strip_px: int
    """Height of the strip below each frame, which has the label where one is needed."""
    columns: int
    cell_width_px: int
    cell_height_px: int

    @classmethod
    def of(cls, frames: int, size_px: int, *, strip: bool = True) -> "Layout":
        """Return a layout that is about as wide as high.

        Args:
            frames: How many there are, one or more.
            size_px: Side of a frame.
            strip: Whether there is a strip below each frame.
        """
        height = _blocks(size_px + LEAST_STRIP_PX) * BLOCK_PX if strip else _blocks(size_px) * BLOCK_PX
        return cls(
            frames=frames,
            size_px=size_px,
            strip_px=height - size_px if strip else 0,
            columns=int(np.ceil(np.sqrt(frames))),
            cell_width_px=_blocks(size_px) * BLOCK_PX,
            cell_height_px=height,
        )

    @property
    def rows(self) -> int:
        """How many rows of cells there are."""
        return -(-self.frames // self.columns)

    @property
    def width_px(self) -> int:
        """Of the sheet."""
        return self.columns * self.cell_width_px

    @property
    def height_px(self) -> int:
        """Of the sheet."""
        return self.rows * self.cell_height_px

    def corner(self, place: int) -> tuple[int, int]:
        """Return (x, y) of the upper left corner of a frame."""
        row, column = divmod(place, self.columns)
        return column * self.cell_width_px, row * self.cell_height_px


def sheet(
    frames: UInt8[np.ndarray, "frames size size 3"], layout: Layout, mark: str = ""
) -> UInt8[np.ndarray, "height width 3"]:
    """Return the frames on a sheet, each with its label below.

    Args:
        frames: RGB.
        layout: Where they stand.
        mark: The label of what never happened; nothing for recorded frames and drawings.
    """
    cells = np.full((layout.rows * layout.columns, layout.cell_height_px, layout.cell_width_px, 3), BAR_RGB, np.uint8)
    size = layout.size_px
    cells[: len(frames), :size, :size] = frames
    if mark:
        strip = label_below(np.zeros((size, size, 3), np.uint8), layout.strip_px, mark)[size:]
        cells[: len(frames), size : size + len(strip), :size] = strip
    grid = cells.reshape(layout.rows, layout.columns, *cells.shape[1:])
    return np.ascontiguousarray(grid.swapaxes(1, 2).reshape(layout.height_px, layout.width_px, 3))


def encoded(picture: UInt8[np.ndarray, "height width 3"]) -> bytes:
    """Return a sheet of recorded frames, or of drawings, as JPEG."""
    return plain_picture(picture, ".jpg", QUALITY, full_colour=True)


def encoded_synthetic(picture: UInt8[np.ndarray, "height width 3"], shown: Shown, marks: Marks) -> bytes:
    """Return a sheet of frames that were synthesised, labelled each, as JPEG with the other marks."""
    return marked_picture(picture, ".jpg", shown, marks, place="drawn", quality=QUALITY, full_colour=True)


def _blocks(length_px: int) -> int:
    return -(-length_px // BLOCK_PX)
