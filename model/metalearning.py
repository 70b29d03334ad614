"""The first phase: embedder, generator and discriminator learn together over many people, in alternating steps."""

import copy

import numpy as np
import torch
from torch import Tensor

from model import losses
from model.batches import Batch
from model.checkpoint import Networks
from model.content import ContentLoss
from model.engine import average_into, content_view, mixed_precision, update
from model.presets import Preset

GENERATOR_BETAS = (0.5, 0.99)
DISCRIMINATOR_BETAS = (0.0, 0.99)


class MetaLearner:
    """Networks, optimisers and averages of a training run; `step` is a pure function of these and the batch.

    Args:
        preset: Sizes, weights and rates.
        clips: Number of training clips, the columns of the discriminator's embedding.
        content: The frozen content loss.
        device: Where everything lives.
        seed: Of the initial weights and the content windows.
    """

    def __init__(self, preset: Preset, clips: int, content: ContentLoss, device: torch.device, seed: int) -> None:
        self.preset, self.device, self.seed = preset, device, seed
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.networks = Networks(preset, clips).to(device)
        self.averaged = copy.deepcopy(self.networks)
        self.content = content.to(device)
        rates = preset.meta_learning
        generator = self.networks.generator
        projection = list(generator.projection.parameters())
        rest = [p for name, p in generator.named_parameters() if not name.startswith("projection.")]
        self.optimisers = {
            "embedder_generator": torch.optim.Adam(
                [
                    {"params": rest, "lr": rates.generator_rate},
                    {"params": list(self.networks.embedder.parameters()), "lr": rates.embedder_rate},
                    {"params": projection, "lr": rates.projection_rate},
                ],
                betas=GENERATOR_BETAS,
            ),
            "discriminator": torch.optim.Adam(
                self.networks.discriminator.parameters(),
                lr=rates.discriminator_rate,
                betas=DISCRIMINATOR_BETAS,
            ),
        }
        self.full_rates = {
            name: [group["lr"] for group in optimiser.param_groups] for name, optimiser in self.optimisers.items()
        }

    def step(self, number: int, batch: Batch) -> dict[str, float]:
        """Run the phases of step `number` on `batch` and return the value of each term."""
        schedule = self.preset.meta_learning
        self._warm_up(number)
        playing = number >= schedule.adversarial_from * schedule.steps
        generated, values = self.embedder_generator(number, batch, adversarial=playing)
        if playing:
            values |= self.discriminator(number, batch, generated.detach())
        decay = min(schedule.ema_decay, (number + 1) / (number + 10))
        for part in ("embedder", "generator"):
            average_into(self.averaged.parts[part].parameters(), self.networks.parts[part].parameters(), decay)
        return values

    def embedder_generator(self, number: int, batch: Batch, *, adversarial: bool) -> tuple[Tensor, dict[str, float]]:
        """Update E and G: look like the target, fool the discriminator, agree with it on who this is (equation 3).

        Returns:
            The generated frames, and the value of each term.
        """
        weights, networks = self.preset.losses, self.networks
        rng = np.random.default_rng((self.seed, number, 1))
        networks.discriminator.requires_grad_(False)
        with mixed_precision(self.device):
            embedding = networks.embedder(batch.support_frames, batch.support_maps)
            canvas = batch.canvas if self.preset.network.canvas else None
            psi = networks.generator.adain_params(embedding)
            generated: Tensor = networks.generator(batch.target_maps, psi, canvas)
            terms = {
                "content": weights.content * self.content(*content_view(generated, batch.target_frames, number, rng)),
                "pixel": weights.pixel * (generated - batch.target_frames).abs().mean(),
            }
            if adversarial:
                vectors = networks.discriminator.clip_vectors(batch.clips)
                scores, fake = networks.discriminator(generated, batch.target_maps, vectors)
                with torch.no_grad():
                    _, real = networks.discriminator(batch.target_frames, batch.target_maps, vectors)
                clip_embedding = networks.discriminator.clip_embedding(batch.clips)
                terms["adversarial"] = weights.adversarial * losses.adversarial(scores.float())
                terms["feature_matching"] = weights.feature_matching * losses.feature_matching(real, fake)
                terms["match"] = weights.match * losses.match(embedding.float(), clip_embedding)
        networks.discriminator.requires_grad_(True)
        self._update("embedder_generator", number, torch.stack([term.float() for term in terms.values()]).sum())
        return generated, {name: float(term.detach()) for name, term in terms.items()}

    def discriminator(self, number: int, batch: Batch, generated: Tensor) -> dict[str, float]:
        """Update D: tell real frames from generated ones of the same clip and landmarks (equation 7)."""
        network = self.networks.discriminator
        with mixed_precision(self.device):
            vectors = network.clip_vectors(batch.clips)
            real, _ = network(batch.target_frames, batch.target_maps, vectors)
            fake, _ = network(generated, batch.target_maps, vectors)
            loss = losses.hinge(real.float(), fake.float())
        self._update("discriminator", number, loss)
        return {"hinge": float(loss.detach())}

    def tensors(self) -> dict[str, Tensor]:
        """Return everything a resumed run needs: networks, averages and optimiser moments."""
        state = {f"networks.{name}": tensor for name, tensor in self.networks.tensors().items()}
        state |= {f"averaged.{name}": tensor for name, tensor in self.averaged.tensors().items()}
        for name, optimiser in self.optimisers.items():
            for index, moments in optimiser.state_dict()["state"].items():
                state |= {f"optimiser.{name}.{index}.{key}": t.cpu().contiguous() for key, t in moments.items()}
        return state

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what `tensors` returned."""
        self.networks.load(_below("networks.", state))
        self.averaged.load(_below("averaged.", state))
        for name, optimiser in self.optimisers.items():
            moments: dict[int, dict[str, Tensor]] = {}
            for key, tensor in _below(f"optimiser.{name}.", state).items():
                index, field = key.split(".", 1)
                moments.setdefault(int(index), {})[field] = tensor
            optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})

    @torch.no_grad()
    def preview(self, batch: Batch) -> Tensor:
        """Return what the averaged networks make of a batch, in [-1, 1]; nothing is learned from it."""
        embedder, generator = self.averaged.embedder, self.averaged.generator
        psi = generator.adain_params(embedder(batch.support_frames, batch.support_maps))
        frames: Tensor = generator(batch.target_maps, psi, batch.canvas if self.preset.network.canvas else None)
        return frames

    def result(self) -> Networks:
        """Return what a checkpoint keeps: the running average of E and G, and the discriminator as it is."""
        kept = copy.deepcopy(self.averaged)
        kept.discriminator.load_state_dict(self.networks.discriminator.state_dict())
        return kept

    def _warm_up(self, number: int) -> None:
        share = min(1.0, (number + 1) / self.preset.meta_learning.warmup_steps)
        for name, optimiser in self.optimisers.items():
            for group, rate in zip(optimiser.param_groups, self.full_rates[name], strict=True):
                group["lr"] = rate * share

    def _update(self, phase: str, number: int, loss: Tensor) -> None:
        clip = self.preset.meta_learning.gradient_clip
        update(
            self.optimisers[phase],
            loss,
            gradient_clip=clip,
            where=f"meta-learning, phase {phase}, step {number}",
        )


def _below(prefix: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
