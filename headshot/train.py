"""`headshot train`: meta-learn the reference model, or train a baseline."""

from typing import Annotated

import typer

from headshot.console import Bar, out, progress_bars
from headshot.options import DATA, RUN, Device, ReadData, RunFolder, Seed


def train_command(
    preset: Annotated[
        str, typer.Argument(help="compact, tiny for a trial run, or a baseline: x2face-compact, pix2pixhd-compact.")
    ] = "compact",
    data: ReadData = str(DATA),
    run: RunFolder = RUN,
    device: Device = "auto",
    seed: Seed = 0,
    show: Annotated[bool, typer.Option("--show", help="Print the resolved preset and stop.")] = False,
) -> None:
    """Train the reference model, or a learned baseline, on the training identities of a dataset.

    Writes `checkpoint/` in the folder of the run, or `baselines/PRESET/` for a baseline. Killed at any moment, the
    same command goes on from the last saved step; a finished checkpoint is left alone.

    Example: [bold]headshot train compact --data data/demo --run runs/demo[/]
    """
    from model.families import find_preset

    chosen = find_preset(preset)
    if show:
        out.print_json(chosen.model_dump_json())
        return
    from eval.systems.builtin import checkpoint_of
    from model.training import train
    from pipeline.store import Store

    folder = checkpoint_of(run, preset)
    with progress_bars() as bars:
        bar = Bar(bars, f"training {preset}")

        def report(done: int, total: int, values: dict[str, float]) -> None:
            note = f"steps, content {values['content']:.2f}, {values['images_per_s']:.1f} images/s"
            bar.show(done, total, f"{note}, {100 * values['data_share']:.0f}% waiting for data")

        config = train(Store.open(data), chosen, folder, device=device, seed=seed, progress=report)
    out.print(f"{folder}: preset {preset}, {config.steps} steps, sha256 {config.model_sha256[:12]}")
