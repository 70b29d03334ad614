"""The faces of a clip that are looked at again to recognise people."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from jaxtyping import Float, UInt8

from pipeline.faces import Face
from pipeline.recognition import direction, embed, load_recogniser
from pipeline.track import Track

PORTRAITS = 5
"""Of each stretch."""

Pictures = Callable[[set[int]], Iterator[tuple[int, UInt8[np.ndarray, "height width 3"]]]]
"""Yields the pictures of the given rows of a clip."""


class Portraits:
    """Turns stretches into embeddings, and counts the faces that it took."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self.compared = 0

    def __call__(self, pieces: Sequence[Track]) -> Float[np.ndarray, "pieces width"]:
        """Return the mean direction of the embeddings of up to five faces of each stretch, as unit vectors."""
        wanted: dict[int, list[tuple[int, Face]]] = {}
        for place, piece in enumerate(pieces):
            for row, face in portraits(piece):
                wanted.setdefault(row, []).append((place, face))
        found: list[list[Float[np.ndarray, " width"]]] = [[] for _ in pieces]
        for row, rgb in self._pictures(set(wanted)):
            for place, face in wanted[row]:
                found[place].append(direction(embed(load_recogniser(), rgb, face.points)))
                self.compared += 1
        return np.stack([direction(np.sum(vectors, axis=0)) for vectors in found])


def portraits(track: Track) -> list[tuple[int, Face]]:
    """Return rows and faces to recognise somebody by: the most frontal ones, spread over the stretch."""
    parts = np.array_split(np.arange(len(track.rows)), min(PORTRAITS, len(track.rows)))
    best = [min(part, key=lambda place: float(np.abs(track.faces[place].pose_deg[:2]).sum())) for part in parts]
    return [(track.rows[place], track.faces[place]) for place in best]
