"""Bars on round numbers that count every value once."""

import re

import numpy as np
import pytest

from reports.charts.axis import FINE, nice_step
from reports.charts.histogram import HEIGHT, WIDTH, Histogram, histogram, share


def draw(values: list[float] | np.ndarray, **options: str) -> Histogram:
    drawn = histogram(np.asarray(values, float), "Title", "what it is", **options)
    assert drawn is not None
    return drawn


def counts(drawn: Histogram) -> dict[str, int]:
    found = (bar.text.rsplit(": ", 1) for bar in drawn.bars)
    return {span: int(re.sub(r"\D", "", count)) for span, count in found if not count.startswith("0 ")}


def test_bars_stand_where_the_values_are() -> None:
    drawn = draw([1, 1, 1.4, 7, 20], unit=" px")
    assert counts(drawn) == {"1 to 2 px": 3, "7 to 8 px": 1, "19 to 20 px": 1}
    tallest = max(drawn.bars, key=lambda bar: bar.height)
    assert tallest.text == "1 to 2 px: 3 clips"


@pytest.mark.parametrize("seed", range(5))
def test_every_finite_value_is_counted_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(rng.uniform(-50, 50), 10 ** rng.uniform(-2, 3), 500)
    values[::50] = np.nan
    drawn = draw(values)
    assert sum(counts(drawn).values()) == 490
    assert all(0 <= bar.x <= WIDTH and 0 <= bar.y <= HEIGHT and bar.height >= 0 for bar in drawn.bars)
    assert len(drawn.bars) <= 40


def test_a_long_tail_is_gathered_in_the_last_bar() -> None:
    drawn = draw(np.concatenate([np.linspace(0, 10, 1000), [1e6]]))
    assert len(drawn.bars) < 40
    assert drawn.bars[-1].text.startswith("10.0 or more: ") or "or more" in drawn.bars[-1].text
    assert sum(counts(drawn).values()) == 1001


def test_values_that_are_all_alike_make_one_bar() -> None:
    assert list(counts(draw([3.0] * 7)).values()) == [7]
    assert list(counts(draw([0.0] * 7)).values()) == [7]
    assert "median 3" in draw([3.0] * 7).summary


def test_negative_values_keep_their_sign() -> None:
    assert counts(draw([-20, -1, 0, 1, 20], unit="°"))["\N{MINUS SIGN}20 to \N{MINUS SIGN}18°"] == 1


def test_nothing_to_count_is_no_drawing() -> None:
    assert histogram(np.array([np.nan]), "Title", "nothing") is None
    assert histogram(np.array([]), "Title", "nothing") is None


@pytest.mark.parametrize(
    ("span", "parts", "step"), [(10, 10, 1), (11, 10, 2), (0.21, 10, 0.025), (470, 10, 50), (0, 5, 1)]
)
def test_steps_are_round(span: float, parts: int, step: float) -> None:
    assert nice_step(span, parts, FINE) == pytest.approx(step)


def test_shares_are_of_the_largest() -> None:
    assert share([1, 4, 2]) == (25, 100, 50)
    assert share([0, 0]) == (0, 0)
    assert share([]) == ()
