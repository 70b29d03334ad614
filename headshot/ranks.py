"""`headshot ranks`: places of systems, which of them nothing tells apart, and every comparison behind that."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from headshot.console import out, table
from headshot.options import RUN, Metrics, OverStratum, RunFolder

if TYPE_CHECKING:
    from eval.statistics.difference import Difference
    from eval.statistics.summary import Statistics


def ranks_command(
    run: RunFolder = RUN,
    metrics: Metrics = "headline",
    stratum: OverStratum = None,
) -> None:
    """Print places with intervals, systems that are not separated, and all paired comparisons of a finished run.

    Everything is computed from scores.parquet, with the people as the sample: see docs/statistics.md.

    Example: [bold]headshot ranks --run runs/demo --metrics ssim,lpips.alex[/]
    """
    from eval.runs.results import Run
    from eval.specs.profiles import pick_specs
    from eval.statistics.summary import statistics

    opened, _ = Run.open(run).split()
    out.print(f"{opened.record.dataset.title}, {opened.tasks.label}")
    found = statistics(opened.scores, pick_specs(opened.record.specs, metrics, str(run)), stratum)
    print_places(found)
    if found.pairs:
        _print_differences("Every pair of systems", found.pairs)
    if found.gains:
        _print_differences("More shots against the fewest", found.gains)
    if found.limits:
        out.print(found.limits)


def print_open_questions(found: "Statistics", shots: int) -> None:
    """Print, for one number of shots, who is not separated from the best system of each metric.

    Args:
        found: The statistics of a run.
        shots: Which rankings to print.
    """
    rows = []
    for ranking in found.rankings:
        best, *others = ranking.not_separated_from_best
        wanted = (ranking.metric, ranking.shots, best)
        if ranking.shots == shots:
            pairs = [one for two in found.pairs for one in (two, two.turned())]
            rows += [one for one in pairs if (one.metric, one.shots, one.system) == wanted and one.baseline in others]
    rows = [one for one in rows if math.isfinite(one.detectable)]
    if rows:
        _print_differences(f"Not separated from the best at {shots} shots", rows)
    if found.limits:
        out.print(found.limits)
    elif not rows:
        out.print(f"At {shots} shots the best system of each metric is separated from all others.")


def print_places(found: "Statistics") -> None:
    """Print the place of each system in each metric with its interval, and the letters of its groups."""
    from reports.numbers import number, share
    from reports.places import place_interval

    heads = ("metric", "shots", "system", "value", "place", "95%", "groups", "first in")
    rows = table("Places; two systems that share a letter are not separated", *heads)
    for ranking in found.rankings:
        for rank in ranking.ranks:
            start = (ranking.metric, str(ranking.shots), rank.system, number(rank.value, 3), str(rank.place))
            rows.add_row(*start, place_interval(rank), rank.groups, share(rank.first))
    out.print(rows)


def _print_differences(title: str, found: "Iterable[Difference]") -> None:
    """Print comparisons with interval, test, effect and what could have been found."""
    from reports.numbers import interval, number, probability, share, signed

    heads = ("difference", "95%", "p (Holm)", "better for", "rank-biserial", "detectable", "verdict")
    rows = table(title, "metric", "shots", "system", "against", *heads)
    for one in found:
        rows.add_row(
            one.metric,
            str(one.shots),
            one.system,
            one.baseline if one.shots == one.baseline_shots else f"{one.baseline} at {one.baseline_shots}",
            signed(one.value, 3),
            interval(one.low, one.high, 3),
            probability(one.p_holm),
            share(one.superiority),
            signed(one.rank_biserial, 2),
            "none" if math.isinf(one.detectable) else number(one.detectable, 3),
            one.verdict,
        )
    out.print(rows)
