"""Fine-tuning step by step: networks, optimisers and averages of one person, with a way back."""

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from model import losses
from model.batches import NEAREST_SHARE, jitter
from model.checkpoint import Networks
from model.content import ContentLoss
from model.engine import average_into, content_view, mixed_precision, settle_spectral_norms, update
from model.metalearning import DISCRIMINATOR_BETAS, GENERATOR_BETAS
from model.networks import Discriminator, Generator
from model.person import Adapted, Person, frames_of, identity_embedding, maps_of, warped_to
from model.presets import Preset
from pipeline.landmarks import nearest
from weights.errors import HeadshotError

JITTER_SHARE = 0.3
"""Share of the drawn pairs that are moved a little: enough for robustness, and the background stays where it is."""

LONE_STRENGTH = 0.25
"""How far a single support frame is moved against itself; more, and the background learns to follow the head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that training changes, as it was after some iterations."""

    iterations: int
    tensors: tuple[Tensor, ...]
    optimisers: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """A batch of support frames as targets, each with its landmark map and another support frame as canvas, if any."""

    target: Float[Tensor, "batch 3 size size"]
    maps: Float[Tensor, "batch 3 size size"]
    canvas: Float[Tensor, "batch 6 size size"] | None


class FineTuner:
    """Generator, discriminator and their optimisers for one person.

    Args:
        networks: Of a checkpoint; left untouched.
        preset: Of the checkpoint.
        content: Content loss on `device`.
        person: What is known of the person; where psi and w' start from.
        device: Where to train.
    """

    def __init__(
        self, networks: Networks, preset: Preset, content: ContentLoss, person: Person, device: torch.device
    ) -> None:
        self.preset, self.content, self.person, self.device = preset, content, person, device
        with torch.no_grad():
            embedding = identity_embedding(networks, person, device)
        self.generator: Generator = copy.deepcopy(networks.generator).train().requires_grad_(True)
        self.generator.projection.requires_grad_(False)
        self.judge: Discriminator = copy.deepcopy(networks.discriminator).train().requires_grad_(True)
        self.psi = nn.Parameter(self.generator.adain_params(embedding).detach().clone())
        self.vector = nn.Parameter((self.judge.shared_embedding + embedding).detach().clone())
        self.free = [p for p in self.generator.parameters() if p.requires_grad] + [self.psi]
        self.averages = [p.detach().clone() for p in self.free]
        self.iterations = 0
        schedule = preset.fine_tuning
        self.generator_optimiser = torch.optim.Adam(self.free, lr=schedule.rate, betas=GENERATOR_BETAS)
        # The table of clip embeddings stays out: w' stands in for W_i + w_0.
        judging = [p for name, p in self.judge.named_parameters() if "embedding" not in name]
        self.judge_optimiser = torch.optim.Adam(
            [*judging, self.vector], lr=schedule.discriminator_rate, betas=DISCRIMINATOR_BETAS
        )

    def train(self, person: Person, iterations: int, rng: np.random.Generator) -> "FineTuner":
        """Make some updates on frames of the person, which may be fewer than those that are known."""
        for _ in range(iterations):
            drawn = _draw(person, self.preset.fine_tuning.batch, rng, self.device, canvas=self.generator.canvas)
            self._step(drawn, rng)
        return self

    def loss_on(self, held_out: Person, learned: Person) -> float:
        """Return content and pixel loss of the averaged weights on frames that they did not learn from."""
        weights, whole = self.preset.losses, not self.preset.losses.content_windows
        canvas = None
        if self.generator.canvas:
            chosen = learned.take(nearest(held_out.landmarks, learned.landmarks))
            canvas = warped_to(chosen, held_out.landmarks, self.device)
        target, maps = frames_of(held_out, self.device), maps_of(held_out, self.device)
        generator, psi = self._averaged()
        with torch.no_grad(), mixed_precision(self.device):
            generated = generator(maps, psi, canvas)
            views = (generated, target) if whole else (F.avg_pool2d(generated, 2), F.avg_pool2d(target, 2))
            content = self.content(*views)
            pixel = (generated - target).abs().mean()
        loss = float(weights.content * content.float() + weights.pixel * pixel.float())
        if not math.isfinite(loss):
            raise HeadshotError(
                f"fine-tuning, {len(self.person.frames)} shots, step {self.iterations}: the loss on held-out frames is "
                f"{loss}; training has diverged: lower the rates of the preset, or train with another --seed"
            )
        return loss

    def snapshot(self) -> Snapshot:
        """Return a copy of the state."""
        return Snapshot(
            iterations=self.iterations,
            tensors=tuple(tensor.detach().clone() for tensor in self._state()),
            optimisers=tuple(copy.deepcopy(one.state_dict()) for one in self._optimisers()),
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a state."""
        _copy(snapshot.tensors, self._state())
        for optimiser, state in zip(self._optimisers(), snapshot.optimisers, strict=True):
            optimiser.load_state_dict(state)
        self.iterations = snapshot.iterations

    def result(self) -> Adapted:
        """Return the generator with the averaged weights."""
        generator, psi = self._averaged()
        return Adapted(generator=generator, adain_params=psi, person=self.person, iterations=self.iterations)

    def _averaged(self) -> tuple[Generator, Tensor]:
        """Return a generator with the averaged weights, for rendering, and the averaged psi."""
        generator = copy.deepcopy(self.generator)
        *averages, psi = self.averages
        _copy(averages, (p for p in generator.parameters() if p.requires_grad))
        settle_spectral_norms(generator)
        return generator.eval().requires_grad_(False), psi.clone()

    def _state(self) -> list[Tensor]:
        # Of whole networks, with what is no parameter, such as the vectors of the spectral norm.
        networks = [*self.generator.state_dict().values(), *self.judge.state_dict().values()]
        return [*networks, self.psi, self.vector, *self.averages]

    def _optimisers(self) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
        return self.generator_optimiser, self.judge_optimiser

    def _step(self, drawn: _Drawn, rng: np.random.Generator) -> None:
        """Update the generator and psi, then the discriminator and w'."""
        number, clip = self.iterations, self.preset.meta_learning.gradient_clip
        where = f"fine-tuning, {len(self.person.frames)} shots, step {number}"
        self.judge.requires_grad_(False)
        with mixed_precision(self.device):
            generated = self.generator(drawn.maps, self.psi, drawn.canvas)
            loss = self._generator_loss(generated, drawn, number, rng)
        self.judge.requires_grad_(True)
        update(self.generator_optimiser, loss, gradient_clip=clip, where=f"{where}, phase generator")
        if self.preset.losses.is_adversarial:
            with mixed_precision(self.device):
                real, _ = self.judge(drawn.target, drawn.maps, self.vector)
                fake, _ = self.judge(generated.detach(), drawn.maps, self.vector)
                hinge = losses.hinge(real.float(), fake.float())
            update(self.judge_optimiser, hinge, gradient_clip=clip, where=f"{where}, phase discriminator")
        decay = min(self.preset.fine_tuning.ema_decay, (number + 1) / (number + 5))
        average_into(self.averages, self.free, decay)
        self.iterations += 1

    def _generator_loss(self, generated: Tensor, drawn: _Drawn, number: int, rng: np.random.Generator) -> Tensor:
        weights = self.preset.losses
        views = content_view(generated, drawn.target, number, rng, windows=weights.content_windows)
        terms = [
            weights.content * self.content(*views),
            weights.pixel * (generated - drawn.target).abs().mean(),
        ]
        if weights.is_adversarial:
            scores, fake = self.judge(generated, drawn.maps, self.vector.detach())
            with torch.no_grad():
                _, real = self.judge(drawn.target, drawn.maps, self.vector)
            terms.append(weights.adversarial * losses.adversarial(scores.float()))
            terms.append(weights.feature_matching * losses.feature_matching(real, fake))
        return torch.stack([term.float() for term in terms]).sum()


def _draw(person: Person, batch: int, rng: np.random.Generator, device: torch.device, *, canvas: bool) -> _Drawn:
    pairs = [_draw_pair(person, rng) for _ in range(batch)]
    target, source = (
        Person(
            frames=np.stack([frames[place] for frames, _ in pairs]),
            landmarks=np.stack([landmarks[place] for _, landmarks in pairs]),
            size_px=person.size_px,
        )
        for place in (0, 1)
    )
    return _Drawn(
        target=frames_of(target, device),
        maps=maps_of(target, device),
        canvas=warped_to(source, target.landmarks, device) if canvas else None,
    )


def _draw_pair(person: Person, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return frames and landmarks of a target and of a canvas for it.

    The canvas is another support frame, half of the time the nearest one, as it will be in rendering. With a
    single frame both are that frame, and the target is moved: all there is to learn from then.
    """
    shots = len(person.frames)
    target = int(rng.integers(shots))
    if shots == 1:
        moved, points = jitter(person.frames, person.landmarks, rng, LONE_STRENGTH)
        return np.concatenate([moved, person.frames]), np.concatenate([points, person.landmarks])
    others = np.delete(np.arange(shots), target)
    if rng.random() < NEAREST_SHARE:
        canvas = others[nearest(person.landmarks[target : target + 1], person.landmarks[others])[0]]
    else:
        canvas = rng.choice(others)
    chosen = [target, int(canvas)]
    frames, landmarks = person.frames[chosen], person.landmarks[chosen]
    return jitter(frames, landmarks, rng) if rng.random() < JITTER_SHARE else (frames, landmarks)


@torch.no_grad()
def _copy(values: Iterable[Tensor], into: Iterable[Tensor]) -> None:
    for value, tensor in zip(values, into, strict=True):
        tensor.copy_(value)
