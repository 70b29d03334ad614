"""Places of systems, how far they may move with other people, and which systems nothing tells apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from eval.statistics.difference import Difference
from eval.statistics.intervals import CONFIDENCE, FEWEST_TO_RESAMPLE, RESAMPLES, resampled_shares
from eval.statistics.panel import Panel
from eval.tasks.motion import Stratum


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """One system's place at one number of shots in one metric."""

    system: str
    value: float
    place: int
    """1 is the best; systems of one value share a place."""
    low: int
    high: int
    """95% interval of the place."""
    first: float
    """Share of resamples of the people in which no system is better; NaN where there are too few to resample."""
    groups: str
    """Letters of the groups the system is in: two systems that share one are not separated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """All systems at one number of shots in one metric, the best first."""

    metric: str
    shots: int
    n_identities: int
    """On whom all of these systems were measured."""
    ranks: tuple[Rank, ...]
    groups: tuple[tuple[str, ...], ...]
    """The largest sets of systems of which no two are separated, the one with the best system first."""
    resampled: bool
    """Whether the intervals are those of a bootstrap. With too few people for one they are what the comparisons leave
    open: behind nobody but those that are better, ahead of nobody but those that are worse."""
    stratum: Stratum | None = None

    @property
    def not_separated_from_best(self) -> tuple[str, ...]:
        """The systems that share a group with the best one, itself included."""
        best = set(self.ranks[0].groups)
        return tuple(rank.system for rank in self.ranks if best & set(rank.groups))


def rankings(panels: Sequence[Panel], pairs: Sequence[Difference]) -> tuple[Ranking, ...]:
    """Return the ranking of each metric at each number of shots, of the systems that have a value.

    Args:
        panels: The panels of a run.
        pairs: `eval.statistics.comparisons.every_pair` of the same panels.
    """
    known: dict[tuple[str, int], list[Difference]] = {}
    for one in pairs:
        known.setdefault((one.metric, one.shots), []).append(one)
    return tuple(
        ranking
        for panel in panels
        for place, shots in enumerate(panel.shots)
        if (ranking := _ranking(panel, place, known.get((panel.spec.id, shots), []))) is not None
    )


def groups(systems: Sequence[str], separated: Bool[np.ndarray, "systems systems"]) -> tuple[tuple[str, ...], ...]:
    """Return the largest sets of systems of which no two are separated, in the order of the systems.

    Source: Piepho 2004, "An algorithm for a letter-based representation of all-pairwise comparisons": groups are split
    at each separated pair, and what lies within another group is dropped.
    """
    found = [frozenset(range(len(systems)))]
    for one, other in np.argwhere(np.triu(separated)):
        split = [part for group in found for part in _without_pair(group, int(one), int(other))]
        found = [group for group in dict.fromkeys(split) if not any(group < wider for wider in split)]
    return tuple(tuple(systems[place] for place in sorted(group)) for group in sorted(found, key=sorted))


def resampled_places(
    goodness: Float[np.ndarray, " systems"], deviation: Float[np.ndarray, "systems people"]
) -> tuple[Int[np.ndarray, " systems"], Int[np.ndarray, " systems"], Float[np.ndarray, " systems"]]:
    """Return the ends of the 95% interval of each place, and how often each is first, over resamples of the people."""
    drawn = goodness[:, None] + deviation @ resampled_shares(deviation.shape[1], RESAMPLES).T
    places = np.ones(drawn.shape, dtype=np.uint16)  # (systems, resamples)
    for one in drawn:
        places += one > drawn
    tail = (1 - CONFIDENCE) / 2
    ascending = np.sort(places, axis=1)
    low, high = ascending[:, int(tail * RESAMPLES)], ascending[:, -1 - int(tail * RESAMPLES)]
    return low.astype(np.int64), high.astype(np.int64), np.mean(places == 1, axis=1)


def letter(place: int) -> str:
    """Return the letter of a group: a to z, A to Z, then characters of other alphabets."""
    return (
        chr(ord("a") + place) if place < 26 else chr(ord("A") + place - 26) if place < 52 else chr(0x3B1 + place - 52)
    )


def _ranking(panel: Panel, shots: int, pairs: Sequence[Difference]) -> Ranking | None:
    sign = 1 if panel.spec.higher_is_better else -1
    goodness = sign * panel.value[:, shots]
    order = np.argsort(-goodness, kind="stable")
    order = order[~np.isnan(goodness[order])]
    if len(order) < 2:
        return None
    names = [panel.systems[place] for place in order]
    better = _better(names, pairs)
    shared = ~np.isnan(panel.per_identity[order, shots]).any(axis=0)
    deviation = sign * _deviations(panel, order, shots)[:, shared]
    resampled = deviation.shape[1] >= FEWEST_TO_RESAMPLE
    low, high, first = (
        resampled_places(goodness[order], deviation)
        if resampled
        else (1 + better.sum(axis=0), len(order) - better.sum(axis=1), np.full(len(order), np.nan))
    )
    together = groups(names, better | better.T)
    ranks = tuple(
        Rank(
            system=name,
            value=float(panel.value[order[place], shots]),
            place=1 + int(np.sum(goodness[order] > goodness[order[place]])),
            low=int(low[place]),
            high=int(high[place]),
            first=float(first[place]),
            groups="".join(letter(number) for number, group in enumerate(together) if name in group),
        )
        for place, name in enumerate(names)
    )
    return Ranking(
        metric=panel.spec.id,
        shots=panel.shots[shots],
        n_identities=int(shared.sum()),
        ranks=ranks,
        groups=together,
        resampled=resampled,
        stratum=panel.stratum,
    )


def _deviations(
    panel: Panel, systems: Int[np.ndarray, " systems"], shots: int
) -> Float[np.ndarray, "systems identities"]:
    """Return how far each identity moves the value: its mean less the value, or the jackknife's estimate of that.

    A value over resampled people is the value plus the mean of their deviations; for means that is exact, for distances
    between sets it is the jackknife's linear approximation (Efron and Tibshirani 1993, chapter 20).
    """
    known = panel.per_identity[systems, shots]
    if panel.over_sets:
        people = np.sum(~np.isnan(known), axis=1, keepdims=True)
        return np.asarray((people - 1) * (np.nanmean(known, axis=1, keepdims=True) - known))
    return np.asarray(known - panel.value[systems, shots][:, None])


def _better(names: Sequence[str], pairs: Sequence[Difference]) -> Bool[np.ndarray, "systems systems"]:
    """Return whether the system of a row is better than that of a column, and separated from it."""
    place = {name: at for at, name in enumerate(names)}
    found = np.zeros((len(names), len(names)), dtype=bool)
    for one in pairs:
        if one.verdict != "not separated" and {one.system, one.baseline} <= place.keys():
            winner, loser = (one.system, one.baseline) if one.verdict == "better" else (one.baseline, one.system)
            found[place[winner], place[loser]] = True
    return found


def _without_pair(group: frozenset[int], one: int, other: int) -> tuple[frozenset[int], ...]:
    return (group - {one}, group - {other}) if {one, other} <= group else (group,)
