"""Features and scores of frames, computed once for each content and kept beside the run.

Entries are found by the hash of decoded pixels and by a key that names the network, its file and the version
of the preparation, never by a file name. So the target frames are measured once for all systems and numbers
of shots, identical generated frames once for all of them, and a run that is repeated computes nothing.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float, Int, UInt8

from weights.errors import HeadshotError
from weights.files import publish

Digest = bytes


@dataclass(frozen=True, slots=True)
class Frames:
    """RGB frames, or runs of them, each with the hash of its content."""

    pixels: UInt8[np.ndarray, "frames *time size size 3"]
    digests: tuple[Digest, ...]
    previous: Int[np.ndarray, " frames"] | None = None
    """Of each frame, the place of the one just before it in time, -1 where that is not among them (see
    `eval.tasks.neighbours`); None where nobody said."""

    @classmethod
    def of(
        cls, pixels: UInt8[np.ndarray, "frames size size 3"], previous: Int[np.ndarray, " frames"] | None = None
    ) -> "Frames":
        """Return the frames with their hashes."""
        shape = repr(pixels.shape[1:]).encode()
        digests = (hashlib.sha256(shape + np.ascontiguousarray(frame).data).digest() for frame in pixels)
        return cls(pixels, tuple(digests), previous)

    def take(self, indices: Sequence[int]) -> "Frames":
        """Return some of the frames; one whose neighbour is not among them has none any more."""
        kept = self.pixels[list(indices)], tuple(self.digests[index] for index in indices)
        if self.previous is None:
            return Frames(*kept)
        places = {index: place for place, index in enumerate(indices)}
        return Frames(*kept, np.array([places.get(int(self.previous[index]), -1) for index in indices], np.int64))

    def in_runs(self, places: Int[np.ndarray, "runs time"]) -> "Frames":
        """Return runs of the frames, each as one content; a run of one frame is that frame."""
        if places.shape[1] == 1:
            return self.take(places[:, 0].tolist())
        digests = (hashlib.sha256(b"".join(self.digests[place] for place in run)).digest() for run in places)
        return Frames(self.pixels[places], tuple(digests))

    def __len__(self) -> int:
        return len(self.digests)


def pair_digest(generated: Digest, target: Digest) -> Digest:
    """Return the hash under which the value of a pair of frames is kept."""
    return hashlib.sha256(generated + target).digest()


class Extractor(Protocol):
    """Turns each frame, or each run of frames, into a vector, independently of the others."""

    @property
    def key(self) -> str:
        """Names everything the vector depends on besides the pixels."""

    @property
    def width(self) -> int:
        """Length of the vector."""

    def extract(self, frames: Frames, cache: "FeatureCache") -> Float[np.ndarray, "frames width"]:
        """Return a row for each frame, NaN where it has none; the cache serves features to build on."""


class PairMeasure(Protocol):
    """Compares each generated frame with its target, independently of the others."""

    @property
    def key(self) -> str:
        """Names everything the value depends on besides the pixels."""

    def measure(self, generated: Frames, target: Frames, cache: "FeatureCache") -> Float[np.ndarray, " frames"]:
        """Return a value for each pair, NaN where it has none; the cache serves features to build on."""


class FeatureCache:
    """Rows by content hash, in memory and in a folder of Parquet files. Not for use by several threads."""

    def __init__(self, folder: Path | None = None) -> None:
        """Open the cache.

        Args:
            folder: Where rows are kept for the next run; in memory only where absent.
        """
        self._folder = folder
        self._tables: dict[str, dict[Digest, Float[np.ndarray, " width"]]] = {}
        self._unsaved: dict[str, list[Digest]] = {}

    def features(self, extractor: Extractor, frames: Frames) -> Float[np.ndarray, "frames width"]:
        """Return the features of frames, extracting those of unknown content."""
        if not len(frames):
            return np.empty((0, extractor.width), np.float32)

        def extract(indices: Sequence[int]) -> Float[np.ndarray, "frames width"]:
            return extractor.extract(frames.take(indices), self).astype(np.float32)

        return np.stack(self._rows(extractor.key, frames.digests, extract))

    def pair_values(self, measure: PairMeasure, generated: Frames, target: Frames) -> Float[np.ndarray, " frames"]:
        """Return the value of each pair of frames, measuring those of unknown content."""
        if not len(generated):
            return np.empty(0)
        digests = [pair_digest(*pair) for pair in zip(generated.digests, target.digests, strict=True)]

        def compute(indices: Sequence[int]) -> Float[np.ndarray, "frames 1"]:
            values = measure.measure(generated.take(indices), target.take(indices), self)
            return values.astype(np.float64)[:, None]

        return np.concatenate(self._rows(measure.key, digests, compute))

    def save(self) -> None:
        """Write what was computed since the last call; each call adds one file for each key."""
        for key, digests in self._unsaved.items():
            if self._folder is not None and digests:
                table = self._tables[key]
                _write(self._folder / _safe(key), digests, np.stack([table[digest] for digest in digests]))
        self._unsaved.clear()

    def _rows(
        self,
        key: str,
        digests: Sequence[Digest],
        compute: Callable[[Sequence[int]], Float[np.ndarray, "frames width"]],
    ) -> list[Float[np.ndarray, " width"]]:
        if key not in self._tables:
            self._tables[key] = _read(self._folder / _safe(key)) if self._folder else {}
        table = self._tables[key]
        first_seen = {digest: index for index, digest in reversed(list(enumerate(digests)))}
        missing = [index for digest, index in first_seen.items() if digest not in table]
        if missing:
            missing.sort()
            for index, row in zip(missing, compute(missing), strict=True):
                table[digests[index]] = row
            self._unsaved.setdefault(key, []).extend(digests[index] for index in missing)
        return [table[digest] for digest in digests]


def stored_features(folder: Path, kind: str) -> dict[Digest, Float[np.ndarray, " width"]]:
    """Return the rows that are kept under the keys of one kind of extractor, without the network that made them.

    Args:
        folder: Of a `FeatureCache`.
        kind: What the key begins with, such as `landmarks.`; empty where there is none, or more than one key.
    """
    keys = sorted(path for path in folder.glob(f"{kind}*") if path.is_dir())
    return _read(keys[0]) if len(keys) == 1 else {}


def _safe(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9.@_-]", "_", key)


def _write(folder: Path, digests: Sequence[Digest], rows: Float[np.ndarray, "rows width"]) -> None:
    name = hashlib.sha256(b"".join(digests)).hexdigest()[:16]
    value_type = pa.from_numpy_dtype(rows.dtype)
    values = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel(), value_type), rows.shape[1])
    table = pa.table({"content_sha256": pa.array(digests, pa.binary(32)), "value": values})
    with publish(folder / f"{name}.parquet") as temporary:
        pq.write_table(table, temporary, compression="none", use_dictionary=False)


def _read(folder: Path) -> dict[Digest, Float[np.ndarray, " width"]]:
    known: dict[Digest, Float[np.ndarray, " width"]] = {}
    for path in sorted(folder.glob("[!.]*.parquet")):
        try:
            table = pq.read_table(path).combine_chunks()
        except pa.ArrowInvalid as error:
            raise HeadshotError(f"{path} is damaged ({error}); delete it, and it is computed again") from None
        column = table["value"].combine_chunks()
        rows = column.flatten().to_numpy(zero_copy_only=False).reshape(len(table), -1)
        known.update(zip(table["content_sha256"].to_pylist(), rows, strict=True))
    return known
