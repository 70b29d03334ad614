"""Who sees what: incomplete blocks in which every system, number of shots and person comes equally often."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from weights.errors import HeadshotError


class Cell(NamedTuple):
    """A system at a number of shots, showing one person."""

    system: str
    shots: int
    identity: str


Block = tuple[Cell, ...]
"""What one rater is to see, in no order yet."""


def blocks(
    systems: Sequence[str],
    shots: Sequence[int],
    identities: Sequence[str],
    *,
    forms: int,
    trials: int,
    rng: np.random.Generator,
) -> tuple[Block, ...]:
    """Return one block of cells for each form.

    All cells stand in a circle in which any stretch is balanced, and forms are stretches that follow each other. So
    over all forms the numbers of times that two cells are shown differ by one at most. Within a form nobody is shown
    twice by one system, the numbers of trials of two systems differ by one at most, and those of two people, or of two
    numbers of shots of one system, by two.

    Args:
        systems: Names.
        shots: Numbers of shots that all systems were run at.
        identities: People under test.
        forms: How many forms.
        trials: Cells of each form; at most systems times identities.
        rng: Who and what takes which place in the circle.

    Raises:
        HeadshotError: A form could only be filled by showing somebody twice by one system, or something is empty.
    """
    most = len(systems) * len(identities)
    if not most or not shots or forms < 1 or not 1 <= trials <= most:
        raise HeadshotError(
            f"{forms} forms of {trials} trials from {len(systems)} systems and {len(identities)} people: nobody is "
            f"shown twice by one system on one form, so give between 1 and {most} trials and at least one form"
        )
    circle = _circle(
        [systems[place] for place in rng.permutation(len(systems))],
        [shots[place] for place in rng.permutation(len(shots))],
        [identities[place] for place in rng.permutation(len(identities))],
    )
    return tuple(
        tuple(circle[place % len(circle)] for place in range(form * trials, (form + 1) * trials))
        for form in range(forms)
    )


def forms_for_all(systems: int, shots: int, identities: int, trials: int) -> int:
    """Return the least number of forms that shows every cell once."""
    return -(-systems * shots * identities // trials)


def _circle(systems: Sequence[str], shots: Sequence[int], identities: Sequence[str]) -> list[Cell]:
    """Return all cells in rounds of every system with every person, the numbers of shots in a Latin square.

    Systems and people both go round and round; each time they would meet again, people are moved on by one, so that a
    round has every pair once. Two cells of one system and person are as far apart as a round is long.
    """
    meet_again = math.lcm(len(systems), len(identities))
    return [
        Cell(
            systems[place % len(systems)],
            shots[(turn + place // len(systems) + place % len(systems)) % len(shots)],
            identities[(place + place // meet_again) % len(identities)],
        )
        for turn in range(len(shots))
        for place in range(len(systems) * len(identities))
    ]
