"""`headshot train`: meta-learn the reference model, or train a baseline."""

from typing import Annotated, Literal

import typer

from headshot.console import Bar, out, progress_bars
from headshot.options import DATA, RUN, Device, ReadData, RunFolder, Seed


def train_command(
    preset: Annotated[
        str,
        typer.Argument(
            help="compact, compact-faithful, tiny for a trial run, zakharov-256-v1 or zakharov-256-v2, or a baseline: "
            "x2face-compact or pix2pixhd-compact."
        ),
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
    accumulate: Annotated[
        int, typer.Option(min=1, help="Parts of a batch computed one after the other, to save memory.")
    ] = 1,
    compiled: Annotated[bool, typer.Option("--compile", help="Compile the networks with torch.compile.")] = False,
    loaders: Annotated[
        int | None,
        typer.Option(min=0, help="Processes that prepare batches; 0 is a thread.", show_default="by the device"),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Print the resolved preset and stop.")] = False,
) -> None:
    """Train the reference model, or a learned baseline, on the training identities of a dataset.

    Writes `checkpoint/` in the folder of the run, or `baselines/PRESET/` for a baseline, with its values in
    `stats.jsonl` and for TensorBoard, and sample grids. Killed at any moment, the same command goes on from the last
    saved step; a finished checkpoint is left alone. Several GPUs share each batch:
    `torchrun --nproc-per-node 4 -m -- headshot train ...`.

    Example: [bold]headshot train compact --data data/demo --run runs/demo[/]
    """
    from model.families import find_preset, varied

    chosen = varied(find_preset(preset), variant=variant, embedded_content=content == "embedded", gaze=gaze)
    if show:
        out.print_json(chosen.model_dump_json())
        return
    from eval.systems.builtin import checkpoint_of
    from model.processes import first_of_all
    from model.training import train
    from pipeline.store import Store

    folder = checkpoint_of(run, preset)
    latest: dict[str, float] = {}
    with progress_bars() as bars:
        bar = Bar(bars, f"training {preset}")

        def report(done: int, total: int, values: dict[str, float]) -> None:
            latest.update(values)
            bar.show(done, total, f"steps, content {values['content']:.2f}, {_pace(values)}")

        config = train(
            Store.open(data),
            chosen,
            folder,
            device=device,
            seed=seed,
            accumulate=accumulate,
            compiled=compiled,
            loaders=loaders,
            progress=report,
        )
    if first_of_all():
        pace = f", {_pace(latest)}" if latest else ""
        out.print(f"{folder}: preset {preset}, {config.steps} steps{pace}, sha256 {config.model_sha256[:12]}")


def _pace(values: dict[str, float]) -> str:
    return f"{values['images_per_s']:.1f} images/s, {100 * values['data_share']:.1f}% waiting for data"
