"""The USER column: what people said, beside what was measured."""

import math
from dataclasses import replace

from eval.statistics.cells import Cell
from eval.study.record import StudyRecord, StudyScore
from reports.numbers import interval, number, plural
from reports.table import Column, MainTable, TableCell, cell_key, columns, full


def user_cells(study: StudyRecord | None) -> tuple[Cell, ...]:
    """Return the numbers of the column, none where nobody was asked; people are those shown, frames sets of three."""
    return () if study is None else tuple(_cell(study.spec.id, score) for score in study.scores)


def with_user(table: MainTable, study: StudyRecord | None) -> MainTable:
    """Return the table with what people said as its last column; as it is where nobody was asked.

    Nothing in the column is bold: systems are not compared by it, each is tested against guessing.

    Args:
        table: The main table of a run, or that of its floors and ceilings.
        study: Of the same run.
    """
    if study is None:
        return table
    (head,) = columns([study.spec], user_cells(study))
    scores = {(one.system, one.shots): one for one in study.scores}

    def printed(system: str, shots: int) -> TableCell:
        score = scores.get((system, shots))
        return _printed(_cell(head.metric, score), score, head) if score else _not_judged()

    return replace(
        table,
        columns=(*table.columns, head),
        groups=tuple(
            replace(
                group,
                rows=tuple(replace(row, cells=(*row.cells, printed(row.key.name, group.shots))) for row in group.rows),
            )
            for group in table.groups
        ),
    )


def _cell(metric: str, score: StudyScore) -> Cell:
    return Cell(
        system=score.system,
        shots=score.shots,
        metric=metric,
        value=score.value,
        low=score.interval.low if score.interval else math.nan,
        high=score.interval.high if score.interval else math.nan,
        n_identities=score.people,
        n_frames=score.trials,
        n_failed=0,
        value_measured_only=score.accuracy,
    )


def _printed(cell: Cell, score: StudyScore, head: Column) -> TableCell:
    return TableCell(
        value=number(cell.value, head.places),
        interval=interval(cell.low, cell.high, head.places),
        separated=False,
        mark="",
        failures=f"{plural(score.raters, 'rater')}, {plural(score.trials, 'set')}",
        key=cell_key(cell),
        full=full(cell.value),
    )


def _not_judged() -> TableCell:
    return TableCell(value="not judged", interval="", separated=False, mark="", failures="", key="", full="")
