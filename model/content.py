"""Content loss: L1 between activations of the generated and the target frame in pretrained networks."""

from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors.torch import load_file
from torch import Tensor, nn

from model.loss_weights import ContentNetwork, LossWeights
from model.vgg import SPECS, Vgg
from weights.errors import HeadshotError
from weights.fetch import fetch
from weights.files import sha256_of

NEXT_TO_NONE = 1e-3
"""Of a length of activations, which are around one."""


class ContentLoss(nn.Module):
    """The distance of two frames in one or more networks, each with a weight.

    Args:
        parts: Networks and their weights.
        unit: Compare activations of unit length at each position.

    Source: the content term of Zakharov et al. 2019, which compares relu1_1 to relu5_1 of VGG19 and VGGFace; `vgg16`
    differs in the network and in stopping at relu3_1.
    """

    def __init__(self, parts: Sequence[tuple[Vgg, float]], *, unit: bool = False) -> None:
        super().__init__()
        self.unit = unit
        self.networks = nn.ModuleList(network for network, _ in parts)
        self.weights = tuple(weight for _, weight in parts)

    @classmethod
    def pretrained(cls, weights: LossWeights) -> "ContentLoss":
        """Return the loss that a preset names, with the registry's weights of its networks.

        Raises:
            HeadshotError: A file cannot be had, or lacks a layer.
        """
        paths = fetch_networks(weights.content_networks)
        parts = [(_load(name, paths[name]), weight) for name, weight in weights.content_networks]
        return cls(parts, unit=weights.content_unit)

    def forward(
        self,
        generated: Float[Tensor, "batch 3 height width"],
        target: Float[Tensor, "batch 3 height width"],
    ) -> Float[Tensor, ""]:
        """Return the weighted sum over networks of the sum over layers of the mean absolute difference.

        Of activations of unit length it is the mean over positions of the sum over channels.

        Gradients reach `generated` only.
        """
        terms = []
        for network, weight in zip(self.networks, self.weights, strict=True):
            with torch.no_grad():
                wanted = network(target)
            pairs = zip(network(generated), wanted, strict=True)
            terms.append(weight * torch.stack([self._difference(g.float(), w.float()) for g, w in pairs]).sum())
        return torch.stack(terms).sum()

    def _difference(
        self,
        generated: Float[Tensor, "batch channels height width"],
        target: Float[Tensor, "batch channels height width"],
    ) -> Float[Tensor, ""]:
        if not self.unit:
            return (generated - target).abs().mean()
        return (_unit(generated) - _unit(target)).abs().sum(dim=1).mean()


def _unit(activations: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels height width"]:
    """Return activations of length one at each position; where there is next to none, they stay small."""
    lengths: Tensor = activations.norm(dim=1, keepdim=True) + NEXT_TO_NONE
    return activations / lengths


def fetch_networks(networks: Sequence[tuple[ContentNetwork, float]]) -> dict[ContentNetwork, Path]:
    """Return the file of each content network.

    Raises:
        HeadshotError: One or more cannot be had here; says how to get each, and what can be done without.
    """
    paths: dict[ContentNetwork, Path] = {}
    missing = []
    for name, _ in networks:
        try:
            paths[name] = fetch(SPECS[name].weight_id)
        except HeadshotError as error:
            missing.append(str(error))
    if missing:
        raise HeadshotError(
            f"the content loss of this preset compares frames in {' and '.join(name for name, _ in networks)}: "
            f"{' '.join(missing)} Or train with `--content embedded`: VGG16 from a package stands in, which is another "
            "loss than the published one, and is recorded in the checkpoint."
        )
    return paths


def content_sha256(networks: Sequence[tuple[ContentNetwork, float]]) -> dict[str, str]:
    """Return registry id and hash of the file of each content network; raises as `fetch_networks` does."""
    return {SPECS[name].weight_id: sha256_of(path) for name, path in fetch_networks(networks).items()}


def _load(name: ContentNetwork, path: Path) -> Vgg:
    spec = SPECS[name]
    try:
        return Vgg(spec, load_file(path))
    except KeyError as error:
        raise HeadshotError(
            f"the weights {spec.weight_id} in {path} lack the tensor {error}; "
            f"run `headshot weights verify`, then `headshot weights fetch {spec.weight_id}`"
        ) from error
