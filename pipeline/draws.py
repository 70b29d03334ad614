"""Which clip an episode is made of: people evenly, then a clip of the person."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int


@dataclass(frozen=True, slots=True)
class ClipsByIdentity:
    """Clip numbers, those of one person together."""

    order: Int[np.ndarray, " clips"]
    starts: Int[np.ndarray, " identities_and_one"]
    """Where each person's clips begin in `order`, and at last where they end."""

    @classmethod
    def of(cls, identities: Int[np.ndarray, " clips"]) -> "ClipsByIdentity":
        """Return the clips in order of their person's number, then of their own."""
        counts = np.unique(identities, return_counts=True)[1]
        return cls(np.argsort(identities, kind="stable"), np.concatenate([[0], np.cumsum(counts)]))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def draw_identity(self, rng: np.random.Generator) -> Int[np.ndarray, " clips"]:
        """Return the clips of any person, all people being equally likely."""
        person = rng.integers(len(self))
        return self.order[self.starts[person] : self.starts[person + 1]]

    def draw_clip(self, rng: np.random.Generator) -> int:
        """Return any clip of any person: a person with hours of video does not crowd out one with seconds."""
        clips = self.draw_identity(rng)
        return int(clips[rng.integers(len(clips))])
