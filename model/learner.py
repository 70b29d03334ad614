"""What the training engine trains: networks with their optimisers and running averages."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from model.batches import WHOLE, Batch, Part
from model.checkpoint import Parts
from model.content import ContentLoss
from model.engine import average_into, lay_out, lay_out_like_parameters, settle_spectral_norms, update
from model.schedule import Schedule

P = TypeVar("P", bound=Parts)
P_co = TypeVar("P_co", bound=Parts, covariant=True)


class GeneratorPhase(Protocol):
    """Makes frames of a part of a batch and learns from them."""

    def __call__(
        self, number: int, batch: Batch, *, adversarial: bool, part: Part
    ) -> tuple[Float[Tensor, "batch 3 size size"], dict[str, float]]:
        """Return the frames in [-1, 1], without gradient, and the value of each term."""


JudgePhase = Callable[[int, Batch, Tensor, Part], dict[str, float]]
"""Step, a part of a batch, frames made of it, and which part it is, to the value of each term."""


class Learner(ABC, Generic[P_co]):
    """Networks that learn from one batch after another, and can stop and go on between any two of them.

    Args:
        networks: To be trained, on `device`.
        optimisers: By phase, each at its full rates.
        content: The frozen content loss.
        schedule: Warm-up, clipping and decay.
        stage: What a message about a loss calls this training.
        averaged: The networks of which a checkpoint keeps the running average; the others it keeps as they are.
        device: Where everything lives.
        seed: Of the content windows.
        accumulate: Number of parts that go through the networks one after the other for one update, to save memory.
    """

    def __init__(
        self,
        networks: P_co,
        optimisers: Mapping[str, torch.optim.Optimizer],
        content: ContentLoss,
        schedule: Schedule,
        *,
        stage: str,
        averaged: Sequence[str],
        device: torch.device,
        seed: int,
        accumulate: int,
    ) -> None:
        self.networks, self.optimisers, self.content = networks, optimisers, content.to(device)
        self.schedule, self.stage, self.names = schedule, stage, tuple(averaged)
        self.device, self.seed, self.accumulate = device, seed, accumulate
        lay_out(networks.parts | {"content": self.content})
        self.averaged = _copied(networks, self.names)
        self.full_rates = {
            phase: [group["lr"] for group in optimiser.param_groups] for phase, optimiser in optimisers.items()
        }

    @abstractmethod
    def step(self, number: int, batch: Batch) -> dict[str, float]:
        """Run the phases of step `number` on a batch, a pure function of the state; return each term's value."""

    @abstractmethod
    def preview(self, batch: Batch) -> Float[Tensor, "batch 3 size size"]:
        """Return the frames that the averaged networks make for a batch, in [-1, 1]; nothing is learned from it."""

    def alternate(
        self, number: int, batch: Batch, generate: GeneratorPhase, judge: JudgePhase, judgements: int = 1
    ) -> dict[str, float]:
        """Run two phases in turn, the second once the discriminator plays, and return the value of each term.

        Args:
            number: Of the step.
            batch: Its episodes.
            generate: Makes frames and learns from them.
            judge: Learns to tell these frames from real ones.
            judgements: How often, on the same frames.
        """
        parts = self.split(batch)
        self.warm_up(number)
        playing = number >= self.schedule.adversarial_from * self.schedule.steps
        made = [generate(number, piece, adversarial=playing, part=part) for part, piece in parts]
        values = mean_over([terms for _, terms in made])
        for _ in range(judgements if playing else 0):
            seen = zip(parts, made, strict=True)
            values |= mean_over([judge(number, piece, frames, part) for (part, piece), (frames, _) in seen])
        self.average(number)
        return values

    def split(self, batch: Batch) -> list[tuple[Part, Batch]]:
        """Return the parts of a batch that go through the networks at a time."""
        return [(Part(number, self.accumulate), piece) for number, piece in enumerate(batch.split(self.accumulate))]

    def warm_up(self, number: int) -> None:
        """Set the rates of step `number`, which rise linearly in the beginning."""
        share = min(1.0, (number + 1) / self.schedule.warmup_steps)
        for phase, optimiser in self.optimisers.items():
            for group, rate in zip(optimiser.param_groups, self.full_rates[phase], strict=True):
                group["lr"] = rate * share

    def update(self, phase: str, number: int, loss: Tensor, part: Part = WHOLE) -> None:
        """Take one optimiser step of a phase, after the last part of a batch.

        Raises:
            HeadshotError: The loss is not finite.
        """
        where = f"{self.stage}, phase {phase}, step {number}"
        update(self.optimisers[phase], loss, gradient_clip=self.schedule.gradient_clip, where=where, part=part)

    def average(self, number: int) -> None:
        """Move the averages towards the weights."""
        decay = min(self.schedule.ema_decay, (number + 1) / (number + 10))
        for name in self.names:
            average_into(self.averaged.parts[name].parameters(), self.networks.parts[name].parameters(), decay)

    def averages(self) -> P_co:
        """Return a copy of the averages, with spectral norms of their own; the other networks are those in training."""
        kept = _copied(self.averaged, self.names)
        for name in self.names:
            settle_spectral_norms(kept.parts[name])
        return kept

    def result(self) -> P_co:
        """Return what a checkpoint keeps: the averages, and the other networks as they are, all of them copies."""
        return copy.deepcopy(self.averages())

    def tensors(self) -> dict[str, Tensor]:
        """Return networks, averages and the moments of the optimisers."""
        state = {f"networks.{name}": tensor for name, tensor in self.networks.tensors().items()}
        averages = self.averaged.tensors().items()
        state |= {f"averaged.{name}": tensor for name, tensor in averages if name.split(".", 1)[0] in self.names}
        for phase, optimiser in self.optimisers.items():
            for index, moments in optimiser.state_dict()["state"].items():
                state |= {f"optimiser.{phase}.{index}.{key}": t.cpu().contiguous() for key, t in moments.items()}
        return state

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Continue from what `tensors` returned."""
        self.networks.load(_below("networks.", state))
        self.averaged.load(_below("networks.", state) | _below("averaged.", state))
        for phase, optimiser in self.optimisers.items():
            moments: dict[int, dict[str, Tensor]] = {}
            for key, tensor in _below(f"optimiser.{phase}.", state).items():
                index, field = key.split(".", 1)
                moments.setdefault(int(index), {})[field] = tensor
            optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
            lay_out_like_parameters(optimiser)


def _copied(networks: P, names: Sequence[str]) -> P:
    """Return the networks with copies of those that are named; the others are the same objects."""
    others = {id(module): module for name, module in networks.parts.items() if name not in names}
    return copy.deepcopy(networks, others)


def mean_over(parts: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each term over the parts of a batch."""
    return {name: sum(part[name] for part in parts) / len(parts) for name in parts[0]}


def seeded(make: Callable[[], P_co], seed: int, device: torch.device) -> P_co:
    """Return networks whose first weights depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks = make()
    networks.to(device)
    return networks


def _below(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
