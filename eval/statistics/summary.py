"""From score rows to numbers with intervals: people are the unit, failures count, comparisons are paired."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from eval.specs.spec import MetricSpec
from eval.statistics.cells import Cell, cells_of
from eval.statistics.comparisons import every_gain, every_pair
from eval.statistics.difference import Difference, limits
from eval.statistics.panel import Panel, panels
from eval.statistics.ranks import Ranking, rankings
from eval.tasks.motion import Stratum


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Everything that is derived from the score rows of a run, over all frames or those of a stratum."""

    stratum: Stratum | None
    panels: tuple[Panel, ...]
    """What everything else is derived from: each person's values."""
    cells: tuple[Cell, ...]
    pairs: tuple[Difference, ...]
    """All systems against each other at each number of shots."""
    gains: tuple[Difference, ...]
    """Each system at more shots against itself at the fewest."""
    rankings: tuple[Ranking, ...]
    limits: str
    """What so few people cannot show; empty where nothing is out of reach."""


def statistics(scores: pa.Table, specs: Sequence[MetricSpec], stratum: Stratum | None = None) -> Statistics:
    """Return cells, comparisons and ranks of a run.

    Args:
        scores: Rows to `eval.runs.results.SCORE_SCHEMA`.
        specs: The metrics; rows of others are left out.
        stratum: Over its frames alone.
    """
    found = panels(scores, specs, stratum)
    pairs = every_pair(found)
    return Statistics(
        stratum=stratum,
        panels=found,
        cells=cells_of(found),
        pairs=pairs,
        gains=every_gain(found),
        rankings=rankings(found, pairs),
        limits=limits(pairs),
    )
