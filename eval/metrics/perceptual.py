"""LPIPS, through the networks of the `lpips` package: over the whole picture and within a region of it."""

import functools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from safetensors.torch import load_file
from torch import Tensor

from eval.features import FeatureCache, Frames
from eval.metrics.recent import Recent
from weights.errors import HeadshotError
from weights.files import sha256_of
from weights.torchvision_import import import_torchvision

Trunk = Literal["alex", "vgg"]
_BATCH = 16
_REMEMBERED_BYTES = 1 << 30
_HEADS_SHA256: dict[Trunk, str] = {
    "alex": "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    "vgg": "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
}
"""Of the linear heads, version 0.1, that the package carries."""
_NAMES: dict[Trunk, str] = {"alex": "AlexNet", "vgg": "VGG16"}

Layers = list[Tensor]
"""Of one frame: unit-normalised activations of five layers, each (channels, height, width)."""


class Lpips:
    """Learned perceptual distance over one trunk, version 0.1 of the heads."""

    VERSION = 1

    def __init__(self, network: Any, key: str) -> None:
        """Wrap an `lpips.LPIPS` in evaluation mode."""
        self._network = network
        self.key = key
        self._recent: Recent[Layers] = Recent(_REMEMBERED_BYTES, lambda layers: sum(each.nbytes for each in layers))

    @classmethod
    def load(cls, path: Path, trunk: Trunk = "alex") -> "Lpips":
        """Load the published heads and the trunk from a safetensors file with the names of torchvision.

        Raises:
            HeadshotError: The heads are not those of version 0.1, or the file does not fit the trunk.
        """
        import_torchvision()
        import lpips

        heads = Path(lpips.__file__).with_name("weights") / "v0.1" / f"{trunk}.pth"
        if sha256_of(heads) != _HEADS_SHA256[trunk]:
            raise HeadshotError(f"{heads} is not LPIPS version 0.1 as published; install lpips again")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the package asks torchvision in an older manner
            network = lpips.LPIPS(net=trunk, version="0.1", pnet_rand=True, verbose=False)
        # The package keeps layer i of torchvision's `features` in slice s under the name `slice<s>.<i>`.
        state = load_file(path)
        renamed = {name: state.pop(f"features.{name.split('.', 1)[1]}", None) for name in network.net.state_dict()}
        left_over = [name for name in state if name.startswith("features.")]
        if left_over or None in renamed.values():
            raise HeadshotError(f"{path} does not hold the convolutions of {_NAMES[trunk]}; fetch its weights again")
        network.net.load_state_dict(renamed, strict=True)
        key = f"lpips.{trunk}@{cls.VERSION}-{sha256_of(path)[:12]}-{_HEADS_SHA256[trunk][:12]}"
        return cls(network.eval(), key)

    def measure(self, generated: Frames, target: Frames, cache: FeatureCache) -> Float[np.ndarray, " frames"]:  # noqa: ARG002
        """Return the distance of each frame to its target."""
        return self(generated, target)

    def __call__(self, generated: Frames, target: Frames) -> Float[np.ndarray, " frames"]:
        """Return the distance of each frame to its target."""
        found = []
        for start in range(0, len(target), _BATCH):
            total = torch.zeros(min(_BATCH, len(target) - start))
            for maps in self._maps(*_part(start, generated, target)):
                total += maps.mean(dim=(1, 2))
            found.append(total)
        return np.asarray(torch.cat(found).double().numpy())

    def within(
        self, generated: Frames, target: Frames, masks: Bool[np.ndarray, "frames size size"]
    ) -> Float[np.ndarray, " frames"]:
        """Return the distance of each frame to its target, averaged over a region.

        Args:
            generated: Frames.
            target: Their targets.
            masks: Pixels that count; some in each frame.

        Source: the mean over the mask of what the `lpips` package gives with `spatial=True`, which enlarges the
        distances of each layer to the size of the frames. Here the mask is reduced instead, which gives the same sum.
        """
        found = []
        for start in range(0, len(target), _BATCH):
            share = torch.from_numpy(masks[start : start + _BATCH]).float()
            share /= share.sum(dim=(1, 2), keepdim=True)
            total = torch.zeros(len(share))
            for maps in self._maps(*_part(start, generated, target)):
                down, across = (_enlargement(side, share.shape[-1]) for side in maps.shape[1:])
                total += ((down.T @ share @ across) * maps).sum(dim=(1, 2))
            found.append(total)
        return np.asarray(torch.cat(found).double().numpy())

    def _maps(self, generated: Frames, target: Frames) -> list[Float[Tensor, "frames height width"]]:
        """Return the weighted distance at each position of each layer."""
        with torch.inference_mode():
            one, other = self._activations(generated), self._activations(target)
            heads = enumerate(self._network.lins)
            return [head((_stack(one, place) - _stack(other, place)) ** 2)[:, 0] for place, head in heads]

    def _activations(self, frames: Frames) -> list[Layers]:
        import lpips

        def compute(places: Sequence[int]) -> list[Layers]:
            pixels = np.ascontiguousarray(frames.pixels[list(places)])
            scaled = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
            layers = self._network.net.forward(self._network.scaling_layer(scaled))
            normalised = [lpips.normalize_tensor(layer) for layer in layers]
            # Copies, because a view of one frame would keep the whole batch in memory.
            return [[layer[place].clone() for layer in normalised] for place in range(len(places))]

        return self._recent.get(frames.digests, compute)


@dataclass(frozen=True, slots=True)
class ChangeLpips:
    """Compares how far frames are from their neighbours with how far their targets are: t-LPIPS."""

    lpips: Lpips

    def __call__(
        self, generated: tuple[Frames, Frames], target: tuple[Frames, Frames], cache: FeatureCache
    ) -> Float[np.ndarray, " frames"]:
        """Return the absolute difference of both distances.

        Source: tLP of Chu et al. 2020, "Learning temporal coherence via self-supervision", without its factor of 100.
        """
        return np.abs(cache.pair_values(self.lpips, *generated) - cache.pair_values(self.lpips, *target))


@functools.lru_cache(maxsize=64)
def _enlargement(from_px: int, to_px: int) -> Float[Tensor, "to_px from_px"]:
    """Return the matrix that enlarges a row of values as bilinear interpolation does."""
    unit = torch.eye(from_px)[None]
    return torch.nn.functional.interpolate(unit, size=to_px, mode="linear", align_corners=False)[0].T


def _stack(frames: list[Layers], place: int) -> Float[Tensor, "frames channels height width"]:
    return torch.stack([layers[place] for layers in frames])


def _part(start: int, *sides: Frames) -> tuple[Frames, ...]:
    places = range(start, min(start + _BATCH, len(sides[0])))
    return tuple(side.take(list(places)) for side in sides)
