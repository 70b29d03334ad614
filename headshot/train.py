"""`headshot train`: meta-learn the reference model."""

from typing import Annotated, Literal

import typer

from headshot.console import Bar, out, progress_bars
from headshot.options import DATA, RUN, Device, ReadData, RunFolder, Seed


def train_command(
    preset: Annotated[
        str, typer.Argument(help="compact, tiny for a trial run, zakharov-256-v1 or zakharov-256-v2.")
    ] = "compact",
    data: ReadData = str(DATA),
    run: RunFolder = RUN,
    device: Device = "auto",
    seed: Seed = 0,
    variant: Annotated[
        Literal["ff", "ft"] | None,
        typer.Option(help="ff: learn for use without fine-tuning. ft: for use with it.", show_default="of the preset"),
    ] = None,
    content: Annotated[
        Literal["embedded"] | None,
        typer.Option(help="Compare frames in VGG16, which comes from a package.", show_default="of the preset"),
    ] = None,
    gaze: Annotated[
        bool, typer.Option("--gaze", help="Show irises in the landmark maps; the data must have them.")
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the resolved preset and stop.")] = False,
) -> None:
    """Train the reference model on the training identities of a dataset.

    Writes `checkpoint/` in the folder of the run. Killed at any moment, the same command goes on from the last
    saved step; a finished checkpoint is left alone.

    Example: [bold]headshot train compact --data data/demo --run runs/demo[/]
    """
    from model.presets import preset as find_preset

    chosen = find_preset(preset).varied(variant=variant, embedded_content=content == "embedded", gaze=gaze)
    if show:
        out.print_json(chosen.model_dump_json())
        return
    from model.training import train
    from pipeline.store import Store

    with progress_bars() as bars:
        bar = Bar(bars, f"training {preset}")

        def report(done: int, total: int, values: dict[str, float]) -> None:
            note = f"steps, content {values['content']:.2f}, {values['images_per_s']:.1f} images/s"
            bar.show(done, total, f"{note}, {100 * values['data_share']:.0f}% waiting for data")

        config = train(Store.open(data), chosen, run / "checkpoint", device=device, seed=seed, progress=report)
    out.print(f"{run / 'checkpoint'}: preset {preset}, {config.steps} steps, sha256 {config.model_sha256[:12]}")
