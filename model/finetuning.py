"""The second phase: adapt generator and discriminator to one new person on T frames; the embedder is no longer used."""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from model import losses
from model.batches import NEAREST_SHARE, canvas_images, jitter, to_tensor
from model.checkpoint import Networks
from model.content import ContentLoss
from model.engine import average_into, content_view, mixed_precision, update
from model.landmark_map import draw_all
from model.metalearning import DISCRIMINATOR_BETAS, GENERATOR_BETAS
from model.networks import Discriminator, Generator
from model.presets import Preset
from pipeline.landmarks import nearest

JITTER_SHARE = 0.3
"""Share of the drawn pairs that are moved a little: enough for robustness, and the background stays where it is."""

LONE_STRENGTH = 0.25
"""How far a single support frame is moved against itself; more, and the background learns to follow the head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The T support frames of a person and their landmarks in pixels, 70 where the preset has gaze, else 68."""

    frames: UInt8[np.ndarray, "shots size size 3"]
    landmarks: Float[np.ndarray, "shots points 2"]

    @property
    def size_px(self) -> int:
        """Side of the frames."""
        return int(self.frames.shape[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted:
    """A generator of one person; it no longer needs the embedder."""

    generator: Generator
    adain_params: Float[Tensor, "1 parameters"]
    person: Person
    iterations: int

    def render(
        self, driving_landmarks: Float[np.ndarray, "frames points 2"], device: torch.device
    ) -> Float[Tensor, "frames 3 size size"]:
        """Return frames in [-1, 1]; landmarks are (x, y) in pixels of the support frames' size."""
        person = self.person
        maps = to_tensor(draw_all(driving_landmarks, person.size_px), device)
        canvas = None
        if self.generator.canvas:
            chosen = nearest(driving_landmarks, person.landmarks)
            canvas = _canvas(person.frames[chosen], person.landmarks[chosen], driving_landmarks, device)
        with torch.no_grad():
            frames: Tensor = self.generator(maps, self.adain_params, canvas)
        return frames


def adapt_feed_forward(networks: Networks, person: Person, device: torch.device) -> Adapted:
    """Return the generator with psi = P e of the support frames, nothing trained."""
    with torch.no_grad():
        psi = networks.generator.adain_params(_embed(networks, person, device))
    return Adapted(generator=networks.generator, adain_params=psi, person=person, iterations=0)


def fine_tune(
    networks: Networks,
    preset: Preset,
    content: ContentLoss,
    person: Person,
    *,
    device: torch.device,
    seed: int,
) -> Adapted:
    """Return a generator trained on the support frames, started from the meta-learned one.

    psi starts at P e and is free from then on; the discriminator's vector w' starts at w_0 + e. The losses are
    those of meta-learning without the match term (section 3.4 of the paper). Colours are left alone, because the
    person's own are to be learned. The result is the running average of the weights.

    Args:
        networks: Of a checkpoint; left untouched.
        preset: Of the checkpoint.
        content: Content loss on `device`.
        person: What is known of the person.
        device: Where to train.
        seed: Of the order of frames and the augmentation.

    Raises:
        HeadshotError: A loss is not finite; phase and step are named.
    """
    tuner = _FineTuner(networks, preset, content, person, device)
    iterations = preset.fine_tuning.iterations(len(person.frames))
    rng = np.random.default_rng(seed)
    for number in range(iterations):
        tuner.step(number, _draw(person, preset.fine_tuning.batch, rng, device), rng)
    return tuner.result(iterations)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """A batch of support frames as targets, each with its landmark map and another support frame as canvas."""

    target: Float[Tensor, "batch 3 size size"]
    maps: Float[Tensor, "batch 3 size size"]
    canvas: Float[Tensor, "batch 6 size size"]


class _FineTuner:
    """Generator, discriminator and their optimisers for one person."""

    def __init__(
        self, networks: Networks, preset: Preset, content: ContentLoss, person: Person, device: torch.device
    ) -> None:
        self.preset, self.content, self.person, self.device = preset, content, person, device
        with torch.no_grad():
            embedding = _embed(networks, person, device)
        self.generator: Generator = copy.deepcopy(networks.generator).train().requires_grad_(True)
        self.generator.projection.requires_grad_(False)
        self.judge: Discriminator = copy.deepcopy(networks.discriminator).train().requires_grad_(True)
        self.psi = nn.Parameter(self.generator.adain_params(embedding).detach().clone())
        self.vector = nn.Parameter((self.judge.shared_embedding + embedding).detach().clone())
        self.free = [p for p in self.generator.parameters() if p.requires_grad] + [self.psi]
        self.averages = [p.detach().clone() for p in self.free]
        schedule = preset.fine_tuning
        self.generator_optimiser = torch.optim.Adam(self.free, lr=schedule.rate, betas=GENERATOR_BETAS)
        # The table of clip embeddings stays out: w' stands in for W_i + w_0.
        judging = [p for name, p in self.judge.named_parameters() if "embedding" not in name]
        self.judge_optimiser = torch.optim.Adam(
            [*judging, self.vector], lr=schedule.discriminator_rate, betas=DISCRIMINATOR_BETAS
        )

    def step(self, number: int, drawn: _Drawn, rng: np.random.Generator) -> None:
        """Update the generator and psi, then the discriminator and w'."""
        clip = self.preset.meta_learning.gradient_clip
        where = f"fine-tuning, {len(self.person.frames)} shots, step {number}"
        self.judge.requires_grad_(False)
        with mixed_precision(self.device):
            canvas = drawn.canvas if self.generator.canvas else None
            generated = self.generator(drawn.maps, self.psi, canvas)
            loss = self._generator_loss(generated, drawn, number, rng)
        self.judge.requires_grad_(True)
        update(self.generator_optimiser, loss, gradient_clip=clip, where=f"{where}, phase generator")
        with mixed_precision(self.device):
            real, _ = self.judge(drawn.target, drawn.maps, self.vector)
            fake, _ = self.judge(generated.detach(), drawn.maps, self.vector)
            hinge = losses.hinge(real.float(), fake.float())
        update(self.judge_optimiser, hinge, gradient_clip=clip, where=f"{where}, phase discriminator")
        decay = min(self.preset.fine_tuning.ema_decay, (number + 1) / (number + 5))
        average_into(self.averages, self.free, decay)

    def result(self, iterations: int) -> Adapted:
        """Return the generator with the averaged weights."""
        with torch.no_grad():
            for parameter, mean in zip(self.free, self.averages, strict=True):
                parameter.copy_(mean)
        generator = self.generator.eval().requires_grad_(False)
        return Adapted(generator=generator, adain_params=self.psi.detach(), person=self.person, iterations=iterations)

    def _generator_loss(self, generated: Tensor, drawn: _Drawn, number: int, rng: np.random.Generator) -> Tensor:
        weights = self.preset.losses
        scores, fake = self.judge(generated, drawn.maps, self.vector.detach())
        with torch.no_grad():
            _, real = self.judge(drawn.target, drawn.maps, self.vector)
        terms = (
            weights.content * self.content(*self._content_view(generated, drawn.target, number, rng)),
            weights.pixel * (generated - drawn.target).abs().mean(),
            weights.adversarial * losses.adversarial(scores.float()),
            weights.feature_matching * losses.feature_matching(real, fake),
        )
        return torch.stack([term.float() for term in terms]).sum()

    def _content_view(
        self, generated: Tensor, target: Tensor, number: int, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        windows = self.preset.losses.content_windows
        return content_view(generated, target, number, rng) if windows else (generated, target)


def _draw(person: Person, batch: int, rng: np.random.Generator, device: torch.device) -> _Drawn:
    pairs = [_draw_pair(person, rng) for _ in range(batch)]
    frames = np.stack([frames for frames, _ in pairs])  # (b, 2, h, w, 3): target, canvas
    landmarks = np.stack([landmarks for _, landmarks in pairs])
    return _Drawn(
        target=to_tensor(frames[:, 0], device),
        maps=to_tensor(draw_all(landmarks[:, 0], person.size_px), device),
        canvas=_canvas(frames[:, 1], landmarks[:, 1], landmarks[:, 0], device),
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


def _canvas(frames: np.ndarray, landmarks: np.ndarray, targets: np.ndarray, device: torch.device) -> Tensor:
    warped, maps = canvas_images(frames, landmarks, targets), draw_all(landmarks, frames.shape[1])
    return torch.cat([to_tensor(warped, device), to_tensor(maps, device)], dim=1)


def _embed(networks: Networks, person: Person, device: torch.device) -> Tensor:
    maps = draw_all(person.landmarks, person.size_px)
    embedding: Tensor = networks.embedder(to_tensor(person.frames, device)[None], to_tensor(maps, device)[None])
    return embedding
