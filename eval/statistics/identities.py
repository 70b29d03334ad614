"""Who is hard: what every person got from every system, and where each stands among the people."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata

from eval.statistics.panel import Panel
from eval.tasks.motion import Stratum


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityTable:
    """One metric at one number of shots, person by person."""

    metric: str
    shots: int
    systems: tuple[str, ...]
    identities: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    """A row for each identity, a value for each system; NaN where it could not be measured."""
    mean: tuple[float, ...]
    """Of each identity over the systems that have a value."""
    hardness: tuple[float, ...]
    """Of each identity, from 0 to 1: see `hardness`."""
    stratum: Stratum | None = None


def identity_tables(found: Sequence[Panel], shots: int) -> tuple[IdentityTable, ...]:
    """Return a table for each metric that was measured at a number of shots.

    Set-level metrics are left out: a person has no value of their own in them.

    Args:
        found: The panels of a run.
        shots: The number of shots.
    """
    return tuple(
        table
        for panel in found
        if not panel.over_sets and shots in panel.shots
        if (table := _table(panel, panel.shots.index(shots))).systems
    )


def hardness(
    values: Float[np.ndarray, "identities systems"], *, higher_is_better: bool
) -> Float[np.ndarray, " identities"]:
    """Return the share of the other people that are easier, averaged over systems; draws count by half.

    1: the worst result of every system is on this person; 0: the best. Within each system only the order counts, so a
    metric's scale does not matter, nor that a system was not measured on everybody.

    Args:
        values: NaN where it could not be measured.
        higher_is_better: Of the metric.

    Returns:
        NaN for a person without a value, and where there is nobody else.
    """
    known = ~np.isnan(values)
    others = known.sum(axis=0) - 1
    ranks = rankdata(-values if higher_is_better else values, axis=0, nan_policy="omit")
    counted = known & (others > 0)
    share = np.divide(ranks - 1, others, out=np.zeros(values.shape), where=counted)
    total, systems = share.sum(axis=1), counted.sum(axis=1)
    return np.asarray(np.divide(total, systems, out=np.full(len(values), np.nan), where=systems > 0))


def hardest_first(tables: Sequence[IdentityTable]) -> tuple[str, ...]:
    """Return all identities by the mean of their hardness over the metrics, the hardest first; unknown ones last."""
    found: dict[str, list[float]] = {}
    for table in tables:
        for identity, share in zip(table.identities, table.hardness, strict=True):
            found.setdefault(identity, []).extend([] if np.isnan(share) else [share])
    return tuple(sorted(found, key=lambda name: (-float(np.mean(found[name])) if found[name] else 1.0, name)))


def _table(panel: Panel, shots: int) -> IdentityTable:
    systems = np.flatnonzero(panel.present[:, shots])
    people = [place for place, name in enumerate(panel.identities) if name]  # values over sets are of nobody
    values = panel.per_identity[systems, shots][:, people].T  # (identities, systems)
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    mean = np.divide(np.nansum(values, axis=1), count, out=np.full(len(values), np.nan), where=count > 0)
    return IdentityTable(
        metric=panel.spec.id,
        shots=panel.shots[shots],
        systems=tuple(panel.systems[place] for place in systems),
        identities=tuple(panel.identities[place] for place in people),
        values=tuple(tuple(map(float, row)) for row in values),
        mean=tuple(map(float, mean)),
        hardness=tuple(map(float, hardness(values, higher_is_better=panel.spec.higher_is_better))),
        stratum=panel.stratum,
    )
