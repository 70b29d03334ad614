"""A person as few frames show them, and the generator that was adapted to them."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from model.batches import to_tensor
from model.canvas import canvas_images, reduced
from model.checkpoint import Networks
from model.landmark_map import draw_all
from model.networks import Generator
from pipeline.landmarks import nearest, rescale


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The T support frames of a person and their landmarks, 70 where the preset has gaze, else 68."""

    frames: UInt8[np.ndarray, "shots side side 3"]
    """RGB, of the size of the networks, or larger for sharper canvases."""
    landmarks: Float[np.ndarray, "shots points 2"]
    """(x, y) in pixels of the frames."""
    size_px: int
    """Side of what the networks take and make."""

    @property
    def side_px(self) -> int:
        """Side of the frames."""
        return int(self.frames.shape[1])

    def take(self, chosen: Int[np.ndarray, " chosen"]) -> "Person":
        """Return the person with some of the frames."""
        return Person(frames=self.frames[chosen], landmarks=self.landmarks[chosen], size_px=self.size_px)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted:
    """A generator of one person; it no longer needs the embedder."""

    generator: Generator
    adain_params: Float[Tensor, "1 parameters"]
    person: Person
    iterations: int
    """Updates behind the weights; those that a stop rule took back are not among them."""

    def render(
        self, driving_landmarks: Float[np.ndarray, "frames points 2"], device: torch.device
    ) -> Float[Tensor, "frames 3 size size"]:
        """Return frames in [-1, 1]; landmarks are (x, y) in pixels of the person's `size_px`."""
        person = self.person
        maps = to_tensor(draw_all(driving_landmarks, person.size_px), device)
        canvas = None
        if self.generator.canvas:
            wanted = rescale(driving_landmarks, person.size_px, person.side_px)
            chosen = person.take(nearest(wanted, person.landmarks))
            canvas = warped_to(chosen, wanted, device)
        with torch.no_grad():
            frames: Tensor = self.generator(maps, self.adain_params, canvas)
        return frames


def warped_to(
    person: Person, targets: Float[np.ndarray, "frames points 2"], device: torch.device
) -> Float[Tensor, "frames 6 size size"]:
    """Return the canvas of each target: a frame warped to it, with the landmark map that the frame had before.

    Args:
        person: One frame for each target.
        targets: Landmarks in pixels of the person's frames.
        device: Of the result.
    """
    warped = canvas_images(person.frames, person.landmarks, targets, person.size_px)
    return torch.cat([to_tensor(warped, device), maps_of(person, device)], dim=1)


def maps_of(person: Person, device: torch.device) -> Float[Tensor, "shots 3 size size"]:
    """Return the landmark map of each frame."""
    points = rescale(person.landmarks, person.side_px, person.size_px)
    return to_tensor(draw_all(points, person.size_px), device)


def frames_of(person: Person, device: torch.device) -> Float[Tensor, "shots 3 size size"]:
    """Return the frames as the networks take them."""
    return to_tensor(reduced(person.frames, person.size_px), device)


def identity_embedding(networks: Networks, person: Person, device: torch.device) -> Float[Tensor, "1 embedding"]:
    """Return what the embedder makes of the support frames."""
    embedding: Tensor = networks.embedder(frames_of(person, device)[None], maps_of(person, device)[None])
    return embedding
