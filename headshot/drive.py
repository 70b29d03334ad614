"""`headshot drive`: a person, a driving clip, a labelled synthetic video."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from headshot.console import out, progress_bars
from headshot.options import DATA, RUN, Device, ReadData, RunFolder, Seed, Without, marks_without

Motion = Literal["relative", "absolute"]


def drive_command(
    support: Annotated[
        str, typer.Option(help="The person: a clip of the dataset, a video, a picture, or a folder of pictures.")
    ],
    driving: Annotated[str, typer.Option(help="The movements: a clip of the dataset or a video.")],
    to: Annotated[Path, typer.Option("--out", help="The video to write (.mp4).")],
    shots: Annotated[
        int | None,
        typer.Option(min=1, help="Support frames to adapt to.", show_default="8, or all where there are fewer"),
    ] = None,
    motion: Annotated[
        Motion,
        typer.Option(
            help="relative: the person moves as the driver does and keeps their own proportions; absolute: the "
            "driver's landmarks as they are."
        ),
    ] = "relative",
    feed_forward: Annotated[bool, typer.Option("--feed-forward", help="Do not fine-tune.")] = False,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Iterations of fine-tuning.", show_default="of the preset")
    ] = None,
    data: ReadData = str(DATA),
    run: RunFolder = RUN,
    device: Device = "auto",
    seed: Seed = 0,
    without: Without = "",
) -> None:
    """Animate a person with the landmarks of a driving clip, side by side with it.

    The driving clip is heard with it, if it has sound (clips of a dataset: if that was made with --audio). The video
    carries a label, a watermark, metadata and a signature that say so. Ask the person before you publish it.

    Example: [bold]headshot drive --support jwp/intro/full --driving franck/talking-face/full --out drive.mp4[/]
    """
    from reports.animation import Request, animate

    request = Request(
        support=support,
        driving=driving,
        shots=shots,
        relative=motion == "relative",
        fine_tune=not feed_forward,
        steps=steps,
        data=data,
        seed=seed,
    )
    with progress_bars() as bars:
        bars.add_task(f"adapting to {support} and rendering {driving}", total=None, note="")
        result = animate(request, run / "checkpoint", to, device, marks_without(without))
    out.print(
        f"{to}: {result.frames} frames at {result.fps:g} fps, {result.shots} shots, {result.iterations} iterations"
        + (f", {result.skipped} driving frames without a face left out" if result.skipped else "")
        + (", with the sound of the driving clip" if result.sound else "")
    )
