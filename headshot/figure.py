"""`headshot figure`: a run to one picture."""

from pathlib import Path
from typing import Annotated

import typer

from headshot.console import out
from headshot.options import DATA, RUN, ReadData, RunFolder, Without, marks_without


def figure_command(
    run: RunFolder = RUN,
    data: ReadData = str(DATA),
    systems: Annotated[str, typer.Option(help="Systems to show, with commas between.")] = "reference-ff,reference-ft",
    metric: Annotated[
        str, typer.Option(help="Decides which frame of a person is the best and which the worst.")
    ] = "lpips.alex",
    people: Annotated[
        str, typer.Option(help="Whom to show, with commas between.", show_default="everybody tested")
    ] = "",
    to: Annotated[Path, typer.Option("--out", help="The picture to write (.png, .jpg or .webp).")] = Path("figure.png"),
    without: Without = "",
) -> None:
    """Draw the best and the worst frame of each person under test at every number of shots, for a paper or a page.

    The picture carries a label, a watermark, metadata and a signature that say that it is synthetic. What has to stand
    beside it is printed: how the frames were chosen, and source and terms of each clip.

    Example: [bold]headshot figure --run runs/demo --data data/demo --out figure.png[/]
    """
    from eval.runs.results import Run
    from model.disclosure.mark import write_picture
    from pipeline.store import Store
    from reports.figure import shots_figure

    names, shown = ([name.strip() for name in listed.split(",") if name.strip()] for listed in (systems, people))
    marks = marks_without(without)
    figure = shots_figure(Run.open(run), Store.open(data), names, metric, shown, marks)
    write_picture(to, figure.picture, figure.shown, marks, place="drawn")
    out.print(f"{to}: {figure.caption}", *figure.credits, sep="\n", markup=False)
