"""Episodes for training few-shot models: a number to some support frames and a target frame of one person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float, Int, UInt8

from pipeline.draws import ClipsByIdentity
from pipeline.store import Store
from weights.errors import HeadshotError

FramesOf = Literal["clip", "identity"]


class Episode(NamedTuple):
    """Frames of one person and their points.

    Images are uint8 RGB, or the stored bytes where episodes are not decoded. Points are in pixels of the image.
    torch's `default_collate` stacks episodes into batches as they are.
    """

    support_frames: UInt8[np.ndarray, "shots size size 3"] | list[bytes]
    support_landmarks: Float[np.ndarray, "shots 68 2"]
    target_frame: UInt8[np.ndarray, "size size 3"] | bytes
    target_landmarks: Float[np.ndarray, "68 2"]
    identity: int
    """Number of the person, from 0 on."""
    clips: Int[np.ndarray, " shots_and_one"]
    """Position in `store.clips` of the clip of each frame, the target's last."""
    rows: Int[np.ndarray, " shots_and_one"]
    """Row of each frame in its clip, the target's last."""


class Episodes:
    """Episodes of a dataset, each a pure function of dataset, seed and index.

    A map-style dataset for `torch.utils.data.DataLoader`, with any number of workers, forked or spawned; it needs no
    torch itself. It has no state: to go on after a break, begin with the index that comes next.

    Identities are drawn evenly, so that a person with hours of video does not crowd out one with seconds; then a clip
    of the person, then frames that show a face, none of them twice.

    Args:
        store: The dataset.
        shots: Support frames an episode.
        split: The part of the dataset to draw from.
        frames_of: `clip`: all frames of an episode are of one clip. `identity`: of any clips of the person, each
            frame of them being equally likely.
        seed: Any non-negative number.
        length: Number of episodes; the number of clips by default. Any number will do: it only says where to stop.
        size_px: Side of the decoded images; the stored size by default.
        decoded: Give pixels; else the stored bytes, at the stored size.

    Attributes:
        identities: Number of people.
        left_out: Number of clips of the split that are not used: they, or all clips of their person together, have
            too few usable frames.

    Raises:
        HeadshotError: No clip (or identity) has enough frames.
    """

    def __init__(
        self,
        store: Store,
        *,
        shots: int = 8,
        split: str = "train",
        frames_of: FramesOf = "clip",
        seed: int = 0,
        length: int | None = None,
        size_px: int | None = None,
        decoded: bool = True,
    ) -> None:
        self.store, self.shots, self.seed = store, shots, seed
        self.frames_of, self.decoded, self.size_px = frames_of, decoded, size_px if decoded else None
        self._clips, self.left_out = _Clips.with_frames(store, split, shots + 1, frames_of)
        self._people = ClipsByIdentity.of(self._clips.identity)
        self._length = len(self._clips.number) if length is None else length
        self.identities = len(self._people)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Episode:
        rng = np.random.default_rng((self.seed, range(self._length)[index]))
        drawn = self._one_clip(rng) if self.frames_of == "clip" else self._many_clips(rng)
        return Episode(
            support_frames=drawn.frames[:-1],
            support_landmarks=drawn.points[:-1],
            target_frame=drawn.frames[-1],
            target_landmarks=drawn.points[-1],
            identity=int(self._clips.identity[drawn.clips[-1]]),
            clips=self._clips.number[drawn.clips],
            rows=drawn.rows,
        )

    def _one_clip(self, rng: np.random.Generator) -> "_Frames":
        clip = self._people.draw_clip(rng)
        return self._read(clip, rng.choice(self._clips.usable_frames[clip], self.shots + 1, replace=False))

    def _many_clips(self, rng: np.random.Generator) -> "_Frames":
        clips = self._people.draw_identity(rng)
        usable = self._clips.usable_frames[clips]
        ends = np.cumsum(usable)
        drawn = rng.choice(ends[-1], self.shots + 1, replace=False)
        which = np.searchsorted(ends, drawn, side="right")
        positions = drawn - (ends - usable)[which]
        distinct = np.unique(which)
        parts = [self._read(int(clips[clip]), positions[which == clip]) for clip in distinct]
        back = np.argsort(np.concatenate([np.flatnonzero(which == clip) for clip in distinct]))
        return _Frames(
            clips=np.concatenate([part.clips for part in parts])[back],
            rows=np.concatenate([part.rows for part in parts])[back],
            frames=_joined([part.frames for part in parts], back),
            points=np.concatenate([part.points for part in parts])[back],
        )

    def _read(self, clip: int, positions: Int[np.ndarray, " frames"]) -> "_Frames":
        """Return frames of a clip at these positions among the usable ones."""
        place = self._clips.place(clip)
        rows = self.store.usable_rows(place)[positions]
        return _Frames(
            clips=np.full(len(rows), clip),
            rows=rows,
            frames=self.store.frames(place, rows, self.size_px) if self.decoded else self.store.encoded(place, rows),
            points=self.store.landmarks(place, rows, self.size_px),
        )


Images = UInt8[np.ndarray, "frames size size 3"] | list[bytes]


class _Frames(NamedTuple):
    clips: Int[np.ndarray, " frames"]
    rows: Int[np.ndarray, " frames"]
    frames: Images
    points: Float[np.ndarray, "frames 68 2"]


def _joined(parts: Sequence[Images], order: Int[np.ndarray, " frames"]) -> Images:
    images = [image for part in parts for image in part]
    ordered = [images[number] for number in order]
    return ordered if isinstance(images[0], bytes) else np.stack(ordered)


class _Place(NamedTuple):
    shard: str
    first_row: int
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clips:
    """The clips that episodes are made of, as columns: small, also for a million of them."""

    number: Int[np.ndarray, " clips"]
    """Position in `store.clips`."""
    identity: Int[np.ndarray, " clips"]
    """Of their people, counted from 0 on."""
    usable_frames: Int[np.ndarray, " clips"]
    first_row: Int[np.ndarray, " clips"]
    frames: Int[np.ndarray, " clips"]
    shard: Int[np.ndarray, " clips"]
    shard_names: Sequence[str]

    def place(self, clip: int) -> _Place:
        """Return where the rows of a clip are."""
        return _Place(self.shard_names[self.shard[clip]], int(self.first_row[clip]), int(self.frames[clip]))

    @classmethod
    def with_frames(cls, store: Store, split: str, frames: int, frames_of: FramesOf) -> tuple["_Clips", int]:
        """Return the clips of a split that have enough usable frames, and how many have not."""
        column = store.clips.column
        of_split = np.asarray(pc.equal(column("split").cast(pa.string()), split))
        usable, identity, shard = np.asarray(column("usable_frames")), column("identity").indices, column("shard")
        pool = usable if frames_of == "clip" else np.bincount(identity, usable * of_split)[identity]
        kept = np.flatnonzero(of_split & (pool >= frames))
        in_split = int(np.count_nonzero(of_split))
        if not len(kept):
            raise HeadshotError(
                f"{store.root} has no {frames_of} of the split {split} with {frames} usable frames ({in_split} clips "
                "are in that split); take fewer shots or another split"
            )
        clips = cls(
            number=kept,
            identity=np.unique(np.asarray(identity)[kept], return_inverse=True)[1],
            usable_frames=usable[kept],
            first_row=np.asarray(column("first_row"))[kept],
            frames=np.asarray(column("frames"))[kept],
            shard=np.asarray(shard.indices)[kept],
            shard_names=shard.dictionary.to_pylist(),
        )
        return clips, in_split - len(kept)
