"""Tables for other programs: CSV with everything in full, and LaTeX to paste into a paper."""

import csv
import io
import math
import re
from dataclasses import replace

from eval.runs.leaderboard import Entry, Leaderboard
from eval.specs.spec import MetricSpec
from reports.numbers import decimals
from reports.table import within_range

COLUMNS = (
    "run",
    "system",
    "shots",
    "metric",
    "version",
    "unit",
    "higher_is_better",
    "stratum",
    "value",
    "low",
    "high",
    "place",
    "place_low",
    "place_high",
    "groups",
    "identities",
    "frames",
    "failed",
    "value_measured_only",
    "flag",
)
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
"""What LaTeX does not take as text. An arrow of a metric's direction is added as mathematics."""


def csv_text(board: Leaderboard) -> str:
    """Return one line for each system, number of shots and metric, with all digits; empty where there is no number.

    Intervals end where the range of the metric does, here and in LaTeX, as in the report.
    """
    specs, text = {spec.id: spec for spec in board.specs}, io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    for entry in board.entries:
        (cell,), spec = within_range([entry.cell], board.specs), specs[entry.cell.metric]
        lines.writerow(
            (
                entry.run,
                cell.system,
                cell.shots,
                cell.metric,
                spec.version,
                spec.unit,
                int(spec.higher_is_better),
                board.stratum or "",
                *map(_full, (cell.value, cell.low, cell.high)),
                *_place(entry),
                cell.n_identities,
                cell.n_frames,
                cell.n_failed,
                _full(cell.value_measured_only),
                cell.flag,
            )
        )
    return text.getvalue()


def latex_text(board: Leaderboard) -> str:
    """Return a booktabs table: metrics beside each other, a block for each number of shots, intervals in brackets.

    Bold is what is best and separated from all others.
    """
    shots = list(dict.fromkeys(sorted(entry.cell.shots for entry in board.entries)))
    systems = list(dict.fromkeys(entry.cell.system for entry in board.entries))
    cut = [replace(one, cell=within_range([one.cell], board.specs)[0]) for one in board.entries]
    places = {(one.cell.system, one.cell.shots, one.cell.metric): one for one in cut}
    digits = {
        spec.id: decimals(p.cell.value for p in board.entries if p.cell.metric == spec.id) for spec in board.specs
    }
    blocks = []
    for count in shots:
        lines = []
        for system in systems:
            found = [places.get((system, count, spec.id)) for spec in board.specs]
            if any(found):
                cells = [_cell(entry, digits[spec.id]) for entry, spec in zip(found, board.specs, strict=True)]
                lines.append(" & ".join((escaped(system), str(count), *cells)) + r" \\")
        blocks.append("\n".join(lines))
    return "\n".join(
        (
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            rf"\caption{{{escaped(caption(board))}}}",
            rf"\begin{{tabular}}{{lr{'r' * len(board.specs)}}}",
            r"\toprule",
            " & ".join(("system", "shots", *map(_heading, board.specs))) + r" \\",
            r"\midrule",
            "\n\\midrule\n".join(blocks),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        )
    )


def caption(board: Leaderboard) -> str:
    """Return what the numbers are: of whom, over how much, and from which tasks."""
    first, cells = board.runs[0], [entry.cell for entry in board.entries]
    people = max((cell.n_identities for cell in cells), default=0)
    stratum = "" if board.stratum is None else f"{board.stratum} "
    over = f"{first.tasks.frame_count(board.stratum)} {stratum}frames of {people} people"
    flagged = " Distances over few frames are unreliable." if any(cell.flag for cell in cells) else ""
    return (
        f"{first.record.dataset.title}, {first.tasks.label}: {over}, mean with 95% interval over people; "
        f"failed frames count as the worst.{flagged} Bold: separated from all others. "
        f"Tasks {first.record.tasks_sha256[:12]}."
    )


def escaped(text: str) -> str:
    """Return text as LaTeX shows it."""
    return re.sub(r"[\\~^<>|&%$#_{}]", lambda found: _SPECIAL[found[0]], " ".join(text.split()))


def _heading(spec: MetricSpec) -> str:
    return rf"{escaped(spec.title)} $\{'uparrow' if spec.higher_is_better else 'downarrow'}$"


def _cell(entry: Entry | None, digits: int) -> str:
    if entry is None or math.isnan(entry.cell.value):
        return "--"
    value, low, high = (_number(one, digits) for one in (entry.cell.value, entry.cell.low, entry.cell.high))
    shown = rf"\textbf{{{value}}}" if entry.best_alone else value
    return shown if math.isnan(entry.cell.low) else rf"{shown} {{\scriptsize [{low}, {high}]}}"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "$-$")


def _place(entry: Entry) -> tuple[int | str, ...]:
    """Return the place, its interval and the letters of its groups; nothing where there is no value."""
    rank = entry.rank
    return ("",) * 4 if rank is None else (rank.place, rank.low, rank.high, rank.groups)


def _full(value: float) -> str:
    return "" if math.isnan(value) else repr(float(value))
