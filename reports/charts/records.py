"""The numbers of the figures that are in no table of the report, for other programs."""

import math

from reports.charts.agreement_chart import agreement_numbers
from reports.charts.heat_map import identity_numbers
from reports.findings import Findings
from weights.record import Record


class IdentityRecord(Record):
    """One person in one metric at the largest number of shots; null where it could not be measured."""

    metric: str
    shots: int
    identity: str
    values: dict[str, float | None]
    """By system: the mean over the person's clips of the mean over frames."""
    mean: float | None
    """Over the systems that have a value."""
    hardness: float | None
    """Share of the other people that are easier, averaged over systems; null where there is nobody else."""


class AgreementRecord(Record):
    """Kendall's tau between two metrics over systems and people at the largest number of shots."""

    metric: str
    other: str
    shots: int
    tau: float | None
    """Null where one metric gives everything the same value."""
    low: float | None
    """95% interval over people; null below two."""
    high: float | None
    results: int
    identities: int


def identity_records(found: Findings) -> tuple[IdentityRecord, ...]:
    """Return every person's values, metric by metric."""
    return tuple(
        IdentityRecord(
            metric=table.metric,
            shots=table.shots,
            identity=identity,
            values=dict(zip(table.systems, map(_known, values), strict=True)),
            mean=_known(mean),
            hardness=_known(hardness),
        )
        for table in identity_numbers(found)
        for identity, values, mean, hardness in zip(
            table.identities, table.values, table.mean, table.hardness, strict=True
        )
    )


def agreement_records(found: Findings) -> tuple[AgreementRecord, ...]:
    """Return how far each pair of metrics agrees."""
    return tuple(
        AgreementRecord(
            metric=one.metric,
            other=one.other,
            shots=one.shots,
            tau=_known(one.tau),
            low=_known(one.low),
            high=_known(one.high),
            results=one.n_results,
            identities=one.n_identities,
        )
        for one in agreement_numbers(found)
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
