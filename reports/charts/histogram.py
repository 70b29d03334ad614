"""Distributions as bars: the geometry, which a template draws as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from reports.charts.axis import FINE, nice_step
from reports.numbers import number

WIDTH, HEIGHT = 320, 150
LEFT, RIGHT, TOP, BOTTOM = 8.0, 8.0, 16.0, 26.0
AIMED_BARS = 22
AIMED_TICKS = 5
FEWEST_BARS = 6
"""Where all values are alike, they should not fill the drawing."""
TAIL = 0.995
"""Values above this share are gathered in the last bar where they would stretch the axis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar, and what a pointer resting on it reads."""

    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A labelled place on the axis."""

    x: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """One distribution."""

    title: str
    explained: str
    """What is measured, in a few words."""
    summary: str
    """The distribution in words, for those who do not see it."""
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    median_x: float


def histogram(
    values: Float[np.ndarray, " values"], title: str, explained: str, *, unit: str = "", what: str = "clips"
) -> Histogram | None:
    """Return the distribution of finite values, None where there is none.

    Args:
        values: NaN where it was not measurable.
        title: Of the drawing.
        explained: What is measured.
        unit: Of the values, such as "px"; with a space before it where there should be one.
        what: What is counted, in the plural.
    """
    known = np.asarray(values, np.float64)[np.isfinite(values)]
    if not len(known):
        return None
    low, high = float(known.min()), float(known.max())
    body = float(np.quantile(known, TAIL))
    cut = high - low > 1.5 * (body - low) and body > low
    step = nice_step((body if cut else high) - low, AIMED_BARS, FINE)
    first = math.floor(low / step + 1e-9)
    last = max(first + FEWEST_BARS, math.ceil((body if cut else high) / step - 1e-9))
    counts = _counts(known, first, last, step)
    scale = _Scale(low=first * step, high=last * step, peak=int(counts.max()))
    places = _places(step)
    bars = tuple(
        Bar(
            x=scale.x((first + index) * step),
            y=scale.y(count),
            width=round(max(scale.x((first + index + 1) * step) - scale.x((first + index) * step) - 1, 0.5), 1),
            height=round(scale.y(0) - scale.y(count), 1),
            text=_bar_text(first + index, step, places, unit, int(count), what, last=cut and index == len(counts) - 1),
        )
        for index, count in enumerate(counts)
    )
    median, (p5, p95) = float(np.median(known)), np.quantile(known, [0.05, 0.95])
    shown = math.ceil(-math.log10(step)) if step < 1 else int(step < 5)
    return Histogram(
        title=title,
        explained=explained,
        summary=f"median {number(median, shown)}{unit}; nine in ten between {number(float(p5), shown)} and "
        f"{number(float(p95), shown)}{unit}",
        bars=bars,
        marks=_marks(scale, unit),
        median_x=scale.x(min(median, scale.high)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """From values and counts to the drawing's coordinates."""

    low: float
    high: float
    peak: int

    def x(self, value: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (value - self.low) / (self.high - self.low), 1)

    def y(self, count: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * count / self.peak, 1)


def _counts(known: Float[np.ndarray, " values"], first: int, last: int, step: float) -> np.ndarray:
    """Count values per bar; what lies beyond the last bar belongs to it."""
    places = np.floor(known / step + 1e-9).astype(np.int64) - first
    return np.bincount(np.clip(places, 0, last - first - 1), minlength=last - first)


def _marks(scale: _Scale, unit: str) -> tuple[Mark, ...]:
    step = nice_step(scale.high - scale.low, AIMED_TICKS, FINE)
    places = _places(step)
    at = np.arange(math.ceil(scale.low / step - 1e-9), math.floor(scale.high / step + 1e-9) + 1) * step
    last = len(at) - 1
    return tuple(
        Mark(x=scale.x(float(value)), label=number(float(value), places) + (unit if index == last else ""))
        for index, value in enumerate(at)
    )


def _bar_text(place: int, step: float, places: int, unit: str, count: int, what: str, *, last: bool) -> str:
    low, high = number(place * step, places), number((place + 1) * step, places)
    span = f"{low}{unit} or more" if last else f"{low} to {high}{unit}"
    return f"{span}: {count:,} {what}"


def _places(step: float) -> int:
    """Return how many decimals tell multiples of the step apart."""
    return next((places for places in range(6) if abs(round(step, places) - step) < 1e-9 * max(step, 1)), 6)


def share(values: Sequence[int]) -> tuple[float, ...]:
    """Return values as percentages of the largest, for bars in a table."""
    largest = max(values, default=0)
    return tuple(round(100 * value / largest, 2) if largest else 0.0 for value in values)
