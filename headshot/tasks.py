"""`headshot tasks`: which frames are shown and which are to be drawn, as a file that everybody can score on."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshot.console import err, out
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
    draws_of,
    numbers,
    one_of,
)
from weights.errors import HeadshotError

if TYPE_CHECKING:
    from eval.tasks.pairs import PairList
    from eval.tasks.protocols import Protocol as ProtocolName
    from eval.tasks.task_set import TaskSet
    from pipeline.store import Store

FrozenTasks = Annotated[
    Path | None,
    typer.Option(help="Frozen tasks of `headshot tasks make`, in place of the options that make tasks."),
]
app = typer.Typer(help="Frozen tasks: the same frames and pairs for everybody.", no_args_is_help=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """The options that tasks are made from."""

    shots: list[int]
    protocol: "ProtocolName"
    pairs: "PairList | None"
    size: int
    query_frames: int
    draws: int | dict[int, int] | None
    limit: int | None
    seed: int

    @classmethod
    def parse(
        cls,
        *,
        shots: str,
        protocol: str,
        pairs: Path | None,
        size: int,
        query_frames: int,
        draws: str,
        limit: int | None,
        seed: int,
    ) -> "TaskOptions":
        """Return the options as they were typed.

        Raises:
            HeadshotError: One of them means nothing.
        """
        from eval.tasks.pairs import read_pairs
        from eval.tasks.protocols import RULES

        one_of(protocol, RULES, "--protocol")
        return cls(
            shots=numbers(shots, "--shots"),
            protocol=next(name for name in RULES if name == protocol),
            pairs=read_pairs(pairs) if pairs else None,
            size=size,
            query_frames=query_frames,
            draws=draws_of(draws),
            limit=limit,
            seed=seed,
        )

    def make(self, store: "Store") -> "TaskSet":
        """Return the tasks of a data set."""
        from eval.tasks.making import make_tasks

        return make_tasks(
            store,
            self.shots,
            size_px=self.size,
            seed=self.seed,
            query_frames=self.query_frames,
            draws=self.draws,
            protocol=self.protocol,
            limit=self.limit,
            pairs=self.pairs,
        )


def frozen_tasks(path: Path, store: "Store", context: typer.Context) -> "TaskSet":
    """Return the tasks in a file, which must have been made from this data set.

    Raises:
        HeadshotError: They were not, or an option that makes other tasks is given as well.
    """
    from eval.tasks.task_set import TaskSet

    sources = {field.name: context.get_parameter_source(field.name) for field in fields(TaskOptions)}
    given = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    if given:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise HeadshotError(f"{path} says which tasks there are, and so does {options}; give one of the two")
    tasks = TaskSet.load(path)
    tasks.check(store)
    return tasks


@app.command()
def make(
    data: ReadData = str(DATA),
    to: Annotated[Path, typer.Option("--out", "-o", help="File to write.")] = Path("tasks.json"),
    shots: Shots = "1,8,32",
    protocol: Protocol = "self",
    pairs: Pairs = None,
    size: Size = 128,
    query_frames: QueryFrames = 32,
    draws: Draws = "auto",
    limit: Limit = None,
    seed: Seed = 0,
) -> None:
    """Write the tasks of a dataset to a file, and print its hash: whoever has both scores on the same frames.

    Example: [bold]headshot tasks make --data data/demo --shots 1,8,32 --out tasks.json[/]
    """
    from pipeline.store import Store

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
    tasks = options.make(Store.open(data))
    tasks.save(to)
    out.print(f"{len(tasks.tasks)} tasks of {len(tasks.identities())} people, {tasks.label}: {to}")
    out.print(f"sha256 {tasks.sha256()}")
    for skip in tasks.skipped:
        err.print(f"left out: {skip.clip}: {skip.reason}", markup=False)
