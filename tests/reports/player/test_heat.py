"""The error map's scale: fixed, from dark to light, and the same in the filter and in the legend."""

import numpy as np
import pytest

from reports.player.heat import FULL_LEVELS, STOPS, colours, difference_matrix, legend_stops, transfer_tables


def shown(difference: tuple[float, float, float]) -> np.ndarray:
    """What the two primitives of the filter make of a difference of so many levels, as the SVG standard has them."""
    matrix = np.array(difference_matrix().split(), float).reshape(4, 5)
    mean = np.clip(matrix @ [*(np.array(difference) / 255), 1, 1], 0, 1)[:3]
    tables = [np.array(table.split(), float) for table in transfer_tables()]
    return np.array(
        [np.interp(value, np.linspace(0, 1, STOPS), table) for value, table in zip(mean, tables, strict=True)]
    )


def test_no_difference_is_the_first_colour_and_the_fixed_bound_the_last() -> None:
    assert shown((0, 0, 0)) == pytest.approx(colours()[0], abs=1e-3)
    assert shown((FULL_LEVELS,) * 3) == pytest.approx(colours()[-1], abs=5e-3)
    assert shown((255, 255, 255)) == pytest.approx(colours()[-1], abs=1e-3)


def test_what_counts_is_the_mean_over_the_channels() -> None:
    assert shown((30, 0, 0)) == pytest.approx(shown((10, 10, 10)), abs=1e-3)


def test_a_larger_difference_is_lighter() -> None:
    light = [shown((level,) * 3) @ [0.2126, 0.7152, 0.0722] for level in range(0, FULL_LEVELS + 1, 4)]
    assert (np.diff(light) > 0).all()


def test_the_legend_has_the_colours_of_the_filter() -> None:
    for offset, colour in legend_stops():
        rgb = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
        assert rgb == pytest.approx(shown((float(offset) * FULL_LEVELS,) * 3), abs=5e-3)
