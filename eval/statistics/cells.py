"""The numbers of the main table: a value for each system, number of shots and metric, with its interval."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
from jaxtyping import Float

from eval.specs.spec import MetricSpec
from eval.statistics.intervals import jackknife_interval, mean_interval
from eval.statistics.panel import Panel, alike, panels
from eval.tasks.motion import Stratum

Flag = Literal["", "unreliable", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One number of the main table: a system, a number of shots, a metric."""

    system: str
    shots: int
    metric: str
    value: float
    """Mean over identities, failed frames counted at the metric's worst bound; NaN where there is nothing to
    measure."""
    low: float
    high: float
    """95% interval over identities; NaN below two identities."""
    n_identities: int
    n_frames: int
    """Frames behind the value, failed ones included."""
    n_failed: int
    value_measured_only: float
    """The same over the frames that could be measured."""
    flag: Flag = ""
    stratum: Stratum | None = None
    """Of the frames behind the value; None where it is all of them."""


def summarise(scores: pa.Table, specs: Sequence[MetricSpec], stratum: Stratum | None = None) -> tuple[Cell, ...]:
    """Return one cell for each system, number of shots and metric, in the order of the rows and of `specs`.

    Frames are averaged within a clip (support draws together), clips within an identity, and identities into
    the value. The interval is `intervals.mean_interval` over the identity means; for a set-level metric it
    is the delete-one-identity jackknife.

    Args:
        scores: Rows to `eval.runs.results.SCORE_SCHEMA`.
        specs: The metrics to summarise; rows of others are left out.
        stratum: Over its frames alone; people without any are not among the identities.
    """
    return cells_of(panels(scores, specs, stratum))


def cells_of(found: Sequence[Panel]) -> tuple[Cell, ...]:
    """Return the cells of panels of one table; systems in order of first appearance, shots ascending."""
    by_place: dict[tuple[int, int], list[Cell]] = {}
    for panel in found:
        for place, cell in _cells(panel):
            by_place.setdefault(place, []).append(cell)
    return tuple(cell for place in sorted(by_place) for cell in by_place[place])


def _cells(panel: Panel) -> Iterator[tuple[tuple[int, int], Cell]]:
    low, high = _intervals(panel)
    for place in panel.cells():
        refused, unreliable = panel.refused[place], panel.unreliable[place]
        yield (
            place,
            Cell(
                system=panel.systems[place[0]],
                shots=panel.shots[place[1]],
                metric=panel.spec.id,
                value=float(panel.value[place]),
                low=float(low[place]),
                high=float(high[place]),
                n_identities=int(panel.n_identities[place]),
                n_frames=int(panel.n_frames[place]),
                n_failed=int(panel.n_failed[place]),
                value_measured_only=float(panel.measured_only[place]),
                flag="refused" if refused else "unreliable" if unreliable else "",
                stratum=panel.stratum,
            ),
        )


def _intervals(panel: Panel) -> tuple[Float[np.ndarray, "systems shots"], Float[np.ndarray, "systems shots"]]:
    bounds = np.full((2, panel.value.size), np.nan)
    values = panel.value.ravel()
    for cells, known in alike(panel.per_identity.reshape(panel.value.size, -1)):
        bounds[:, cells] = jackknife_interval(values[cells], known) if panel.over_sets else mean_interval(known)
    low, high = bounds.reshape(2, *panel.value.shape)
    return low, high
