"""`headshot leaderboard` and `headshot export`: one table of one run or several, for people and for other programs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from headshot.benchmark import value_with_half
from headshot.console import out, table
from headshot.options import RUN, Metrics, OverStratum, RunFolder, measured_ids
from weights.files import publish_text

if TYPE_CHECKING:
    from eval.runs.leaderboard import Entry, Leaderboard


def leaderboard_command(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of finished runs.")],
    metrics: Metrics = "headline",
    stratum: OverStratum = None,
    to_csv: Annotated[Path | None, typer.Option("--csv", help="Write the table there, too, with all digits.")] = None,
    to_latex: Annotated[Path | None, typer.Option("--latex", help="Write a LaTeX table (booktabs) there, too.")] = None,
) -> None:
    """Print the systems of several runs in one table, with places.

    Systems that share a letter are not separated. Runs that are not comparable are refused, with the reasons.

    Example: [bold]headshot leaderboard runs/demo runs/mine --metrics lpips.alex,ssim --latex table.tex[/]
    """
    from reports.export import csv_text, latex_text

    board = _board(runs, metrics, stratum)
    _print(board)
    for path, render in ((to_csv, csv_text), (to_latex, latex_text)):
        if path is not None:
            publish_text(path, render(board))
            out.print(f"written: {path}")


def export_command(
    run: RunFolder = RUN,
    form: Annotated[Literal["csv", "latex"], typer.Option("--format", help="csv or latex.")] = "csv",
    to: Annotated[Path | None, typer.Option("--out", help="File it goes to.", show_default="standard output")] = None,
    metrics: Metrics = "headline",
    stratum: OverStratum = None,
) -> None:
    """Write the table of a run as CSV with all digits, or as a LaTeX table (booktabs) with intervals.

    Example: [bold]headshot export --run runs/demo --format latex --metrics lpips.alex,ssim --out table.tex[/]
    """
    from reports.export import csv_text, latex_text

    text = (csv_text if form == "csv" else latex_text)(_board([run], metrics, stratum))
    if to is None:
        out.out(text, end="")
    else:
        publish_text(to, text)
        out.print(f"written: {to}")


def _board(folders: "list[Path]", metrics: str, stratum: 'Literal["near", "middle", "far"] | None') -> "Leaderboard":
    from eval.runs.leaderboard import leaderboard
    from eval.runs.results import Run

    runs = [Run.open(one) for one in folders]
    return leaderboard(runs, metrics=measured_ids(runs, metrics), stratum=stratum)


def _print(board: "Leaderboard") -> None:
    entries = {(one.cell.system, one.cell.shots, one.cell.metric): one for one in board.entries}
    people = max((one.cell.n_identities for one in board.entries), default=0)
    heads = [f"{spec.title} {'↑' if spec.higher_is_better else '↓'}" for spec in board.specs]
    what = "" if board.stratum is None else f" over {board.stratum} frames"
    judged = _judged(board)
    rows = table(
        f"Mean{what} of {people} people ± half of the 95% interval (place; who shares a letter is not separated); "
        f"{board.runs[0].tasks.label}",
        "system",
        "shots",
        *heads,
        *(["USER ↓"] if judged else []),
    )
    order = dict.fromkeys(sorted(((count, name) for name, count, _ in entries), key=lambda key: key[0]))
    for shots, system in order:
        shown = [_shown(entries.get((system, shots, spec.id))) for spec in board.specs]
        rows.add_row(system, str(shots), *shown, *([judged.get((system, shots), "-")] if judged else []))
    out.print(rows)
    if board.limits:
        out.print(board.limits)


def _judged(board: "Leaderboard") -> dict[tuple[str, int], str]:
    """Return what people said of each system at each number of shots; empty where nobody was asked."""
    from eval.study.record import StudyRecord
    from reports.study.column import user_cells

    found = {}
    for run in board.runs if board.stratum is None else ():
        cells = {(one.system, one.shots): one for one in user_cells(StudyRecord.of(run.folder, run.record))}
        for entry in board.entries:
            name = entry.cell.system.removesuffix(f" ({entry.run})")
            if entry.run in (run.folder.name, str(run.folder)) and (name, entry.cell.shots) in cells:
                found[entry.cell.system, entry.cell.shots] = value_with_half(cells[name, entry.cell.shots])
    return found


def _shown(entry: "Entry | None") -> str:
    """Return a value with half of its interval, its place and the letters of its groups."""
    if entry is None or entry.rank is None:
        return "-"
    return f"{value_with_half(entry.cell)} ({entry.rank.place} {entry.rank.groups})"
