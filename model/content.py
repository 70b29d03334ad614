"""Content loss: L1 between VGG16 activations of the generated and the target frame."""

import torch
from jaxtyping import Float
from safetensors.torch import load_file
from torch import Tensor, nn

from weights.errors import HeadshotError
from weights.fetch import fetch

WEIGHT_ID = "lpips-vgg16"
_CHANNELS = (64, 64, "pool", 128, 128, "pool", 256)
_TAPPED_CONVOLUTIONS = (0, 2, 4)
"""relu1_1, relu2_1, relu3_1: deeper layers cost as much again and changed little at 64-128 px."""
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


class ContentLoss(nn.Module):
    """VGG16 up to relu3_1 with frozen ImageNet weights, compared at relu1_1, relu2_1 and relu3_1.

    Source: the content term of Zakharov et al. 2019 (relu{1..5}_1 of VGG19 and VGGFace); differs in the network and
    in stopping at relu3_1. Frames in [-1, 1] are brought to the mean and deviation that VGG16 was trained with.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1))
        inputs, index = 3, 0
        for width in _CHANNELS:
            if isinstance(width, str):
                self.layers.append(nn.MaxPool2d(2))
                index += 1
                continue
            layer = nn.Conv2d(inputs, width, 3, padding=1)
            layer.load_state_dict({part: state[f"features.{index}.{part}"] for part in ("weight", "bias")}, strict=True)
            self.layers.append(layer)
            inputs, index = width, index + 2  # torchvision counts the ReLU behind each convolution
        self.requires_grad_(False)
        self.eval()

    @classmethod
    def pretrained(cls) -> "ContentLoss":
        """Return the loss with the registry's VGG16 weights.

        Raises:
            HeadshotError: The weight file lacks a layer.
        """
        path = fetch(WEIGHT_ID)
        try:
            return cls(load_file(path))
        except KeyError as error:
            raise HeadshotError(
                f"the weights {WEIGHT_ID} in {path} lack the tensor {error}; "
                f"run `headshot weights verify`, then `headshot weights fetch {WEIGHT_ID}`"
            ) from error

    def forward(
        self,
        generated: Float[Tensor, "batch 3 height width"],
        target: Float[Tensor, "batch 3 height width"],
    ) -> Float[Tensor, ""]:
        """Return the sum over layers of the mean absolute difference; gradients reach `generated` only."""
        with torch.no_grad():
            wanted = self._activations(target)
        got = self._activations(generated)
        return torch.stack([(g.float() - w.float()).abs().mean() for g, w in zip(got, wanted, strict=True)]).sum()

    def _activations(self, frames: Tensor) -> list[Tensor]:
        x = ((frames + 1) / 2 - self.mean) / self.std
        taken: list[Tensor] = []
        convolutions = 0
        for layer in self.layers:
            x = layer(x)
            if isinstance(layer, nn.Conv2d):
                x = torch.relu(x)
                if convolutions in _TAPPED_CONVOLUTIONS:
                    taken.append(x)
                convolutions += 1
        return taken
