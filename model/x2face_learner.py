"""Training of the learned warp: show a target frame by bending support frames of the same clip."""

import numpy as np
import torch
from torch import Tensor

from model.baseline_presets import X2FacePreset
from model.batches import WHOLE, Batch, Part
from model.content import ContentLoss
from model.engine import content_view, mixed_precision
from model.learner import Learner, mean_over, seeded
from model.x2face import X2FaceParts

BETAS = (0.5, 0.99)


class X2FaceLearner(Learner[X2FaceParts]):
    """One phase, `warp`: both flow networks learn together.

    Differs from the paper in the content loss, of VGG16 from the first step on where that adds one of a face network
    later, and in support frames that all come from the target's clip.

    Args:
        preset: Sizes, weights and rates.
        content: The frozen content loss.
        device: Where everything lives.
        seed: Of the initial weights and the content windows.
        accumulate: Number of parts that go through the networks one after the other for one update, to save memory.
    """

    def __init__(
        self, preset: X2FacePreset, content: ContentLoss, device: torch.device, seed: int, accumulate: int = 1
    ) -> None:
        self.preset, schedule = preset, preset.meta_learning
        networks = seeded(lambda: X2FaceParts(preset.network), seed, device)
        optimiser = torch.optim.Adam(networks.x2face.parameters(), lr=schedule.rate, betas=BETAS)
        super().__init__(
            networks,
            {"warp": optimiser},
            content,
            schedule,
            stage="training",
            averaged=("x2face",),
            device=device,
            seed=seed,
            accumulate=accumulate,
        )

    def step(self, number: int, batch: Batch) -> dict[str, float]:
        """Learn from a batch and return the value of each term."""
        self.warm_up(number)
        values = mean_over([self.warp(number, piece, part) for part, piece in self.split(batch)])
        self.average(number)
        return values

    def warp(self, number: int, batch: Batch, part: Part = WHOLE) -> dict[str, float]:
        """Update both flow networks: the bent face looks like the target."""
        network, weights = self.networks.x2face, self.preset.losses
        rng = np.random.default_rng((self.seed, number, 1))
        with mixed_precision(self.device):
            embedded = network.embed(batch.support_frames, batch.support_maps)
            generated = network(embedded, batch.target_maps)
            windows = weights.content_windows
            views = content_view(generated, batch.target_frames, number, rng, windows=windows)
            terms = {
                "content": weights.content * self.content(*views),
                "pixel": weights.pixel * (generated - batch.target_frames).abs().mean(),
            }
        self.update("warp", number, torch.stack([term.float() for term in terms.values()]).sum(), part)
        return {name: float(term.detach()) for name, term in terms.items()}

    @torch.no_grad()
    def preview(self, batch: Batch) -> Tensor:
        """Return the frames that the averaged network makes for a batch."""
        network = self.averaged.x2face
        frames: Tensor = network(network.embed(batch.support_frames, batch.support_maps), batch.target_maps)
        return frames
