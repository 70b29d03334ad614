"""Who drives whom in cross-reenactment: everybody once, or a published list of pairs."""

import csv
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pipeline.store import ClipEntry
from weights.errors import HeadshotError

COLUMNS = ("source", "driving")


class Pair(NamedTuple):
    """A clip whose person is shown, and a clip of another person who drives. Both are clip keys."""

    source: str
    driving: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairList:
    """Pairs as they were published."""

    pairs: tuple[Pair, ...]
    sha256: str
    """Of the file."""


def in_a_ring(clips: Sequence[ClipEntry], seed: int) -> dict[str, str]:
    """Return the driving clip of each clip: of another person, and everybody drives somebody.

    People stand in a ring whose order depends on the seed and on their names alone. A person's first clip is driven by
    the next person in the ring, the second one by the one after, and so on.

    Args:
        clips: The clips to be driven and to drive; nothing for the clips of a single person.
        seed: Of the order.
    """
    of: dict[str, list[str]] = {}
    for clip in sorted(clips, key=lambda clip: clip.key):
        of.setdefault(clip.identity, []).append(clip.key)
    ring = shuffled(of, seed)
    driving: dict[str, str] = {}
    for place, identity in enumerate(ring):
        for number, key in enumerate(of[identity]):
            if len(ring) > 1:
                driver = ring[(place + 1 + number % (len(ring) - 1)) % len(ring)]
                driving[key] = of[driver][number % len(of[driver])]
    return driving


def shuffled(names: Iterable[str], seed: int) -> list[str]:
    """Return names in an order that depends on the seed; who else is among them does not change who comes first."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())


def read_pairs(path: Path) -> PairList:
    """Read a list of pairs: a CSV file with the columns `source` and `driving`, others are ignored.

    A clip is named by its key (`person/video/clip`), or as first-order-model's lists name its file
    (`id10005#WMh3ye5tBsE#003657#003994.mp4`).

    Raises:
        HeadshotError: The file is missing, lacks a column, or lists no pair.
    """
    try:
        content = path.read_bytes()
        rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))
    except FileNotFoundError:
        raise HeadshotError(f"no list of pairs at {path}") from None
    except UnicodeDecodeError as error:
        raise HeadshotError(f"{path} is no list of pairs: it is not UTF-8 text ({error})") from None
    if not rows or not set(COLUMNS) <= set(rows[0]):
        found = ", ".join(rows[0]) if rows else "nothing"
        raise HeadshotError(f"{path} is no list of pairs: it needs the columns source and driving, and has {found}")
    pairs = dict.fromkeys(Pair(*(clip_key(row[name] or "") for name in COLUMNS)) for row in rows)
    return PairList(pairs=tuple(pairs), sha256=hashlib.sha256(content).hexdigest())


def clip_key(name: str) -> str:
    """Return the clip key that a name in a list stands for; `first#last` at its end are the frames of a clip."""
    parts = re.split("[/#]", re.sub(r"\.(mp4|png|gif|webm)$", "", name.strip()))
    return "/".join([*parts[:2], "-".join(parts[2:])]) if len(parts) > 3 else "/".join(parts)
