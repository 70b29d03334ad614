"""Training batches: a step number to augmented episodes with their landmark maps and canvases."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from model.canvas import canvas_images, reduced
from model.landmark_map import draw_all, mirror
from pipeline.draws import ClipsByIdentity
from pipeline.landmarks import nearest, rescale

MAX_ROTATION_DEG = 10.0
MAX_SCALE = 0.1
MAX_SHIFT = 0.06
MAX_GAIN = 0.25
NEAREST_SHARE = 0.5
"""How often the canvas is the support frame nearest to the target, as in rendering; else it is any of them, so that
large movements are practised too."""


class FrameSource(Protocol):
    """What episodes need of a clip: usable frames and their landmarks."""

    def __len__(self) -> int:
        """Return the number of usable frames."""

    def read(self, positions: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return frames (n, side, side, 3), uint8 RGB, and landmarks (n, 68 or with irises 70, 2) in their pixels.

        All clips have the same side; where it is larger than that of the networks, canvases are sharper for it.
        """


class Part(NamedTuple):
    """One of several equal parts of a batch: a process's own, or what goes through the networks at a time."""

    number: int
    of: int


WHOLE = Part(0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Episodes stacked, on a device; images in [-1, 1]."""

    support_frames: Float[Tensor, "batch shots 3 size size"]
    support_maps: Float[Tensor, "batch shots 3 size size"]
    target_frames: Float[Tensor, "batch 3 size size"]
    target_maps: Float[Tensor, "batch 3 size size"]
    canvas: Float[Tensor, "batch 6 size size"] | None
    """Of each episode one support frame, warped to the target's landmarks, with its own landmark map; none where the
    networks take none."""
    clips: Int[Tensor, " batch"]

    def split(self, parts: int) -> list["Batch"]:
        """Return the batch in equal parts, which share its memory."""
        tensors = {field.name: getattr(self, field.name) for field in fields(self)}
        pieces: dict[str, Any] = {
            name: [None] * parts if one is None else one.chunk(parts) for name, one in tensors.items()
        }
        return [Batch(**{name: chunks[number] for name, chunks in pieces.items()}) for number in range(parts)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnEpisodes:
    """Episodes stacked as bytes in main memory, as they cross from a loader to the training process."""

    frames: UInt8[Tensor, "batch shots_and_one size size 3"]
    """Support frames, the target last."""
    maps: UInt8[Tensor, "batch shots_and_one size size 3"]
    canvases: UInt8[Tensor, "batch size size 3"] | None
    clips: Int[Tensor, " batch"]

    def pin_memory(self) -> "DrawnEpisodes":
        """Return a copy in page-locked memory, from where a GPU fetches while it computes; DataLoader calls this."""
        tensors = {field.name: getattr(self, field.name) for field in fields(self)}
        pinned: dict[str, Any] = {name: None if one is None else one.pin_memory() for name, one in tensors.items()}
        return DrawnEpisodes(**pinned)

    def on(self, device: torch.device) -> Batch:
        """Return the episodes on a device, as floats."""
        frames, maps = (_scaled(images.to(device, non_blocking=True)) for images in (self.frames, self.maps))
        canvas = None
        if self.canvases is not None:
            canvas = torch.cat([_scaled(self.canvases.to(device, non_blocking=True)), maps[:, 0]], dim=1)
        return Batch(
            support_frames=frames[:, :-1],
            support_maps=maps[:, :-1],
            target_frames=frames[:, -1],
            target_maps=maps[:, -1],
            canvas=canvas,
            clips=self.clips.to(device, non_blocking=True),
        )


class Batches:
    """Batches of episodes over the training clips, each a pure function of the seed and the step.

    Clips and frames are drawn as in `pipeline.episodes`. Episodes are numbered through: episode n depends on the seed
    and on n alone, and step k has the episodes from k * batch on. So it makes no difference who makes an episode, in
    which order, and whether one process trains on a batch or several on parts of it. Resuming needs the step number.

    Args:
        clips: One frame source for each training clip, in the order of the discriminator's columns.
        identities: The identity of each clip.
        size_px: Side of the images.
        shots: Support frames an episode.
        batch: Episodes a batch.
        seed: Any non-negative number.
        canvas: Warp a support frame to each target, for networks that are shown one.
    """

    def __init__(
        self,
        clips: Sequence[FrameSource],
        identities: Sequence[str],
        *,
        size_px: int,
        shots: int,
        batch: int,
        seed: int,
        canvas: bool = True,
    ) -> None:
        self.clips, self.size_px, self.shots, self.batch, self.seed = clips, size_px, shots, batch, seed
        self.canvas = canvas
        self.people = ClipsByIdentity.of(np.unique(list(identities), return_inverse=True)[1])

    def batch_at(self, step: int, device: torch.device) -> Batch:
        """Return the batch of this step on a device."""
        return self.draw(step).on(device)

    def draw(self, step: int, part: Part = WHOLE) -> DrawnEpisodes:
        """Return the episodes of this step, or a part of them."""
        share = self.batch // part.of
        first = step * self.batch + part.number * share
        return self._stacked([self._episode(number) for number in range(first, first + share)])

    def unaltered(self, people: int) -> DrawnEpisodes:
        """Return one episode of each of the first so many people, without augmentation: for looking at.

        The frames are spread over the clip, the target is the one in the middle.
        """
        first_clips = self.people.order[self.people.starts[:-1]][:people]
        return self._stacked([self._spread(int(clip)) for clip in first_clips])

    def _stacked(self, drawn: Sequence["_Episode"]) -> DrawnEpisodes:
        frames = np.stack([episode.frames for episode in drawn])
        landmarks = np.stack([episode.landmarks for episode in drawn])
        canvases = None
        if self.canvas:
            canvases = canvas_images(frames[:, 0], landmarks[:, 0], landmarks[:, -1], self.size_px)
        landmarks = rescale(landmarks, frames.shape[2], self.size_px)
        return DrawnEpisodes(
            frames=torch.from_numpy(reduced(frames, self.size_px)),
            maps=torch.from_numpy(np.stack([draw_all(points, self.size_px) for points in landmarks])),
            canvases=None if canvases is None else torch.from_numpy(canvases),
            clips=torch.tensor([episode.clip for episode in drawn]),
        )

    def _spread(self, number: int) -> "_Episode":
        clip = self.clips[number]
        positions = np.linspace(0, len(clip) - 1, self.shots + 1).round().astype(int).tolist()
        target = positions.pop(len(positions) // 2)
        return _Episode(number, *clip.read([*positions, target]))

    def _episode(self, number: int) -> "_Episode":
        rng = np.random.default_rng((self.seed, number))
        clip_number = self.people.draw_clip(rng)
        clip = self.clips[clip_number]
        positions = rng.choice(len(clip), self.shots + 1, replace=False)
        frames, landmarks = clip.read([int(position) for position in positions])
        if rng.random() < NEAREST_SHARE:
            best = nearest(landmarks[-1:], landmarks[:-1])[0]
            order = [best, *(i for i in range(len(frames)) if i != best)]
            frames, landmarks = frames[order], landmarks[order]
        if rng.random() < 0.5:
            frames, landmarks = frames[:, :, ::-1], mirror(landmarks, frames.shape[1])
        gain = rng.uniform(1 - MAX_GAIN, 1 + MAX_GAIN, size=3)
        frames = np.clip(frames * gain, 0, 255).astype(np.uint8)
        frames, landmarks = jitter(frames, landmarks, rng)
        return _Episode(clip_number, frames, landmarks)


class _Episode(NamedTuple):
    """Support frames and, last, the target."""

    clip: int
    frames: UInt8[np.ndarray, "shots_and_one side side 3"]
    landmarks: Float[np.ndarray, "shots_and_one points 2"]


def jitter(
    frames: UInt8[np.ndarray, "frames size size 3"],
    landmarks: Float[np.ndarray, "frames points 2"],
    rng: np.random.Generator,
    strength: float = 1.0,
) -> tuple[UInt8[np.ndarray, "frames size size 3"], Float[np.ndarray, "frames points 2"]]:
    """Return all frames and landmarks under one small random rotation, scale and shift, times `strength`.

    Interpolated with a cubic: generators learn the blur of their targets.
    """
    size = frames.shape[1]
    centre = (size - 1) / 2
    angle = strength * rng.uniform(-MAX_ROTATION_DEG, MAX_ROTATION_DEG)
    scale = 1 + strength * rng.uniform(-MAX_SCALE, MAX_SCALE)
    matrix = cv2.getRotationMatrix2D((centre, centre), angle, scale)
    matrix[:, 2] += strength * rng.uniform(-MAX_SHIFT, MAX_SHIFT, size=2) * size
    moved = np.empty_like(frames)
    for frame, still in zip(moved, frames, strict=True):
        source = np.ascontiguousarray(still)
        frame[...] = cv2.warpAffine(
            source, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
    points = landmarks @ matrix[:, :2].T + matrix[:, 2]
    return moved, points.astype(np.float32)


def to_tensor(
    images: UInt8[np.ndarray, "*batch height width 3"], device: torch.device
) -> Float[Tensor, "*batch 3 height width"]:
    """Return RGB images as channels-first floats in [-1, 1] on `device`."""
    return _scaled(torch.from_numpy(np.ascontiguousarray(images)).to(device))


def to_images(frames: Float[Tensor, "batch 3 height width"]) -> UInt8[np.ndarray, "batch height width 3"]:
    """Return frames in [-1, 1] as RGB bytes."""
    scaled = frames.detach().float().add(1).mul(127.5).round().clamp(0, 255)
    images: np.ndarray = scaled.byte().movedim(-3, -1).cpu().numpy()
    return np.ascontiguousarray(images)


def _scaled(images: UInt8[Tensor, "*batch height width 3"]) -> Float[Tensor, "*batch 3 height width"]:
    return images.movedim(-1, -3).float().div_(127.5).sub_(1).contiguous()
