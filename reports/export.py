"""Tables for other programs: CSV with everything in full, and LaTeX to paste into a paper."""

import csv
import io
import math
import re

from eval.leaderboard import Leaderboard, Place
from eval.specs.spec import MetricSpec
from reports.numbers import decimals

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
    "rank",
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
    """Return one line for each system, number of shots and metric, with all digits; empty where there is no number."""
    specs, text = {spec.id: spec for spec in board.specs}, io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    for place in board.places:
        cell, spec = place.cell, specs[place.cell.metric]
        lines.writerow(
            (
                place.run,
                cell.system,
                cell.shots,
                cell.metric,
                spec.version,
                spec.unit,
                int(spec.higher_is_better),
                board.stratum or "",
                *map(_full, (cell.value, cell.low, cell.high)),
                place.rank,
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

    Bold is what is better than all others by intervals of paired differences that leave out zero.
    """
    shots = list(dict.fromkeys(sorted(place.cell.shots for place in board.places)))
    systems = list(dict.fromkeys(place.cell.system for place in board.places))
    places = {(place.cell.system, place.cell.shots, place.cell.metric): place for place in board.places}
    digits = {spec.id: decimals(p.cell.value for p in board.places if p.cell.metric == spec.id) for spec in board.specs}
    blocks = []
    for count in shots:
        lines = []
        for system in systems:
            found = [places.get((system, count, spec.id)) for spec in board.specs]
            if any(found):
                cells = [_cell(place, digits[spec.id]) for place, spec in zip(found, board.specs, strict=True)]
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
    first, cells = board.runs[0], [place.cell for place in board.places]
    people = max((cell.n_identities for cell in cells), default=0)
    frames = max((cell.n_frames for cell in cells), default=0)
    over = (
        f"{frames} frames of {people} people" if board.stratum is None else f"{board.stratum} frames of {people} people"
    )
    flagged = " Distances over few frames are unreliable." if any(cell.flag for cell in cells) else ""
    return (
        f"{first.record.dataset.title}, {first.tasks.label}: {over}, mean with 95% interval over people; "
        f"failed frames count as the worst.{flagged} Bold: better than all others. "
        f"Tasks {first.record.tasks_sha256[:12]}."
    )


def escaped(text: str) -> str:
    """Return text as LaTeX shows it."""
    return re.sub(r"[\\~^<>|&%$#_{}]", lambda found: _SPECIAL[found[0]], " ".join(text.split()))


def _heading(spec: MetricSpec) -> str:
    return rf"{escaped(spec.title)} $\{'uparrow' if spec.higher_is_better else 'downarrow'}$"


def _cell(place: Place | None, digits: int) -> str:
    if place is None or math.isnan(place.cell.value):
        return "--"
    value, low, high = (_number(one, digits) for one in (place.cell.value, place.cell.low, place.cell.high))
    shown = rf"\textbf{{{value}}}" if place.best_alone else value
    return shown if math.isnan(place.cell.low) else rf"{shown} {{\scriptsize [{low}, {high}]}}"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "$-$")


def _full(value: float) -> str:
    return "" if math.isnan(value) else repr(float(value))
