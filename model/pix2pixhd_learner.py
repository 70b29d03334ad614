"""Training of the landmark-to-image baseline: first on many people at once, then on the T frames of one."""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from model import losses
from model.baseline_presets import Pix2pixHDPreset
from model.batches import WHOLE, Batch, Part, jitter, to_tensor
from model.content import ContentLoss
from model.engine import average_into, content_view, mixed_precision, update
from model.landmark_map import draw_all
from model.learner import Learner, seeded
from model.loss_weights import LossWeights
from model.pix2pixhd import CoarseGenerator, PatchDiscriminators, Pix2pixHDParts, least_squares

BETAS = (0.5, 0.99)
JITTER_SHARE = 0.3
JITTER_STRENGTH = 0.25
"""Some frames are moved a little in fine-tuning; more, and the background learns to follow the head."""


class Pix2pixHDLearner(Learner[Pix2pixHDParts]):
    """Two phases in turn, `generator` and `discriminator`.

    A checkpoint keeps the discriminators as they are: fine-tuning needs them.

    Args:
        preset: Sizes, weights and rates.
        content: The frozen content loss.
        device: Where everything lives.
        seed: Of the initial weights and the content windows.
        accumulate: Number of parts that go through the networks one after the other for one update, to save memory.
    """

    def __init__(
        self, preset: Pix2pixHDPreset, content: ContentLoss, device: torch.device, seed: int, accumulate: int = 1
    ) -> None:
        self.preset, schedule = preset, preset.meta_learning
        networks = seeded(lambda: Pix2pixHDParts(preset.network), seed, device)
        optimisers = {
            "generator": torch.optim.Adam(networks.generator.parameters(), lr=schedule.rate, betas=BETAS),
            "discriminator": torch.optim.Adam(networks.discriminators.parameters(), lr=schedule.rate, betas=BETAS),
        }
        super().__init__(
            networks,
            optimisers,
            content,
            schedule,
            stage="training",
            averaged=("generator",),
            device=device,
            seed=seed,
            accumulate=accumulate,
        )

    def step(self, number: int, batch: Batch) -> dict[str, float]:
        """Run the phases of step `number` and return the value of each term."""
        return self.alternate(number, batch, self.generator, self.discriminator)

    def generator(
        self, number: int, batch: Batch, *, adversarial: bool, part: Part = WHOLE
    ) -> tuple[Tensor, dict[str, float]]:
        """Update the generator: look like the target, deceive the discriminators.

        Returns:
            The generated frames, and the value of each term.
        """
        networks = self.networks
        rng = np.random.default_rng((self.seed, number, 1))
        judges = networks.discriminators if adversarial else None
        with mixed_precision(self.device):
            generated: Tensor = networks.generator(batch.target_maps)
            pair = _Pair(generated=generated, target=batch.target_frames, maps=batch.target_maps)
            terms = generator_terms(pair, judges, self.content, self.preset.losses, number, rng)
        self.update("generator", number, torch.stack(list(terms.values())).sum(), part)
        return generated.detach(), {name: float(term.detach()) for name, term in terms.items()}

    def discriminator(self, number: int, batch: Batch, generated: Tensor, part: Part = WHOLE) -> dict[str, float]:
        """Update the discriminators: tell patches of real frames from those of generated ones."""
        with mixed_precision(self.device):
            pair = _Pair(generated=generated, target=batch.target_frames, maps=batch.target_maps)
            loss = discriminator_loss(pair, self.networks.discriminators)
        self.update("discriminator", number, loss, part)
        return {"least_squares": float(loss.detach())}

    @torch.no_grad()
    def preview(self, batch: Batch) -> Tensor:
        """Return the frames that the averaged generator makes for a batch, without fine-tuning."""
        frames: Tensor = self.averaged.generator(batch.target_maps)
        return frames


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """Generated frames, what they should be, and the landmark maps of both."""

    generated: Float[Tensor, "batch 3 size size"]
    target: Float[Tensor, "batch 3 size size"]
    maps: Float[Tensor, "batch 3 size size"]


