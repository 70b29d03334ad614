"""A person as few frames show them, and the generator that was adapted to them."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from model.batches import canvas_images, to_tensor
from model.checkpoint import Networks
from model.landmark_map import draw_all
from model.networks import Generator
from pipeline.landmarks import nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The T support frames of a person and their landmarks in pixels, 70 where the preset has gaze, else 68."""

    frames: UInt8[np.ndarray, "shots size size 3"]
    landmarks: Float[np.ndarray, "shots points 2"]

    @property
    def size_px(self) -> int:
        """Side of the frames."""
        return int(self.frames.shape[1])

    def take(self, chosen: Int[np.ndarray, " chosen"]) -> "Person":
        """Return the person with some of the frames."""
        return Person(frames=self.frames[chosen], landmarks=self.landmarks[chosen])


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
        """Return frames in [-1, 1]; landmarks are (x, y) in pixels of the support frames' size."""
        person = self.person
        maps = to_tensor(draw_all(driving_landmarks, person.size_px), device)
        canvas = None
        if self.generator.canvas:
            chosen = nearest(driving_landmarks, person.landmarks)
            canvas = warped_to(person.frames[chosen], person.landmarks[chosen], driving_landmarks, device)
        with torch.no_grad():
            frames: Tensor = self.generator(maps, self.adain_params, canvas)
        return frames


def warped_to(
    frames: UInt8[np.ndarray, "frames size size 3"],
    landmarks: Float[np.ndarray, "frames points 2"],
    targets: Float[np.ndarray, "frames points 2"],
    device: torch.device,
) -> Float[Tensor, "frames 6 size size"]:
    """Return the canvas of each target: a frame warped to it, with the landmark map that the frame had before."""
    warped, maps = canvas_images(frames, landmarks, targets), draw_all(landmarks, frames.shape[1])
    return torch.cat([to_tensor(warped, device), to_tensor(maps, device)], dim=1)


def identity_embedding(networks: Networks, person: Person, device: torch.device) -> Float[Tensor, "1 embedding"]:
    """Return what the embedder makes of the support frames."""
    maps = draw_all(person.landmarks, person.size_px)
    embedding: Tensor = networks.embedder(to_tensor(person.frames, device)[None], to_tensor(maps, device)[None])
    return embedding
