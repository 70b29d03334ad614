"""What both learning phases share: device, precision, views for the content loss, optimiser updates."""

from collections.abc import Iterable
from contextlib import AbstractContextManager

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from weights.errors import HeadshotError


def choose_device(name: str) -> torch.device:
    """Return the device for `auto`, `cpu` or `cuda`.

    Raises:
        HeadshotError: CUDA was asked for and there is none, or the name is unknown.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise HeadshotError("--device cuda: torch finds no CUDA device here; use --device cpu or auto")
    if name not in ("cpu", "cuda"):
        raise HeadshotError(f"--device {name}: choose auto, cpu or cuda")
    return torch.device(name)


def mixed_precision(device: torch.device) -> AbstractContextManager[object]:
    """Return bfloat16 autocast where the hardware is faster at it than at float32, else an idle context."""
    if device.type == "cuda":
        return torch.autocast("cuda", torch.bfloat16, enabled=torch.cuda.is_bf16_supported())
    # On CPUs without the AVX512-BF16 instructions torch emulates bfloat16, at a fraction of float32's speed.
    return torch.autocast("cpu", torch.bfloat16, enabled=torch.cpu._is_avx512_bf16_supported())


def content_view(
    generated: Float[Tensor, "batch 3 size size"],
    target: Float[Tensor, "batch 3 size size"],
    step: int,
    rng: np.random.Generator,
) -> tuple[Float[Tensor, "batch 3 half half"], Float[Tensor, "batch 3 half half"]]:
    """Return what the content network looks at: in turn the whole frames at half size, and a window at full size.

    A quarter of the arithmetic of the full frames, while both the layout and the finest detail are seen.
    Windows stay an eighth of the size away from the border.
    """
    if step % 2 == 0:
        return F.avg_pool2d(generated, 2), F.avg_pool2d(target, 2)
    size = target.shape[-1]
    window, margin = size // 2, size // 8
    top, left = rng.integers(margin, size - window - margin + 1, size=2)
    region = (..., slice(top, top + window), slice(left, left + window))
    return generated[region], target[region]


def update(optimiser: torch.optim.Optimizer, loss: Float[Tensor, ""], *, gradient_clip: float, where: str) -> None:
    """Take one optimiser step on `loss`; a `gradient_clip` of 0 leaves gradients alone.

    Raises:
        HeadshotError: The loss is not finite; `where` names the phase and step.
    """
    if not torch.isfinite(loss):
        raise HeadshotError(
            f"{where}: the loss is {loss.item()}; training has diverged. The last checkpoint is kept; "
            "start again with another --seed, or lower the rates of the preset"
        )
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    if gradient_clip:
        nn.utils.clip_grad_norm_(parameters, gradient_clip)
    optimiser.step()


@torch.no_grad()
def average_into(averaged: Iterable[Tensor], current: Iterable[Tensor], decay: float) -> None:
    """Move the running averages towards the current values: average = decay * average + (1 - decay) * current."""
    for mean, value in zip(averaged, current, strict=True):
        mean.lerp_(value.detach(), 1 - decay)
