"""What both learning phases share: device, precision, layout, views for the content loss, optimiser updates."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrize

from model.batches import WHOLE, Part
from model.processes import average
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


def precision(device: torch.device) -> torch.dtype:
    """Return bfloat16 where the hardware is faster at it than at float32, else float32."""
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        # On CPUs without the AVX512-BF16 instructions torch emulates bfloat16, at a fraction of float32's speed.
        fast = torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if fast else torch.float32


def mixed_precision(device: torch.device) -> AbstractContextManager[object]:
    """Return autocast to bfloat16 where `precision` says so, else an idle context."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision(device) is torch.bfloat16)


CHANNELS_LAST = frozenset({"embedder", "discriminator", "content"})
"""Networks that are faster with the channels of a pixel side by side: these by a tenth to a half, on a CPU in bfloat16.
The generator takes half as long again, because its instance norms need each channel in one piece. `python -m
benchmarks.training` measures each network both ways."""


def lay_out(modules: Mapping[str, nn.Module]) -> None:
    """Put the weights of each network, given by name, into the memory layout that it is faster with.

    Convolutions follow their weights. Numbers stay the same for the same layout, so runs still repeat to the bit.
    """
    for name, module in modules.items():
        if name in CHANNELS_LAST:
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def lay_out_like_parameters(optimiser: torch.optim.Optimizer) -> None:
    """Give moments that were loaded from a file the memory layout of their parameters, as they had it before."""
    for parameter, state in optimiser.state.items():
        for name, value in state.items():
            if value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter).copy_(value)


def content_view(
    generated: Float[Tensor, "batch 3 size size"],
    target: Float[Tensor, "batch 3 size size"],
    step: int,
    rng: np.random.Generator,
    *,
    windows: bool,
) -> tuple[Float[Tensor, "batch 3 side side"], Float[Tensor, "batch 3 side side"]]:
    """Return what the content network looks at: the frames as they are, or, with `windows`, half of each side.

    That is in turn the whole frames at half size and a window at full size: a quarter of the arithmetic, while both
    the layout and the finest detail are seen. Windows stay an eighth of the size away from the border.
    """
    if not windows:
        return generated, target
    if step % 2 == 0:
        return F.avg_pool2d(generated, 2), F.avg_pool2d(target, 2)
    size = target.shape[-1]
    window, margin = size // 2, size // 8
    top, left = rng.integers(margin, size - window - margin + 1, size=2)
    region = (..., slice(top, top + window), slice(left, left + window))
    return generated[region], target[region]


def update(
    optimiser: torch.optim.Optimizer,
    loss: Float[Tensor, ""],
    *,
    gradient_clip: float,
    where: str,
    part: Part = WHOLE,
) -> None:
    """Take one optimiser step on `loss`, which is the mean over the batch, or over a part of it.

    Gradients of parts add up to that of their mean, and the step is taken after the last one. Where several processes
    train together, each has its own share of the batch, and they step on the mean of their gradients. A
    `gradient_clip` of 0 leaves gradients alone.

    Raises:
        HeadshotError: The loss is not finite, in this process or another; `where` names the phase and step.
    """
    mean = loss.detach().clone()
    average([mean])
    if not torch.isfinite(mean):
        raise HeadshotError(
            f"{where}: the loss is {mean.item()}; training has diverged. The last checkpoint is kept; "
            "start again with another --seed, or lower the rates of the preset"
        )
    if part.number == 0:
        optimiser.zero_grad(set_to_none=True)
    (loss / part.of).backward()  # type: ignore[no-untyped-call]
    if part.number + 1 < part.of:
        return
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    average([p.grad for p in parameters if p.grad is not None])
    if gradient_clip:
        nn.utils.clip_grad_norm_(parameters, gradient_clip)
    optimiser.step()


@torch.no_grad()
def average_into(averaged: Iterable[Tensor], current: Iterable[Tensor], decay: float) -> None:
    """Move the running averages towards the current values: average = decay * average + (1 - decay) * current."""
    for mean, value in zip(averaged, current, strict=True):
        mean.lerp_(value.detach(), 1 - decay)


POWER_ITERATIONS = 100


@torch.no_grad()
def settle_spectral_norms(network: nn.Module) -> None:
    """Find the spectral norms of weights that were averaged, so that the layers have a norm of one.

    Every training pass takes one power iteration, so that estimates follow weights which change little by little.
    Averages are never passed through, and the estimates of other weights make layers larger than they should be.
    Starts from the estimates that are there; layers without spectral norm stay as they are.
    """
    for layer in network.modules():
        if parametrize.is_parametrized(layer, "weight"):
            mode = layer.training
            layer.train()
            for _ in range(POWER_ITERATIONS):
                _ = layer.weight  # taking it is what iterates
            layer.train(mode)
