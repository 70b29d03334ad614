"""`headshot request`: the tasks of a benchmark as files, to be answered elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from headshot.console import out
from headshot.options import (
    DATA,
    Draws,
    Limit,
    Pairs,
    Protocol,
    QueryFrames,
    ReadData,
    Seed,
    Shots,
    Size,
    folder,
)
from headshot.tasks import FrozenTasks, TaskOptions, frozen_tasks


def request_command(
    context: typer.Context,
    to: Annotated[Path, typer.Option("--out", parser=folder, help="New folder for request.json and its files.")],
    data: ReadData = str(DATA),
    tasks: FrozenTasks = None,
    shots: Shots = "1,8,32",
    protocol: Protocol = "self",
    pairs: Pairs = None,
    size: Size = 128,
    query_frames: QueryFrames = 32,
    draws: Draws = "auto",
    limit: Limit = None,
    gaze: Annotated[bool, typer.Option("--gaze", help="Give 70 points, irises included.")] = False,
    seed: Seed = 0,
) -> None:
    """Write what a program would be asked, so that frames can be made on another machine and scored later.

    Benchmark them with the same tasks: `headshot benchmark --systems NAME=dir:OUT/frames`. The folder holds pictures
    of the people under test; treat it like the dataset.

    Example: [bold]headshot request --data data/demo --shots 1,8,32 --out requests/demo[/]
    """
    from eval.rendering.asking import asked
    from eval.systems.request import publish_request, write_tasks
    from pipeline.store import Store
    from weights.errors import HeadshotError

    if to.exists() and any(to.iterdir()):
        raise HeadshotError(f"{to} is there and not empty; give a new folder")
    options = TaskOptions.parse(
        shots=shots,
        protocol=protocol,
        pairs=pairs,
        size=size,
        query_frames=query_frames,
        draws=draws,
        limit=limit,
        seed=seed,
    )
    store = Store.open(data)
    wanted = frozen_tasks(tasks, store, context) if tasks else options.make(store)
    request = write_tasks(to, asked(store.with_irises() if gaze else store, wanted, wanted.tasks))
    path = publish_request(to, request)
    frames = sum(len(task.outputs) for task in request.tasks)
    out.print(f"{path}: {len(request.tasks)} tasks, {frames} frames to draw")
