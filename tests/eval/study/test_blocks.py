"""Blocks: everything equally often, nobody twice by one system."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from eval.study.blocks import Block, blocks, forms_for_all
from weights.errors import HeadshotError

SIZES = [(8, 3, 7, 56), (8, 3, 7, 40), (2, 3, 3, 6), (10, 6, 50, 48), (3, 1, 5, 7), (12, 2, 5, 33), (1, 1, 4, 3)]


def made(systems: int, shots: int, people: int, forms: int, trials: int, seed: int = 0) -> tuple[Block, ...]:
    return blocks(
        [f"s{n}" for n in range(systems)],
        [2**n for n in range(shots)],
        [f"p{n}" for n in range(people)],
        forms=forms,
        trials=trials,
        rng=np.random.default_rng(seed),
    )


def spread(counts: Counter[object], of: int) -> int:
    """Difference between the largest and the smallest of so many counts, absent ones being 0."""
    return max(counts.values()) - (min(counts.values()) if len(counts) == of else 0)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("forms", [1, 5, 24])
def test_every_cell_is_shown_equally_often_over_all_forms(size: tuple[int, int, int, int], forms: int) -> None:
    systems, shots, people, trials = size
    shown = Counter(cell for block in made(systems, shots, people, forms, trials) for cell in block)
    assert sum(shown.values()) == forms * trials
    assert spread(shown, systems * shots * people) <= 1


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_form_shows_nobody_twice_by_one_system_and_all_conditions_alike(size: tuple[int, int, int, int]) -> None:
    systems, shots, people, trials = size
    for block in made(systems, shots, people, 24, trials):
        assert max(Counter((cell.system, cell.identity) for cell in block).values()) == 1
        assert spread(Counter(cell.system for cell in block), systems) <= 1
        assert spread(Counter((cell.system, cell.shots) for cell in block), systems * shots) <= 2
        assert spread(Counter(cell.identity for cell in block), people) <= 2


def test_full_rounds_make_a_balanced_design() -> None:
    """Where forms make whole circles, each number of shots meets each person and each system equally often."""
    design = made(4, 3, 6, 3, 24)
    cells = [cell for block in design for cell in block]
    assert set(Counter(cells).values()) == {1}
    for one, other in combinations(range(3), 2):
        assert set(Counter((cell[one], cell[other]) for cell in cells).values()) == {
            len(cells) // (len({cell[one] for cell in cells}) * len({cell[other] for cell in cells}))
        }


def test_the_fewest_forms_leave_no_cell_out() -> None:
    forms = forms_for_all(8, 3, 7, 40)
    assert forms == 5
    assert len({cell for block in made(8, 3, 7, forms, 40) for cell in block}) == 168
    assert len({cell for block in made(8, 3, 7, forms - 1, 40) for cell in block}) < 168


def test_another_seed_gives_other_forms() -> None:
    assert made(8, 3, 7, 2, 40, seed=1) == made(8, 3, 7, 2, 40, seed=1)
    assert made(8, 3, 7, 2, 40, seed=1) != made(8, 3, 7, 2, 40, seed=2)


@pytest.mark.parametrize(("trials", "forms"), [(57, 1), (0, 1), (8, 0)])
def test_a_form_that_cannot_be_filled_is_refused(trials: int, forms: int) -> None:
    with pytest.raises(HeadshotError, match="between 1 and 56 trials"):
        made(8, 3, 7, forms, trials)
