"""Training batches: a step number to augmented episodes with their landmark maps and canvases, on a device."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from model.landmark_map import draw_all, mirror
from model.warp import warp
from pipeline.draws import ClipsByIdentity
from pipeline.landmarks import nearest

MAX_ROTATION_DEG = 10.0
MAX_SCALE = 0.1
MAX_SHIFT = 0.06
MAX_GAIN = 0.25
NEAREST_SHARE = 0.5
"""How often the canvas is the support frame nearest to the target, as in rendering; else it is any of them, so that
large movements are practised too."""


class FrameSource(Protocol):
    """What episodes need of a clip: usable frames and their landmarks at one size."""

    def __len__(self) -> int:
        """Return the number of usable frames."""

    def read(self, positions: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return frames (n, size, size, 3) uint8 RGB and landmarks (n, 68, 2) in pixels, or (n, 70, 2) with irises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Episodes stacked, on a device; images in [-1, 1]."""

    support_frames: Float[Tensor, "batch shots 3 size size"]
    support_maps: Float[Tensor, "batch shots 3 size size"]
    target_frames: Float[Tensor, "batch 3 size size"]
    target_maps: Float[Tensor, "batch 3 size size"]
    canvas: Float[Tensor, "batch 6 size size"]
    """Of each episode one support frame, warped to the target's landmarks, with its own landmark map."""
    clips: Int[Tensor, " batch"]


class Batches:
    """Batches of episodes over the training clips, each a pure function of the seed and the step.

    Clips and frames are drawn as in `pipeline.episodes`; what one episode draws at random, the batch draws in one
    stream. Resuming needs the step number only.

    Args:
        clips: One frame source for each training clip, in the order of the discriminator's columns.
        identities: The identity of each clip.
        size_px: Side of the images.
        shots: Support frames an episode.
        batch: Episodes a batch.
        seed: Any non-negative number.
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
    ) -> None:
        self.clips, self.size_px, self.shots, self.batch, self.seed = clips, size_px, shots, batch, seed
        self.people = ClipsByIdentity.of(np.unique(list(identities), return_inverse=True)[1])

    def batch_at(self, step: int, device: torch.device) -> Batch:
        """Return the batch of this step."""
        rng = np.random.default_rng((self.seed, step))
        drawn = [self._draw(rng) for _ in range(self.batch)]
        canvases = canvas_images(
            np.stack([frames[0] for _, frames, _ in drawn]),
            np.stack([landmarks[0] for _, _, landmarks in drawn]),
            np.stack([landmarks[-1] for _, _, landmarks in drawn]),
        )
        frames = to_tensor(np.stack([frames for _, frames, _ in drawn]), device)  # (b, k + 1, 3, h, w)
        maps = to_tensor(np.stack([draw_all(landmarks, self.size_px) for _, _, landmarks in drawn]), device)
        return Batch(
            support_frames=frames[:, :-1],
            support_maps=maps[:, :-1],
            target_frames=frames[:, -1],
            target_maps=maps[:, -1],
            canvas=torch.cat([to_tensor(canvases, device), maps[:, 0]], dim=1),
            clips=torch.tensor([clip for clip, _, _ in drawn], device=device),
        )

    def _draw(self, rng: np.random.Generator) -> tuple[int, np.ndarray, np.ndarray]:
        number = self.people.draw_clip(rng)
        clip = self.clips[number]
        positions = rng.choice(len(clip), self.shots + 1, replace=False)
        frames, landmarks = clip.read([int(position) for position in positions])
        if rng.random() < NEAREST_SHARE:
            best = nearest(landmarks[-1:], landmarks[:-1])[0]
            order = [best, *(i for i in range(len(frames)) if i != best)]
            frames, landmarks = frames[order], landmarks[order]
        if rng.random() < 0.5:
            frames, landmarks = frames[:, :, ::-1], mirror(landmarks, self.size_px)
        gain = rng.uniform(1 - MAX_GAIN, 1 + MAX_GAIN, size=3)
        frames = np.clip(frames * gain, 0, 255).astype(np.uint8)
        frames, landmarks = jitter(frames, landmarks, rng)
        return number, frames, landmarks


def canvas_images(
    frames: UInt8[np.ndarray, "frames size size 3"],
    landmarks: Float[np.ndarray, "frames points 2"],
    targets: Float[np.ndarray, "frames points 2"],
) -> UInt8[np.ndarray, "frames size size 3"]:
    """Return each support frame warped from its landmarks to the target's."""
    return np.stack([warp(*triple) for triple in zip(frames, landmarks, targets, strict=True)])


def jitter(
    frames: UInt8[np.ndarray, "frames size size 3"],
    landmarks: Float[np.ndarray, "frames points 2"],
    rng: np.random.Generator,
    strength: float = 1.0,
) -> tuple[UInt8[np.ndarray, "frames size size 3"], Float[np.ndarray, "frames points 2"]]:
    """Return all frames and landmarks under one small random rotation, scale and shift, times `strength`."""
    size = frames.shape[1]
    centre = (size - 1) / 2
    angle = strength * rng.uniform(-MAX_ROTATION_DEG, MAX_ROTATION_DEG)
    scale = 1 + strength * rng.uniform(-MAX_SCALE, MAX_SCALE)
    matrix = cv2.getRotationMatrix2D((centre, centre), angle, scale)
    matrix[:, 2] += strength * rng.uniform(-MAX_SHIFT, MAX_SHIFT, size=2) * size
    moved = np.stack(
        [
            cv2.warpAffine(np.ascontiguousarray(frame), matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
            for frame in frames
        ]
    )
    points = landmarks @ matrix[:, :2].T + matrix[:, 2]
    return moved, points.astype(np.float32)


def to_tensor(
    images: UInt8[np.ndarray, "*batch height width 3"], device: torch.device
) -> Float[Tensor, "*batch 3 height width"]:
    """Return RGB images as channels-first floats in [-1, 1] on `device`."""
    tensor = torch.from_numpy(np.ascontiguousarray(images)).to(device)
    return tensor.movedim(-1, -3).float().div_(127.5).sub_(1).contiguous()


def to_images(frames: Float[Tensor, "batch 3 height width"]) -> UInt8[np.ndarray, "batch height width 3"]:
    """Return frames in [-1, 1] as RGB bytes."""
    scaled = frames.detach().float().add(1).mul(127.5).round().clamp(0, 255)
    images: np.ndarray = scaled.byte().movedim(-3, -1).cpu().numpy()
    return np.ascontiguousarray(images)
