"""What the training engine needs of anything it trains, and what the learned baselines share of it."""

import copy
from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

from model.baseline_presets import BaselineTraining
from model.batches import Batch
from model.checkpoint import Parts
from model.engine import average_into, update

P = TypeVar("P", bound=Parts)


class Learner(Protocol):
    """Networks that learn from one batch after another, and can stop and go on between any two of them."""

    device: torch.device

    @property
    def networks(self) -> Parts:
        """Return the networks that are being trained."""

    def step(self, number: int, batch: Batch) -> dict[str, float]:
        """Learn from a batch, as a pure function of the state, and return the value of each term."""

    def tensors(self) -> dict[str, Tensor]:
        """Return everything a resumed run needs."""

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what `tensors` returned."""

    def preview(self, batch: Batch) -> Tensor:
        """Return the frames that the averaged networks make for a batch, in [-1, 1]; nothing is learned from it."""

    def result(self) -> Parts:
        """Return the networks as the checkpoint shall keep them."""


class Learning(Generic[P]):
    """Networks, their running averages and their optimisers.

    Args:
        networks: To be trained, on their device.
        optimisers: By phase.
        schedule: Warm-up, clipping and decay.
    """

    def __init__(
        self, networks: P, optimisers: Mapping[str, torch.optim.Optimizer], schedule: BaselineTraining
    ) -> None:
        self.networks, self.optimisers, self.schedule = networks, optimisers, schedule
        self.averaged = copy.deepcopy(networks)

    def warm_up(self, number: int) -> None:
        """Set the rates of step `number`, which rise linearly in the beginning."""
        rate = self.schedule.rate * min(1.0, (number + 1) / self.schedule.warmup_steps)
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = rate

    def update(self, phase: str, number: int, loss: Tensor) -> None:
        """Take one optimiser step of a phase.

        Raises:
            HeadshotError: The loss is not finite.
        """
        where = f"training, phase {phase}, step {number}"
        update(self.optimisers[phase], loss, gradient_clip=self.schedule.gradient_clip, where=where)

    def average(self, number: int) -> None:
        """Move the averages of every network towards its weights."""
        decay = min(self.schedule.ema_decay, (number + 1) / (number + 10))
        for part, module in self.networks.parts.items():
            average_into(self.averaged.parts[part].parameters(), module.parameters(), decay)

    def tensors(self) -> dict[str, Tensor]:
        """Return networks, averages and the moments of the optimisers."""
        state = {f"networks.{name}": tensor for name, tensor in self.networks.tensors().items()}
        state |= {f"averaged.{name}": tensor for name, tensor in self.averaged.tensors().items()}
        for phase, optimiser in self.optimisers.items():
            for index, moments in optimiser.state_dict()["state"].items():
                state |= {f"optimiser.{phase}.{index}.{key}": t.cpu().contiguous() for key, t in moments.items()}
        return state

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Continue from what `tensors` returned."""
        self.networks.load(_below("networks.", state))
        self.averaged.load(_below("averaged.", state))
        for phase, optimiser in self.optimisers.items():
            moments: dict[int, dict[str, Tensor]] = {}
            for key, tensor in _below(f"optimiser.{phase}.", state).items():
                index, field = key.split(".", 1)
                moments.setdefault(int(index), {})[field] = tensor
            optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})


def seeded(make: Callable[[], P], seed: int, device: torch.device) -> P:
    """Return networks whose first weights depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks = make()
    networks.to(device)
    return networks


def _below(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
