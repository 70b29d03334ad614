"""When to stop: where the loss on frames that were kept out of training is lowest."""

from typing import Protocol, TypeVar

import numpy as np
from jaxtyping import Int

FEWEST_SHOTS = 3
"""From here on a frame can be kept out of training."""
HELD_OUT_SHARE = 0.2
MOST_HELD_OUT = 4
"""A look at more frames would cost as much as an iteration."""

State = TypeVar("State")


class Learner(Protocol[State]):
    """Something that is trained step by step and can go back."""

    def train(self, iterations: int) -> None:
        """Make some updates."""

    def loss(self) -> float:
        """Return the loss on what is kept out of training."""

    def snapshot(self) -> State:
        """Return a copy of the state."""

    def restore(self, state: State) -> None:
        """Go back to a state."""


def hold_out(shots: int, rng: np.random.Generator) -> tuple[Int[np.ndarray, " learned"], Int[np.ndarray, " held_out"]]:
    """Return which of `shots` frames to learn from, and which to keep out: a fifth, one to four."""
    order, kept_out = rng.permutation(shots), min(max(1, round(HELD_OUT_SHARE * shots)), MOST_HELD_OUT)
    return np.sort(order[kept_out:]), np.sort(order[:kept_out])


def train_until_worse(learner: Learner[State], *, most: int, check_every: int, patience: int) -> int:
    """Train, go back to where the loss was lowest, and return the number of iterations up to there.

    Args:
        learner: What to train; it ends in its best state.
        most: Iterations at which training ends in any case.
        check_every: Iterations between two looks at the loss.
        patience: Looks without a lower loss after which training ends.
    """
    done = chosen = 0
    lowest, best = learner.loss(), learner.snapshot()
    while done < most and done - chosen < patience * check_every:
        count = min(check_every, most - done)
        learner.train(count)
        done += count
        loss = learner.loss()
        if loss < lowest:
            lowest, best, chosen = loss, learner.snapshot(), done
    learner.restore(best)
    return chosen
