"""`headshot figure`: a run to one picture."""

from pathlib import Path
from typing import Annotated

import typer

from headshot.console import out
from headshot.options import DATA, RUN, ReadData, RunFolder


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
    to: Annotated[Path, typer.Option("--out", help="The picture to write (.png or .jpg).")] = Path("figure.png"),
) -> None:
    """Draw the best and the worst frame of each person under test at every number of shots, for a paper or a page.

    The picture is labelled as synthetic, in the picture and in its metadata. What has to stand beside it is printed:
    how the frames were chosen, and source and terms of each clip.

    Example: [bold]headshot figure --run runs/demo --data data/demo --out figure.png[/]
    """
    from eval.runs.results import Run
    from model.labelled_picture import write_labelled
    from pipeline.store import Store
    from reports.figure import shots_figure

    names, shown = ([name.strip() for name in listed.split(",") if name.strip()] for listed in (systems, people))
    figure = shots_figure(Run.open(run), Store.open(data), names, metric, shown)
    write_labelled(to, figure.picture, f"{figure.caption} {' '.join(figure.credits)}")
    out.print(f"{to}: {figure.caption}", *figure.credits, sep="\n", markup=False)
