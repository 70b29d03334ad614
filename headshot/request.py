"""`headshot request`: the tasks of a benchmark as files, to be answered elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from headshot.console import out
from headshot.options import DATA, ReadData, Seed, folder, numbers


def request_command(
    to: Annotated[Path, typer.Option("--out", parser=folder, help="New folder for request.json and its files.")],
    data: ReadData = str(DATA),
    shots: Annotated[str, typer.Option(help="Numbers of support frames, such as 1,8,32.")] = "1,8,32",
    size: Annotated[int, typer.Option(min=32, help="Side of the frames, in pixels.")] = 128,
    query_frames: Annotated[int, typer.Option(min=8, help="Frames to draw for each clip.")] = 32,
    draws: Annotated[int, typer.Option(min=1, help="Independent support draws for each clip.")] = 1,
    gaze: Annotated[bool, typer.Option("--gaze", help="Give 70 points, irises included.")] = False,
    seed: Seed = 0,
) -> None:
    """Write what a program would be asked, so that frames can be made on another machine and scored later.

    Benchmark them with the same options: `headshot benchmark --systems NAME=dir:OUT/frames`. The folder holds pictures
    of the people under test; treat it like the dataset.

    Example: [bold]headshot request --data data/demo --shots 1,8,32 --out requests/demo[/]
    """
    from eval.asking import asked
    from eval.systems.request import publish_request, write_tasks
    from eval.tasks import make_tasks
    from pipeline.store import Store
    from weights.errors import HeadshotError

    if to.exists() and any(to.iterdir()):
        raise HeadshotError(f"{to} is there and not empty; give a new folder")
    store = Store.open(data)
    tasks = make_tasks(
        store, numbers(shots, "--shots"), size_px=size, seed=seed, query_frames=query_frames, draws=draws
    )
    request = write_tasks(to, asked(store.with_irises() if gaze else store, tasks, tasks.tasks))
    path = publish_request(to, request)
    frames = sum(len(task.outputs) for task in request.tasks)
    out.print(f"{path}: {len(request.tasks)} tasks, {frames} frames to draw")
