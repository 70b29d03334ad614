"""Numbers as people read them: no more digits than the scale bears, and a dash for what could not be measured."""

import math
from collections.abc import Iterable

MISSING = "–"
MINUS = "\N{MINUS SIGN}"


def decimals(values: Iterable[float]) -> int:
    """Return how many decimals to print so that values of this size show three or four significant digits."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return 3 if largest < 5 else 2 if largest < 100 else 1


def number(value: float, places: int) -> str:
    """Return the value with a fixed number of decimals and a true minus sign; NaN becomes a dash."""
    if not math.isfinite(value):
        return MISSING
    text = f"{value:.{places}f}"
    return text.replace("-", MINUS) if float(text) else text.lstrip("-")


def signed(value: float, places: int) -> str:
    """Return the value with its sign always shown, for differences."""
    text = number(value, places)
    return f"+{text}" if math.isfinite(value) and value > 0 else text


def interval(low: float, high: float, places: int) -> str:
    """Return "low to high", or a dash where there is no interval."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return MISSING
    return f"{number(low, places)} to {number(high, places)}"


def probability(p: float) -> str:
    """Return a p value, or a dash where there was no test; small ones as a bound."""
    if not math.isfinite(p):
        return MISSING
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def share(part: float) -> str:
    """Return a share as per cent, or a dash where it is not known."""
    return f"{part:.0%}" if math.isfinite(part) else MISSING


def duration(seconds: float) -> str:
    """Return a time span in the units that matter, such as "2 min 5 s", "0.8 s" or "3 ms"."""
    if not math.isfinite(seconds):
        return MISSING
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.001 else "under 1 ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def speed(per_second: float) -> str:
    """Return a number of frames a second."""
    return f"{per_second:,.{1 if per_second < 100 else 0}f}"


def plural(count: int, noun: str, many: str | None = None) -> str:
    """Return the count with its noun, such as "1 clip" or "1,200 frames"."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def listing(words: Iterable[str], last: str = "and") -> str:
    """Return the words as an English list: "a", "a and b", "a, b and c"."""
    words = list(words)
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
