"""`headshot leaderboard` and `headshot export`: one table of one run or several, for people and for other programs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from headshot.console import out, table
from headshot.score import RunArgument
from weights.files import publish_text

if TYPE_CHECKING:
    from eval.leaderboard import Leaderboard, Place

Metrics = Annotated[
    str, typer.Option("--metric", help="By which metrics, with commas between.", show_default="all of them")
]
Over = Annotated[
    Literal["near", "middle", "far"] | None,
    typer.Option("--stratum", help="Over the frames that are so far from the source alone.", show_default="all frames"),
]


def leaderboard_command(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of finished runs.")],
    metric: Metrics = "",
    stratum: Over = None,
    to_csv: Annotated[Path | None, typer.Option("--csv", help="Write the table there, too, with all digits.")] = None,
    to_latex: Annotated[Path | None, typer.Option("--latex", help="Write a LaTeX table (booktabs) there, too.")] = None,
) -> None:
    """Print the systems of several runs in one table, with ranks.

    A rank is 1 more than the number of systems that are better by an interval of the paired difference that leaves
    out zero. Runs that are not comparable are refused, with the reasons.

    Example: [bold]headshot leaderboard runs/demo runs/mine --metric lpips.alex,ssim --latex table.tex[/]
    """
    from reports.export import csv_text, latex_text

    board = _board(runs, metric, stratum)
    _print(board)
    for path, render in ((to_csv, csv_text), (to_latex, latex_text)):
        if path is not None:
            publish_text(path, render(board))
            out.print(f"written: {path}")


def export_command(
    run: RunArgument,
    form: Annotated[Literal["csv", "latex"], typer.Option("--format", help="csv or latex.")] = "csv",
    to: Annotated[Path | None, typer.Option("--out", help="File it goes to.", show_default="standard output")] = None,
    metric: Metrics = "",
    stratum: Over = None,
) -> None:
    """Write the table of a run as CSV with all digits, or as a LaTeX table (booktabs) with intervals.

    Example: [bold]headshot export runs/demo --format latex --metric lpips.alex,ssim --out table.tex[/]
    """
    from reports.export import csv_text, latex_text

    text = (csv_text if form == "csv" else latex_text)(_board([run], metric, stratum))
    if to is None:
        out.out(text, end="")
    else:
        publish_text(to, text)
        out.print(f"written: {to}")


def _board(runs: "list[Path]", metric: str, stratum: 'Literal["near", "middle", "far"] | None') -> "Leaderboard":
    from eval.leaderboard import leaderboard
    from eval.results import Run

    metrics = [name.strip() for name in metric.split(",") if name.strip()]
    return leaderboard([Run.open(run) for run in runs], metrics=metrics, stratum=stratum)


def _print(board: "Leaderboard") -> None:
    places = {(place.cell.system, place.cell.shots, place.cell.metric): place for place in board.places}
    people = max((place.cell.n_identities for place in board.places), default=0)
    heads = [f"{spec.title} {'↑' if spec.higher_is_better else '↓'}" for spec in board.specs]
    what = "" if board.stratum is None else f" over {board.stratum} frames"
    rows = table(
        f"Mean{what} of {people} people ± half of the 95% interval (rank: 1 + systems shown to be better)",
        "system",
        "shots",
        *heads,
    )
    order = dict.fromkeys(sorted(((count, name) for name, count, _ in places), key=lambda key: key[0]))
    for shots, system in order:
        shown = [_shown(places.get((system, shots, spec.id))) for spec in board.specs]
        rows.add_row(system, str(shots), *shown)
    out.print(rows)


def _shown(place: "Place | None") -> str:
    if place is None:
        return ""
    half = (place.cell.high - place.cell.low) / 2
    return f"{place.cell.value:.3f} ±{half:.3f} ({place.rank})"
