"""Traces of pictures: enough to find their bytes again in any file, too little to see anything.

A trace is the hash of a window of bytes from inside an encoded picture. Every window of a file is hashed in the same
way (a polynomial modulo 2^64, doubled from one byte to the full width), so a picture is found at any offset, also as
part of another file.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8, UInt64

DOUBLINGS = 7
WINDOW_BYTES = 2**DOUBLINGS
PLACES = (0.25, 0.5, 0.75)
"""Where in a picture windows are taken, so that a part of it is found too."""
LEAST_VALUES = 32
"""A window with fewer different bytes is flat and could be in any file; it leaves no trace."""
CHUNK_BYTES = 1 << 18
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
    windows = [window for picture in pictures for window in _windows(np.frombuffer(picture, np.uint8))]
    if not windows:
        return np.empty(0, np.uint64)
    return np.unique(np.concatenate([_hashes(window) for window in windows]))


def scan(folders: Sequence[Path], traces: UInt64[np.ndarray, " traces"]) -> Scan:
    """Read every file under the folders and return those with a window that has left a trace.

    Args:
        folders: Where to look; those that do not exist hold nothing.
        traces: What to look for, sorted.
    """
    paths = sorted({path for folder in folders for path in _files(folder.resolve())})
    if not len(traces):
        return Scan(files=0, size_bytes=0, found=())
    sieve = _Sieve(traces)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        hits = list(pool.map(lambda path: _found_in(path, sieve), paths))
    return Scan(
        files=len(paths),
        size_bytes=sum(size for size, _ in hits),
        found=tuple(path for path, (_, hit) in zip(paths, hits, strict=True) if hit),
    )


class _Sieve:
    """Tells which hashes are traces, most of them by one look into a small table."""

    def __init__(self, traces: UInt64[np.ndarray, " traces"]) -> None:
        bits = min(26, max(16, len(traces).bit_length() + 6))
        self._traces = traces
        self._shift = np.uint64(64 - bits)
        self._table = np.zeros(2**bits, bool)
        self._table[traces >> self._shift] = True

    def any_of(self, hashes: UInt64[np.ndarray, " windows"]) -> bool:
        likely = hashes[self._table[hashes >> self._shift]]
        return bool(np.isin(likely, self._traces).any())


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (path for path in (Path(parent, name) for name in names) if path.is_file())


def _found_in(path: Path, sieve: _Sieve) -> tuple[int, bool]:
    """Return how much of a file was read until something was found, and whether."""
    size, rest = 0, b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            size += len(chunk)
            data = rest + chunk
            if len(data) >= WINDOW_BYTES and sieve.any_of(_hashes(np.frombuffer(data, np.uint8))):
                return size, True
            rest = data[-(WINDOW_BYTES - 1) :]
    return size, False


def _windows(picture: UInt8[np.ndarray, " bytes"]) -> Iterator[UInt8[np.ndarray, " window"]]:
    for place in PLACES:
        start = int(place * (len(picture) - WINDOW_BYTES))
        window = picture[max(start, 0) :][:WINDOW_BYTES]
        if len(window) == WINDOW_BYTES and len(np.unique(window)) >= LEAST_VALUES:
            yield window


def _hashes(data: UInt8[np.ndarray, " bytes"]) -> UInt64[np.ndarray, " windows"]:
    """Return the hash of every window: that of 2n bytes is made of those of its two halves."""
    hashes = data.astype(np.uint64)
    for power, factor in enumerate(_FACTORS):
        half = 2**power
        hashes = hashes[:-half] * factor + hashes[half:]
    return hashes
