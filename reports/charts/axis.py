"""Axes: from values to places in a drawing, with round numbers to read them by."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reports.numbers import number

COARSE = (1.0, 2.0, 5.0, 10.0)
FINE = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The inner rectangle of a drawing."""

    left: float
    right: float
    top: float
    bottom: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A stretch of values laid along a stretch of the drawing; `start` may lie to the right of `end`, or below it."""

    low: float
    high: float
    start: float
    """Where `low` is."""
    end: float
    """Where `high` is."""
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """Return where a value is; one beyond an end is at that end."""
        low, high, value = (math.log10(each) if self.logarithmic else each for each in (self.low, self.high, value))
        share = (value - low) / (high - low)
        return round(self.start + (self.end - self.start) * min(max(share, 0.0), 1.0), 1)


def nice_step(span: float, parts: int, factors: Sequence[float] = COARSE) -> float:
    """Return one of some factors times a power of ten that divides the span into about so many parts."""
    rough = span / parts if span > 0 else 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in factors if factor * power >= rough * 0.999)


def step_places(step: float) -> int:
    """Return how many decimals tell multiples of 1, 2 or 5 times a power of ten apart."""
    return max(0, -math.floor(math.log10(step) + 1e-9))


def linear_ticks(axis: Axis, parts: int, *, sign: bool = False) -> tuple[Tick, ...]:
    """Return the round numbers within an axis.

    Args:
        axis: Which.
        parts: Into how many parts they divide it, about.
        sign: Whether numbers above zero carry a plus.
    """
    step = nice_step(axis.high - axis.low, parts)
    places = step_places(step)
    counts = range(math.ceil(axis.low / step - 1e-9), math.floor(axis.high / step + 1e-9) + 1)
    return tuple(
        Tick(at=axis.at(count * step), label=("+" if sign and count > 0 else "") + number(count * step, places))
        for count in counts
    )


def around(values: Iterable[float], *, share: float = 0.06) -> tuple[float, float]:
    """Return the ends of an axis that holds all values, with some room at both ends."""
    known = [value for value in values if math.isfinite(value)]
    low, high = min(known), max(known)
    room = share * (high - low) or 0.1 * abs(high) or 1e-3
    return low - room, high + room
