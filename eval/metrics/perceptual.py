"""LPIPS, through the networks of the `lpips` package."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from safetensors.torch import load_file
from torch import Tensor

from eval.features import Frames
from weights.errors import HeadshotError
from weights.files import sha256_of
from weights.torchvision_import import import_torchvision

_BATCH = 16
_HEADS_SHA256 = "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0"
"""Of the linear heads, version 0.1, that the package carries."""


class LpipsAlex:
    """Learned perceptual distance over AlexNet, version 0.1 of the heads."""

    VERSION = 1

    def __init__(self, network: Any, key: str) -> None:
        """Wrap an `lpips.LPIPS` in evaluation mode."""
        self._network = network
        self.key = key
        self._last_target: tuple[tuple[bytes, ...], list[list[Tensor]]] | None = None

    @classmethod
    def load(cls, trunk: Path) -> "LpipsAlex":
        """Load the published heads and the trunk from a safetensors file with the names of torchvision.

        Raises:
            HeadshotError: The heads are not those of version 0.1, or the file does not fit the trunk.
        """
        import_torchvision()
        import lpips

        heads = Path(lpips.__file__).with_name("weights") / "v0.1" / "alex.pth"
        if sha256_of(heads) != _HEADS_SHA256:
            raise HeadshotError(f"{heads} is not LPIPS version 0.1 as published; install lpips again")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the package asks torchvision in an older manner
            network = lpips.LPIPS(net="alex", version="0.1", pnet_rand=True, verbose=False)
        # The package keeps layer i of torchvision's `features` in slice s under the name `slice<s>.<i>`.
        state = load_file(trunk)
        renamed = {name: state.pop(f"features.{name.split('.', 1)[1]}", None) for name in network.net.state_dict()}
        left_over = [name for name in state if name.startswith("features.")]
        if left_over or None in renamed.values():
            raise HeadshotError(f"{trunk} does not hold the convolutions of AlexNet; fetch its weights again")
        network.net.load_state_dict(renamed, strict=True)
        return cls(network.eval(), f"lpips.alex@{cls.VERSION}-{sha256_of(trunk)[:12]}-{_HEADS_SHA256[:12]}")

    def __call__(self, generated: Frames, target: Frames) -> Float[np.ndarray, " frames"]:
        """Return the distance of each frame to its target."""
        with torch.inference_mode():
            wanted = self._target_activations(target)
            distances = [
                self._distance(self._activations(chunk), other)
                for chunk, other in zip(_chunks(generated.pixels), wanted, strict=True)
            ]
        return np.asarray(torch.cat(distances).double().numpy())

    def _target_activations(self, target: Frames) -> list[list[Tensor]]:
        """Keep the last answer: systems and shots are scored against the same target frames in turn."""
        if self._last_target is None or self._last_target[0] != target.digests:
            chunks = _chunks(target.pixels)
            self._last_target = (target.digests, [self._activations(chunk) for chunk in chunks])
        return self._last_target[1]

    def _activations(self, frames: UInt8[np.ndarray, "frames height width 3"]) -> list[Tensor]:
        import lpips

        scaled = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 127.5 - 1
        layers = self._network.net.forward(self._network.scaling_layer(scaled))
        return [lpips.normalize_tensor(layer) for layer in layers]

    def _distance(self, one: list[Tensor], other: list[Tensor]) -> Float[Tensor, " frames"]:
        total = torch.zeros(len(one[0]))
        for head, x, y in zip(self._network.lins, one, other, strict=True):
            total += head((x - y) ** 2).mean(dim=(1, 2, 3))
        return total


def _chunks(
    pixels: UInt8[np.ndarray, "frames height width 3"],
) -> list[UInt8[np.ndarray, "chunk height width 3"]]:
    return [pixels[start : start + _BATCH] for start in range(0, len(pixels), _BATCH)]
