"""Tables for other programs."""

import csv
import io
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from eval.runs.leaderboard import Leaderboard, leaderboard
from eval.runs.results import Run
from reports.export import csv_text, escaped, latex_text


@pytest.fixture(scope="module")
def board(run: Run) -> Leaderboard:
    return leaderboard([run])


def test_csv_has_every_number_in_full_and_reads_back(board: Leaderboard) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_text(board))))
    assert len(rows) == len(board.entries)
    for row, one in zip(rows, board.entries, strict=True):
        cell = one.cell
        assert (row["system"], int(row["shots"]), row["metric"]) == (cell.system, cell.shots, cell.metric)
        for name in ("value", "low", "high"):
            value = getattr(cell, name)
            assert row[name] == "" if math.isnan(value) else float(row[name]) == value
        assert (int(row["place"]), int(row["failed"])) == (one.rank.place, cell.n_failed)


def test_latex_is_a_balanced_booktabs_table_with_all_cells(board: Leaderboard) -> None:
    text = latex_text(board)
    columns = len(re.search(r"begin\{tabular\}\{(\w+)\}", text)[1])
    assert columns == 2 + len(board.specs)
    lines = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in lines} == {columns - 1}
    kinds = {(one.cell.system, one.cell.shots) for one in board.entries}
    assert len(lines) == 1 + len(kinds)
    assert [re.search(rf"\\{rule}", text) is not None for rule in ("toprule", "midrule", "bottomrule")] == [True] * 3
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    one = next(one for one in board.entries if one.cell.metric == "ssim")
    assert f"{one.cell.value:.3f}" in text
    assert f"[{one.cell.low:.3f}, {one.cell.high:.3f}]" in text


def test_only_what_is_better_than_all_others_is_bold(board: Leaderboard) -> None:
    assert latex_text(board).count(r"\textbf") == sum(one.best_alone for one in board.entries)
    nobody = replace(board, entries=tuple(replace(one, best_alone=False) for one in board.entries))
    assert r"\textbf" not in latex_text(nobody)


def test_a_number_that_is_not_there_is_a_dash_and_a_negative_one_has_a_minus(board: Leaderboard) -> None:
    first, *rest = board.entries
    gone = replace(first, cell=replace(first.cell, value=math.nan, low=math.nan, high=math.nan))
    below = replace(first, cell=replace(first.cell, value=-1.5, low=math.nan, high=math.nan), best_alone=False)
    assert "& -- " in latex_text(replace(board, entries=(gone, *rest)))
    assert "& $-$1.5" in latex_text(replace(board, entries=(below, *rest)))
    assert ",,,," in csv_text(replace(board, entries=(gone,)))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nme.interocular", "nme.interocular"),
        ("a_b & 50% of #1 $x$", r"a\_b \& 50\% of \#1 \$x\$"),
        (r"\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
        ("x^2 ~ <y>|z", r"x\textasciicircum{}2 \textasciitilde{} \textless{}y\textgreater{}\textbar{}z"),
        ("two\nlines", "two lines"),
    ],
)
def test_special_characters_are_text(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_hostile_names_reach_the_table_as_text(run: Run) -> None:
    named = tuple(one.model_copy(update={"name": one.name}) for one in run.record.systems)
    title = r"100% \immediate\write18{ls}"
    dataset = run.record.dataset.model_copy(update={"title": title})
    hostile = replace(
        run, record=run.record.model_copy(update={"systems": named, "dataset": dataset}), folder=Path("x")
    )
    assert r"\write18" not in latex_text(leaderboard([hostile]))
    assert r"100\% \textbackslash{}immediate\textbackslash{}write18\{ls\}" in latex_text(leaderboard([hostile]))