def generator_terms(
    pair: _Pair,
    judges: PatchDiscriminators | None,
    content: ContentLoss,
    weights: LossWeights,
    number: int,
    rng: np.random.Generator,
) -> dict[str, Tensor]:
    """Return the weighted terms of the generator; those of the discriminators only where there are any.

    Source: Pix2pixHD, equations 4 and 5 and its perceptual term; differs in a term on pixels, which the paper does
    not need because it trains for days, and in weights.
    """
    views = content_view(pair.generated, pair.target, number, rng, windows=weights.content_windows)
    terms = {
        "content": weights.content * content(*views),
        "pixel": weights.pixel * (pair.generated - pair.target).abs().mean(),
    }
    if judges is not None:
        judges.requires_grad_(False)
        scores, fake = judges(pair.generated, pair.maps)
        with torch.no_grad():
            _, real = judges(pair.target, pair.maps)
        judges.requires_grad_(True)
        terms["adversarial"] = weights.adversarial * least_squares(scores, 1.0)
        terms["feature_matching"] = weights.feature_matching * losses.feature_matching(real, fake)
    return {name: term.float() for name, term in terms.items()}


def discriminator_loss(pair: _Pair, judges: PatchDiscriminators) -> Tensor:
    """Return the least-squares loss of the discriminators; `pair.generated` carries no gradient."""
    real, _ = judges(pair.target, pair.maps)
    fake, _ = judges(pair.generated, pair.maps)
    return (least_squares(real, 1.0) + least_squares(fake, 0.0)) / 2


def fine_tune(
    networks: Pix2pixHDParts,
    preset: Pix2pixHDPreset,
    content: ContentLoss,
    frames: UInt8[np.ndarray, "shots size size 3"],
    landmarks: Float[np.ndarray, "shots 68 2"],
    *,
    device: torch.device,
    seed: int,
) -> tuple[CoarseGenerator, int]:
    """Return the generator trained on the frames of one person, and the number of updates.

    Zakharov et al. 2019 fine-tune this baseline for 40 epochs; with one frame or with many, bounds hold. The result
    is the running average of the weights.

    Args:
        networks: Of a checkpoint; left untouched.
        preset: Of the checkpoint.
        content: Content loss on `device`.
        frames: RGB.
        landmarks: (x, y) in pixels of the frames.
        device: Where to train.
        seed: Of the order of frames and the augmentation.

    Raises:
        HeadshotError: A loss is not finite; phase and step are named.
    """
    schedule, clip = preset.fine_tuning, preset.meta_learning.gradient_clip
    generator = copy.deepcopy(networks.generator).train().requires_grad_(True)
    judges = copy.deepcopy(networks.discriminators).train().requires_grad_(True)
    free = list(generator.parameters())
    averages = [parameter.detach().clone() for parameter in free]
    tuning = torch.optim.Adam(free, lr=schedule.rate, betas=BETAS)
    judging = torch.optim.Adam(judges.parameters(), lr=schedule.rate, betas=BETAS)
    rng = np.random.default_rng(seed)
    iterations = schedule.iterations(len(frames))
    for number in range(iterations):
        where = f"fine-tuning, {len(frames)} shots, step {number}"
        target, maps = _draw(frames, landmarks, schedule.batch, rng, device)
        with mixed_precision(device):
            generated = generator(maps)
            pair = _Pair(generated=generated, target=target, maps=maps)
            terms = generator_terms(pair, judges, content, preset.losses, number, rng)
        loss = torch.stack(list(terms.values())).sum()
        update(tuning, loss, gradient_clip=clip, where=f"{where}, phase generator")
        with mixed_precision(device):
            loss = discriminator_loss(_Pair(generated=generated.detach(), target=target, maps=maps), judges)
        update(judging, loss, gradient_clip=clip, where=f"{where}, phase discriminator")
        average_into(averages, free, min(schedule.ema_decay, (number + 1) / (number + 5)))
    with torch.no_grad():
        for parameter, mean in zip(free, averages, strict=True):
            parameter.copy_(mean)
    return generator.eval().requires_grad_(False), iterations


def _draw(
    frames: np.ndarray, landmarks: np.ndarray, batch: int, rng: np.random.Generator, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return frames drawn at random, some of them moved a little, and their landmark maps."""
    drawn = []
    for number in rng.integers(len(frames), size=batch):
        one = frames[number : number + 1], landmarks[number : number + 1]
        drawn.append(jitter(*one, rng, JITTER_STRENGTH) if rng.random() < JITTER_SHARE else one)
    targets = np.concatenate([moved for moved, _ in drawn])
    maps = draw_all(np.concatenate([points for _, points in drawn]), frames.shape[1])
    return to_tensor(targets, device), to_tensor(maps, device)
