"""Traces of pictures and sound: enough to find their bytes again in any file, too little to see or hear anything.

Every window of 128 bytes of a file has a hash (a polynomial modulo 2^64, doubled from one byte to the full width).
The traces of an encoded picture, or of a piece of sound, are its few smallest hashes. So its bytes are found at any
offset of any file, in part as well, and whatever has a larger hash than all traces can be passed over.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import UInt8, UInt64

DOUBLINGS = 7
WINDOW_BYTES = 2**DOUBLINGS
TRACES = 8
"""Of each picture or piece of sound; they lie scattered over it."""
LEAST_VALUES = 32
"""A window with fewer different bytes is flat and could be in any file; it leaves no trace."""
MOST_CANDIDATES = 64 * TRACES
"""Windows that are looked at, smallest hash first, before the rest is taken for flat too."""
CHUNK_BYTES = 1 << 15
"""Read at a time, so that the hashes stay in the processor's cache."""
_BASE = 0x9E3779B97F4A7C15
_FACTORS = tuple(np.uint64(pow(_BASE, 2**power, 2**64)) for power in range(DOUBLINGS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What was read, and where something was found."""

    files: int
    size_bytes: int
    found: tuple[Path, ...]


def traces_of(pictures: Iterable[bytes]) -> UInt64[np.ndarray, " traces"]:
    """Return the traces of encoded pictures, sorted and each once."""
    found = [_smallest(np.frombuffer(picture, np.uint8)) for picture in pictures]
    return np.unique(np.concatenate([np.empty(0, np.uint64), *found]))


def scan(folders: Sequence[Path], traces: UInt64[np.ndarray, " traces"]) -> Scan:
    """Read every file under the folders and return those with a window that has left a trace.

    Args:
        folders: Where to look; those that do not exist hold nothing.
        traces: What to look for, sorted; where there are none, nothing is read.
    """
    paths = sorted({path for folder in folders for path in _files(folder.resolve())}) if len(traces) else []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        hits = list(pool.map(lambda path: _found_in(path, traces), paths))
    return Scan(
        files=len(paths),
        size_bytes=sum(size for size, _ in hits),
        found=tuple(path for path, (_, hit) in zip(paths, hits, strict=True) if hit),
    )


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (path for path in (Path(parent, name) for name in names) if path.is_file())


def _found_in(path: Path, traces: UInt64[np.ndarray, " traces"]) -> tuple[int, bool]:
    """Return how much of a file was read until something was found, and whether."""
    size, rest = 0, b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            size += len(chunk)
            data = rest + chunk
            if _has_any(_hashes(np.frombuffer(data, np.uint8)), traces):
                return size, True
            rest = data[-(WINDOW_BYTES - 1) :]
    return size, False


def _has_any(hashes: UInt64[np.ndarray, " windows"], traces: UInt64[np.ndarray, " traces"]) -> bool:
    likely = hashes[np.flatnonzero(hashes <= traces[-1])]
    nearest = np.minimum(traces.searchsorted(likely), len(traces) - 1)
    return bool((traces[nearest] == likely).any())


def _smallest(content: UInt8[np.ndarray, " bytes"]) -> UInt64[np.ndarray, " traces"]:
    """Return the smallest hashes of windows that are not flat; zeros, as in padding, have the smallest of all."""
    hashes, places = np.unique(_hashes(content), return_index=True)
    candidates = zip(hashes[:MOST_CANDIDATES], places[:MOST_CANDIDATES], strict=True)
    telling = (hash_ for hash_, at in candidates if len(set(content[at : at + WINDOW_BYTES].tolist())) >= LEAST_VALUES)
    return np.fromiter(islice(telling, TRACES), np.uint64)


def _hashes(data: UInt8[np.ndarray, " bytes"]) -> UInt64[np.ndarray, " windows"]:
    """Return the hash of every window: that of 2n bytes is made of those of its two halves."""
    hashes = data.astype(np.uint64)
    for power, factor in enumerate(_FACTORS):
        half = 2**power
        doubled = hashes[:-half] * factor
        doubled += hashes[half:]
        hashes = doubled
    return hashes
