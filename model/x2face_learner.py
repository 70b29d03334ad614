"""Training of the learned warp: show a target frame by bending support frames of the same clip."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from model.baseline_presets import X2FacePreset
from model.batches import Batch
from model.content import ContentLoss
from model.engine import content_view, mixed_precision
from model.learner import Learning, seeded
from model.x2face import X2FaceParts

BETAS = (0.5, 0.99)


class X2FaceLearner:
    """One phase, `warp`: both flow networks learn together.

    Differs from the paper in the content loss, of VGG16 from the first step on where that adds one of a face network
    later, and in support frames that all come from the target's clip.

    Args:
        preset: Sizes, weights and rates.
        content: The frozen content loss.
        device: Where everything lives.
        seed: Of the initial weights and the content windows.
    """

    def __init__(self, preset: X2FacePreset, content: ContentLoss, device: torch.device, seed: int) -> None:
        self.preset, self.device, self.seed = preset, device, seed
        self.content = content.to(device)
        networks = seeded(lambda: X2FaceParts(preset.network), seed, device)
        optimiser = torch.optim.Adam(networks.x2face.parameters(), betas=BETAS)
        self.learning = Learning(networks, {"warp": optimiser}, preset.meta_learning)

    def step(self, number: int, batch: Batch) -> dict[str, float]:
        """Learn from a batch and return the value of each term."""
        self.learning.warm_up(number)
        network, weights = self.learning.networks.x2face, self.preset.losses
        rng = np.random.default_rng((self.seed, number, 1))
        with mixed_precision(self.device):
            embedded = network.embed(batch.support_frames, batch.support_maps)
            generated = network(embedded, batch.target_maps)
            terms = {
                "content": weights.content * self.content(*content_view(generated, batch.target_frames, number, rng)),
                "pixel": weights.pixel * (generated - batch.target_frames).abs().mean(),
            }
        self.learning.update("warp", number, torch.stack([term.float() for term in terms.values()]).sum())
        self.learning.average(number)
        return {name: float(term.detach()) for name, term in terms.items()}

    @property
    def networks(self) -> X2FaceParts:
        """The networks that are being trained."""
        return self.learning.networks

    @torch.no_grad()
    def preview(self, batch: Batch) -> Tensor:
        """Return the frames that the averaged network makes for a batch."""
        network = self.learning.averaged.x2face
        frames: Tensor = network(network.embed(batch.support_frames, batch.support_maps), batch.target_maps)
        return frames

    def tensors(self) -> dict[str, Tensor]:
        """Return everything a resumed run needs."""
        return self.learning.tensors()

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Continue from what `tensors` returned."""
        self.learning.load(state)

    def result(self) -> X2FaceParts:
        """Return the running average."""
        return self.learning.averaged
