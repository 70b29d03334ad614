"""Whether numbers under one name are numbers of one metric."""

from collections.abc import Sequence

from eval.specs.spec import MetricSpec
from weights.errors import HeadshotError


def conflicts(one: Sequence[MetricSpec], other: Sequence[MetricSpec]) -> tuple[str, ...]:
    """Return what keeps the metrics that two runs share from being compared, a sentence for each; empty where nothing.

    Numbers compare where id, version and networks are the same. Titles, tiers and explanations may differ.
    """
    theirs = {spec.id: spec for spec in other}
    found = []
    for spec in one:
        match = theirs.get(spec.id, spec)
        if spec.version != match.version:
            found.append(f"{spec.id} is version {spec.version} in the one and version {match.version} in the other")
        elif spec.weights != match.weights:
            networks = [", ".join(each.weights) or "none" for each in (spec, match)]
            found.append(f"{spec.id} is over the networks {networks[0]} in the one and {networks[1]} in the other")
    return tuple(found)


def require_same_metrics(one: Sequence[MetricSpec], other: Sequence[MetricSpec]) -> None:
    """Refuse to compare numbers of different metrics.

    Raises:
        HeadshotError: A metric that both have is of two versions or over two networks.
    """
    found = conflicts(one, other)
    if found:
        raise HeadshotError(
            f"these runs cannot be compared: {'; '.join(found)}. Score both with the same version and profile"
        )
