"""An invisible watermark: 32 bits in the colours of a picture that say "made by headshot".

Method: quantised singular values of a wavelet band (`dwtDctSvd` of the package invisible-watermark). A Haar wavelet
halves the picture's blue-difference channel, which is cut into 4 x 4 blocks; the largest singular value of each is
moved into the lower or the upper half of a quantisation step, for a zero or a one. That method transforms each block by
a cosine transform first, which is orthonormal and leaves singular values as they are, so it is left out. It also
differs in: a bit's blocks are scattered over the picture, so that one part of it does not swallow bits; a value moves
to the nearest place that fits; blocks that rounding and clipping have moved away are moved again, the other way where
pixels are full; a block's vote weighs as much as it is clear; and the step is wider for small pictures, where few
blocks vote.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8

VERSION = "dwtDctSvd/1"
"""Raised by hand whenever marked pixels can change."""
PAYLOAD = 0xA3C5_69D2
"""As many ones as zeros, because a flat picture says the same for each bit."""
BITS = 32
MOST_WRONG = 4
"""Bits that may be wrong in a mark that is there. Fair coins would pass once in 100,000."""
BLOCK_PX = 8
"""Of a block, before the wavelet halves it."""
STEPS = ((1024, 36.0), (256, 56.0), (128, 72.0), (0, 96.0))
"""From so many blocks on the quantisation step is this: from 256, 128 and 90 pixels square on, and below."""
_PASSES = 4
_STEPS_TO_VECTORS = 4
_BLUE_DIFFERENCE = np.array([-0.147, -0.289, 0.436])
"""Of red, green and blue (BT.601)."""
_TO_RGB = np.array([0.0, -0.395, 2.032])


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a picture or a video says when it is asked for the watermark."""

    wrong_bits: int
    """Of 32; about half in a picture without a watermark."""

    @property
    def found(self) -> bool:
        """Whether the watermark is there."""
        return self.wrong_bits <= MOST_WRONG


def fits(height: int, width: int) -> bool:
    """Return whether a picture has a block for each bit."""
    return (height // BLOCK_PX) * (width // BLOCK_PX) >= BITS


def embed(picture: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "height width 3"]:
    """Return the RGB picture with the watermark; one that it does not fit into stays as it is."""
    if not fits(*picture.shape[:2]):
        return picture.copy()
    result = picture.copy()
    inside = result[: picture.shape[0] // BLOCK_PX * BLOCK_PX, : picture.shape[1] // BLOCK_PX * BLOCK_PX]
    count = inside.shape[0] * inside.shape[1] // BLOCK_PX**2
    step, place = _step(count), 0.25 + 0.5 * _payload()[_bit_of_block(count)]
    wanted, full, empty = np.full(count, np.nan), np.zeros(count, bool), np.zeros(count, bool)
    for _ in range(_PASSES):
        left, largest, right = _strongest(_blocks(inside))
        missed = np.abs(wanted - largest) > step / 4  # pixels at 0 or 255 would not move that way: try the other one
        full, empty = full | missed & (wanted > largest), empty | missed & (wanted < largest)
        below, nearest = (np.floor(largest / step - place) + place), (np.rint(largest / step - place) + place)
        wanted = np.where(full == empty, nearest, np.where(full, below, below + 1)) * step
        change = (wanted - largest)[:, None, None] * left[:, :, None] * right[:, None, :]
        _add(_unblocked(change, inside.shape[0] // BLOCK_PX), inside)
    return result


def votes(picture: UInt8[np.ndarray, "height width 3"]) -> Float[np.ndarray, " bits"]:
    """Return how clearly an RGB picture says one (above zero) or zero for each bit; votes of frames add up."""
    inside = picture[: picture.shape[0] // BLOCK_PX * BLOCK_PX, : picture.shape[1] // BLOCK_PX * BLOCK_PX]
    count = inside.shape[0] * inside.shape[1] // BLOCK_PX**2
    if count < BITS:
        return np.zeros(BITS)
    largest = np.linalg.svd(_blocks(inside), compute_uv=False)[:, 0]
    return np.bincount(_bit_of_block(count), -np.sin(2 * np.pi * largest / _step(count)), BITS)


def read(frames: Iterable[UInt8[np.ndarray, "height width 3"]]) -> Reading:
    """Return what the frames of a video, or the one of a picture, say together."""
    said = sum((votes(frame) for frame in frames), np.zeros(BITS))
    return Reading(wrong_bits=int(((said > 0) != _payload()).sum()))


def _payload() -> Int[np.ndarray, " bits"]:
    return PAYLOAD >> np.arange(BITS) & 1


def _step(blocks: int) -> float:
    return next(step for least, step in STEPS if blocks >= least)


def _bit_of_block(blocks: int) -> Int[np.ndarray, " blocks"]:
    """Return which bit each block speaks for: every bit as often as any other, in a scattered order that never changes.

    Source of the scattering: the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
    """
    mixed = np.arange(1, blocks + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ mixed >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ mixed >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return np.asarray(np.argsort(np.argsort(mixed ^ mixed >> np.uint64(31))) % BITS)


def _blocks(picture: UInt8[np.ndarray, "height width 3"]) -> Float[np.ndarray, "blocks 4 4"]:
    """Return the halved blue-difference channel as blocks."""
    rows, columns = picture.shape[0] // BLOCK_PX, picture.shape[1] // BLOCK_PX
    pairs = picture[0::2].astype(np.uint16) + picture[1::2]  # whole numbers are added up before they are weighed
    band = (pairs[:, 0::2] + pairs[:, 1::2]) @ _BLUE_DIFFERENCE / 2 + 256
    return np.asarray(band.reshape(rows, 4, columns, 4).swapaxes(1, 2).reshape(-1, 4, 4))


def _strongest(
    blocks: Float[np.ndarray, "blocks 4 4"],
) -> tuple[Float[np.ndarray, "blocks 4"], Float[np.ndarray, " blocks"], Float[np.ndarray, "blocks 4"]]:
    """Return the largest singular value of each block between its vectors, ten times as fast as all of them.

    By power iteration, which for numbers that are all far above zero, as these are, is exact after a few steps.
    """
    right = np.full(blocks.shape[:2], 0.5)
    for _ in range(_STEPS_TO_VECTORS):
        left = np.einsum("nij,nj->ni", blocks, right)
        right = np.einsum("nij,ni->nj", blocks, left)
        right /= np.linalg.norm(right, axis=1, keepdims=True)
    left = np.einsum("nij,nj->ni", blocks, right)
    largest = np.asarray(np.linalg.norm(left, axis=1))
    return left / largest[:, None], largest, right


def _unblocked(blocks: Float[np.ndarray, "blocks 4 4"], rows: int) -> Float[np.ndarray, "half_height half_width"]:
    """Return changes of the blocks as changes of the channel, at half of its resolution."""
    return np.asarray(blocks.reshape(rows, -1, 4, 4).swapaxes(1, 2).reshape(rows * 4, -1) / 2)


def _add(change: Float[np.ndarray, "half_height half_width"], picture: UInt8[np.ndarray, "height width 3"]) -> None:
    """Change the blue difference of a picture, each value for two by two pixels, within what pixels can be."""
    for place, share in enumerate(_TO_RGB.tolist()):
        if share:
            levels = np.rint(change * share).astype(np.int16).repeat(2, axis=0).repeat(2, axis=1)
            levels += picture[..., place]
            picture[..., place] = np.clip(levels, 0, 255, out=levels)
