"""Two runs over the same people and tasks: how far apart their systems are, and what is too far."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from eval.runs.comparable import shared_specs
from eval.runs.results import Run, held
from eval.specs.spec import MetricSpec
from eval.statistics.cells import summarise
from eval.statistics.comparisons import differences
from eval.statistics.difference import Difference
from eval.tasks.motion import Stratum
from weights.errors import HeadshotError

Condition = Literal["worse", "not-better"]
_BEFORE, _AFTER = "before", "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A system of one run beside a system of another, at one number of shots, by one metric."""

    spec: MetricSpec
    gap: Difference
    """The other run minus the one, paired by person."""
    before: float
    after: float

    @property
    def loss(self) -> float:
        """How much worse the other run is, in units of the metric; negative where it is better."""
        return -self.gap.value if self.spec.higher_is_better else self.gap.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """When a comparison fails."""

    fail_if: Condition | None = None
    """`worse`: the other run is separated from the one, on the wrong side. `not-better`: not on the right side."""
    max_loss: float | None = None
    """Most that the mean may be worse, whatever its interval."""

    def fault(self, one: Compared) -> str | None:
        """Return why this comparison fails, None where it does not; what cannot be measured any more fails."""
        where = f"{one.gap.system} at {one.gap.shots} shots, {one.spec.id}"
        if math.isnan(one.gap.value):
            lost = math.isfinite(one.before) or self.max_loss is not None or self.fail_if == "not-better"
            return f"{where}: the difference cannot be measured" if lost else None
        if self.fail_if == "worse" and one.gap.verdict == "worse":
            return f"{where}: worse by {one.loss:.4g}"
        if self.fail_if == "not-better" and one.gap.verdict != "better":
            return f"{where}: {one.gap.verdict}"
        if self.max_loss is not None and one.loss > self.max_loss:
            return f"{where}: worse by {one.loss:.4g}, more than {self.max_loss:g}"
        return None


def compare(
    one: Run,
    other: Run,
    *,
    pairs: Sequence[tuple[str, str]] = (),
    metrics: Sequence[str] = (),
    stratum: Stratum | None = None,
) -> tuple[Compared, ...]:
    """Return other minus one for each pair of systems, number of shots and metric, paired by person.

    Floors and ceilings are left out: they are no contenders.

    Args:
        one: The run to start from.
        other: The run that may be better or worse.
        pairs: Which system of the one with which of the other; those of the same name where there are none.
        metrics: Ids; all metrics where there are none.
        stratum: Over its frames alone.

    Raises:
        HeadshotError: The runs cannot be compared, or there is no such system.
    """
    one, other = one.split()[0], other.split()[0]
    specs = shared_specs([one, other], metrics)
    here, there = ([system.name for system in run.record.systems] for run in (one, other))
    pairs = tuple(pairs) or tuple((name, name) for name in here if name in there)
    unknown = [before for before, _ in pairs if before not in here] + [
        after for _, after in pairs if after not in there
    ]
    if unknown or not pairs:
        raise HeadshotError(
            f"{', '.join(unknown) or 'no system'} to compare: {one.folder} has {', '.join(here)}, and {other.folder} "
            f"has {', '.join(there)}; name pairs as NAME=OTHER"
        )
    return tuple(row for pair in pairs for row in _compare_pair(one, other, pair, specs, stratum))


def _compare_pair(
    one: Run, other: Run, pair: tuple[str, str], specs: Sequence[MetricSpec], stratum: Stratum | None
) -> Iterator[Compared]:
    before, after = pair
    scores = pa.concat_tables([named(one.scores, before, _BEFORE), named(other.scores, after, _AFTER)])
    values = {(cell.system, cell.shots, cell.metric): cell.value for cell in summarise(scores, specs, stratum)}
    by_id = {spec.id: spec for spec in specs}
    for gap in differences(scores, specs, _AFTER, _BEFORE, stratum=stratum):
        yield Compared(
            spec=by_id[gap.metric],
            gap=replace(gap, system=after, baseline=before),
            before=values[_BEFORE, gap.shots, gap.metric],
            after=values[_AFTER, gap.shots, gap.metric],
        )


def named(scores: pa.Table, system: str, name: str) -> pa.Table:
    """Return the rows of a system under another name, to `HELD_SCHEMA`."""
    rows = scores.filter(pc.field("system") == system)
    place = rows.column_names.index("system")
    return held(rows.set_column(place, "system", pa.repeat(name, len(rows))))
