"""The stop rule: it ends where the loss on held-out frames is lowest, and goes back there."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from model.stopping import hold_out, train_until_worse


class Scripted:
    """Trains on nothing; its loss after n iterations is `losses(n)`."""

    def __init__(self, losses: Callable[[int], float]) -> None:
        self.losses, self.done, self.trained = losses, 0, 0

    def train(self, iterations: int) -> None:
        self.done += iterations
        self.trained += iterations

    def loss(self) -> float:
        return self.losses(self.done)

    def snapshot(self) -> int:
        return self.done

    def restore(self, state: int) -> None:
        self.done = state


def run(losses: Callable[[int], float], most: int = 100) -> tuple[int, Scripted]:
    learner = Scripted(losses)
    return train_until_worse(learner, most=most, check_every=5, patience=3), learner


def test_it_goes_back_to_where_the_loss_was_lowest_and_stops_soon_after() -> None:
    chosen, learner = run(lambda n: abs(n - 20))
    assert (chosen, learner.done, learner.trained) == (20, 20, 35)


def test_a_loss_that_falls_is_followed_to_the_cap() -> None:
    chosen, learner = run(lambda n: -n, most=42)
    assert (chosen, learner.done, learner.trained) == (42, 42, 42)


def test_a_loss_that_only_rises_takes_everything_back() -> None:
    chosen, learner = run(lambda n: n)
    assert (chosen, learner.done, learner.trained) == (0, 0, 15)


def test_a_bump_within_the_patience_is_passed() -> None:
    chosen, _ = run(lambda n: -n if n != 10 else 1.0, most=30)
    assert chosen == 30


@pytest.mark.parametrize(("shots", "kept_out"), [(3, 1), (8, 2), (32, 4)])
def test_a_fifth_but_not_many_are_kept_out_and_nothing_is_lost(shots: int, kept_out: int) -> None:
    def drawn(seed: int) -> Sequence[np.ndarray]:
        return hold_out(shots, np.random.default_rng(seed))

    learned, held_out = drawn(0)
    assert len(held_out) == kept_out
    assert sorted([*learned, *held_out]) == list(range(shots))
    assert np.array_equal(drawn(0)[1], held_out)
    assert len({tuple(drawn(seed)[1]) for seed in range(20)}) > 1
