"""The section that defines every metric: equation, version, failure policy, and the networks it stands on."""

from collections.abc import Sequence
from dataclasses import dataclass

from eval.runs.results import WeightRecord
from eval.specs.spec import MetricSpec
from reports.findings import Findings
from reports.numbers import number
from reports.study.column import with_user
from reports.table import Column


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFacts:
    """A metric's definition with the networks it stands on."""

    spec: MetricSpec
    column: Column
    range: str
    networks: tuple[WeightRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSection:
    """The section of the page."""

    headline: tuple[MetricFacts, ...]
    more: tuple[MetricFacts, ...]


def metrics_section(found: Findings) -> MetricsSection:
    """Return the section of the page."""
    weights = found.run.record.weights
    table = with_user(found.table, found.study)
    specs = (*found.specs, *([found.study.spec] if found.study else []))
    return MetricsSection(
        headline=tuple(map(_facts, specs, table.columns, [weights] * len(specs))),
        more=tuple(map(_facts, found.others, found.more.columns, [weights] * len(found.others))),
    )


def _facts(spec: MetricSpec, column: Column, weights: Sequence[WeightRecord]) -> MetricFacts:
    low, high = spec.range
    bounded = f"from {number(low or 0, 0)} up" if high is None else f"{number(low or 0, 0)} to {number(high, 0)}"
    ends = "any number" if low is None else bounded
    unit = f" {spec.unit}" if spec.unit else ""
    known = {weight.id: weight for weight in weights}
    return MetricFacts(
        spec=spec,
        column=column,
        range=f"{ends}{unit}; ground truth against itself: {spec.perfect:g}",
        networks=tuple(known[name] for name in spec.weights if name in known),
    )
