"""How far the metrics agree: a small matrix of Kendall's tau, and a sentence on what it means."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from eval.statistics.agreement import Agreement, agreements
from reports.charts.caption import Caption, fitted
from reports.findings import Findings
from reports.numbers import interval, number, plural
from reports.table import Column

CELL_WIDTH, CELL_HEIGHT = 74.0, 40.0
LEFT, TOP = 62.0, 26.0
STEPS = 3
"""Shades to either side of zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementCell:
    """Two metrics."""

    x: float
    y: float
    shade: str
    """`plus3` to `minus3`, `zero-tau`, or `unknown`."""
    tau: str
    interval: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementHead:
    """A metric above a column or beside a row."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRow:
    """Two metrics in the table."""

    one: str
    other: str
    tau: str
    interval: str
    alike: str
    """Of two results, how often both metrics prefer the same one."""
    results: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementChart:
    """The lower triangle of the matrix."""

    caption: Caption
    numbers: tuple[Agreement, ...]
    width: float
    height: float
    across: tuple[AgreementHead, ...]
    down: tuple[AgreementHead, ...]
    cells: tuple[AgreementCell, ...]
    rows: tuple[AgreementRow, ...]
    meaning: str
    sample: str


def agreement_section(found: Findings) -> AgreementChart | None:
    """Return the matrix at the largest number of shots, None where fewer than two metrics can be compared."""
    return agreement_chart(agreement_numbers(found), found.table.columns)


def agreement_numbers(found: Findings) -> tuple[Agreement, ...]:
    """Return how far each pair of metrics agrees at the largest number of shots."""
    return agreements(found.comparisons.statistics.panels, found.most_shots)


def agreement_chart(found: Sequence[Agreement], columns: Sequence[Column]) -> AgreementChart | None:
    """Return the matrix, or None where fewer than two metrics have a value for each person.

    Args:
        found: `eval.statistics.agreement.agreements` of the run.
        columns: The headings of all metrics, which give the order.
    """
    taking_part = {metric for one in found for metric in (one.metric, one.other)}
    heads = [column for column in columns if column.metric in taking_part]
    if len(heads) < 2:
        return None
    known = {frozenset((one.metric, one.other)): one for one in found}
    pairs = [
        (known[frozenset((heads[row].metric, heads[column].metric))], row, column)
        for row in range(1, len(heads))
        for column in range(row)
    ]
    names = {head.metric: head.name for head in heads}
    return AgreementChart(
        caption=Caption(
            anchor="agreement-matrix",
            title=f"Kendall’s tau between metrics, {plural(found[0].shots, 'shot')}",
            description=f"A triangle of {plural(len(heads), 'metric')}: 1 where two order all results alike, "
            "0 where the one says nothing about the other, minus 1 where they are opposed. The numbers are in the "
            "table.",
        ),
        numbers=tuple(one for one, _, _ in pairs),
        width=LEFT + CELL_WIDTH * (len(heads) - 1),
        height=TOP + CELL_HEIGHT * (len(heads) - 1),
        across=tuple(
            AgreementHead(at=LEFT + CELL_WIDTH * (place + 0.5), label=fitted(head.name, 11))
            for place, head in enumerate(heads[:-1])
        ),
        down=tuple(
            AgreementHead(at=TOP + CELL_HEIGHT * (place + 0.5), label=fitted(head.name, 11))
            for place, head in enumerate(heads[1:])
        ),
        cells=tuple(_cell(one, row, column, names) for one, row, column in pairs),
        rows=tuple(_row(one, names) for one, _, _ in pairs),
        meaning=meaning([one for one, _, _ in pairs], names),
        sample=_sample(found),
    )


def meaning(pairs: Sequence[Agreement], names: dict[str, str]) -> str:
    """Return what the matrix says, in two sentences at most.

    Args:
        pairs: All pairs of metrics.
        names: Short names of the metrics.
    """
    known = sorted((one for one in pairs if math.isfinite(one.tau)), key=lambda one: -one.tau)
    if not known:
        return "No two metrics could be compared."
    most, least = known[0], known[-1]
    text = f"{_named(most, names)} agree most: of two results they prefer the same one in {_alike(most)} of cases"
    if most is least:
        return f"{text.replace(' agree most', '')}."
    text += f"; {_named(least, names)} agree least, in {_alike(least)}."
    opposed = sum(one.tau < 0 for one in known)
    if opposed:
        verb = "disagrees" if opposed == 1 else "disagree"
        text += (
            f" {plural(opposed, 'pair')} of {len(known)} {verb} more often than not, so which system is ahead depends "
            "on the metric."
        )
    return text


def _named(one: Agreement, names: dict[str, str]) -> str:
    return f"{names[one.metric]} and {names[one.other]}"


def _alike(one: Agreement) -> str:
    """Return the share of pairs of results that both order alike, ties aside."""
    return f"{(1 + one.tau) / 2:.0%}" if math.isfinite(one.tau) else "–"


def _sample(found: Sequence[Agreement]) -> str:
    results = sorted({one.n_results for one in found})
    people = max(one.n_identities for one in found)
    span = f"{results[0]:,} to {results[-1]:,} results" if len(results) > 1 else plural(results[0], "result")
    text = f"Over {span}, each a system on one of {plural(people, 'person', 'people')}."
    return text if people > 1 else f"{text} One person gives no interval."


def _cell(one: Agreement, row: int, column: int, names: dict[str, str]) -> AgreementCell:
    tau, between = number(one.tau, 2), interval(one.low, one.high, 2)
    return AgreementCell(
        x=LEFT + CELL_WIDTH * column,
        y=TOP + CELL_HEIGHT * (row - 1),
        shade=_shade(one.tau),
        tau=tau,
        interval=between if math.isfinite(one.low) else "",
        text=f"{_named(one, names)}: {tau} ({between})",
    )


def _shade(tau: float) -> str:
    if not math.isfinite(tau):
        return "unknown"
    step = min(round(abs(tau) * (STEPS + 0.5)), STEPS)
    return f"{'plus' if tau > 0 else 'minus'}{step}" if step else "zero-tau"


def _row(one: Agreement, names: dict[str, str]) -> AgreementRow:
    return AgreementRow(
        one=names[one.metric],
        other=names[one.other],
        tau=number(one.tau, 2),
        interval=interval(one.low, one.high, 2),
        alike=_alike(one),
        results=f"{one.n_results:,}",
    )
