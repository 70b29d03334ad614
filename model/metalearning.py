"""The first phase: embedder, generator and discriminator learn together over many people, in alternating steps."""

import numpy as np
import torch
from torch import Tensor

from model import losses
from model.batches import WHOLE, Batch, Part
from model.checkpoint import Networks
from model.content import ContentLoss
from model.engine import content_view, mixed_precision
from model.learner import Learner, seeded
from model.presets import Preset

GENERATOR_BETAS = (0.5, 0.99)
DISCRIMINATOR_BETAS = (0.0, 0.99)


class MetaLearner(Learner[Networks]):
    """Two phases in turn, `embedder_generator` and `discriminator`.

    Args:
        preset: Sizes, weights and rates.
        clips: Number of training clips, the columns of the discriminator's embedding.
        content: The frozen content loss.
        device: Where everything lives.
        seed: Of the initial weights and the content windows.
        accumulate: Number of parts that go through the networks one after the other for one update, to save memory.
    """

    def __init__(
        self,
        preset: Preset,
        clips: int,
        content: ContentLoss,
        device: torch.device,
        seed: int,
        accumulate: int = 1,
    ) -> None:
        self.preset = preset
        networks = seeded(lambda: Networks(preset, clips), seed, device)
        rates, generator = preset.meta_learning, networks.generator
        projection = list(generator.projection.parameters())
        rest = [p for name, p in generator.named_parameters() if not name.startswith("projection.")]
        optimisers = {
            "embedder_generator": torch.optim.Adam(
                [
                    {"params": rest, "lr": rates.generator_rate},
                    {"params": list(networks.embedder.parameters()), "lr": rates.embedder_rate},
                    {"params": projection, "lr": rates.projection_rate},
                ],
                betas=GENERATOR_BETAS,
            ),
            "discriminator": torch.optim.Adam(
                networks.discriminator.parameters(), lr=rates.discriminator_rate, betas=DISCRIMINATOR_BETAS
            ),
        }
        super().__init__(
            networks,
            optimisers,
            content,
            rates,
            stage="meta-learning",
            averaged=("embedder", "generator"),
            device=device,
            seed=seed,
            accumulate=accumulate,
        )

    def step(self, number: int, batch: Batch) -> dict[str, float]:
        """Run the phases of step `number` on `batch` and return the value of each term."""
        judgements = self.preset.meta_learning.discriminator_steps
        return self.alternate(number, batch, self.embedder_generator, self.discriminator, judgements)

    def embedder_generator(
        self, number: int, batch: Batch, *, adversarial: bool, part: Part = WHOLE
    ) -> tuple[Tensor, dict[str, float]]:
        """Update E and G: look like the target, fool the discriminator, agree with it on who this is (equation 3).

        The variant `ff` leaves the agreement out.

        Returns:
            The generated frames, and the value of each term.
        """
        weights, networks = self.preset.losses, self.networks
        rng = np.random.default_rng((self.seed, number, 1))
        networks.discriminator.requires_grad_(False)
        with mixed_precision(self.device):
            embedding = networks.embedder(batch.support_frames, batch.support_maps)
            psi = networks.generator.adain_params(embedding)
            generated: Tensor = networks.generator(batch.target_maps, psi, batch.canvas)
            windows = weights.content_windows
            views = content_view(generated, batch.target_frames, number, rng, windows=windows)
            terms = {
                "content": weights.content * self.content(*views),
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
                if self.preset.meta_learning.variant == "ft":
                    terms["match"] = weights.match * losses.match(embedding.float(), clip_embedding)
        networks.discriminator.requires_grad_(True)
        self.update("embedder_generator", number, torch.stack([term.float() for term in terms.values()]).sum(), part)
        return generated.detach(), {name: float(term.detach()) for name, term in terms.items()}

    def discriminator(self, number: int, batch: Batch, generated: Tensor, part: Part = WHOLE) -> dict[str, float]:
        """Update D: tell real frames from generated ones of the same clip and landmarks (equation 7)."""
        network = self.networks.discriminator
        with mixed_precision(self.device):
            vectors = network.clip_vectors(batch.clips)
            real, _ = network(batch.target_frames, batch.target_maps, vectors)
            fake, _ = network(generated, batch.target_maps, vectors)
            loss = losses.hinge(real.float(), fake.float())
        self.update("discriminator", number, loss, part)
        return {"hinge": float(loss.detach())}

    @torch.no_grad()
    def preview(self, batch: Batch) -> Tensor:
        """Return what the averaged networks make of a batch, in [-1, 1]; nothing is learned from it."""
        shown = self.averages()
        embedder, generator = shown.embedder.eval(), shown.generator.eval()
        psi = generator.adain_params(embedder(batch.support_frames, batch.support_maps))
        frames: Tensor = generator(batch.target_maps, psi, batch.canvas)
        return frames
