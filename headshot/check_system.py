"""`headshot check-system`: does a program keep the contract?"""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshot.console import out, table

if TYPE_CHECKING:
    from eval.systems.external import ExternalSpec


def check_system_command(
    command: Annotated[
        str, typer.Argument(help="The program with its arguments, or the .toml file that describes it.")
    ],
    working_dir: Annotated[Path, typer.Option(help="Where to start it; a .toml file says so itself.")] = Path(),
    size: Annotated[int, typer.Option(min=32, help="Side of the frames, in pixels.")] = 128,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that it may take without finishing a task.")] = 300,
    gaze: Annotated[bool, typer.Option("--gaze", help="Give 70 points; a .toml file says so itself.")] = False,
) -> None:
    """Run a program on two tiny tasks, and explain everything that is not as it should be.

    The faces are drawn, so a program that has to find a face by itself may fail here. The exit code is 1 where the
    contract is broken; remarks break nothing.

    Example: [bold]headshot check-system "python3 nearest_frame.py" --working-dir examples/systems[/]
    """
    from eval.systems.check import check
    from eval.systems.drawn import drawn_tasks

    spec = _spec(command, working_dir, timeout, gaze=gaze)
    checked = check(spec, drawn_tasks(size, gaze=spec.gaze))
    rows = table(f"{shlex.join(spec.command)} on two tasks", "", "checked", "found", "what to do")
    for one in checked.findings:
        mark = {True: "ok", False: "BROKEN", None: "remark"}[one.kept]
        rows.add_row(mark, one.what, one.said, one.advice)
    out.print(rows)
    if not checked.kept:
        if checked.log:
            out.print("\nthe end of what it printed:")
            out.print(checked.log, markup=False)
        raise typer.Exit(1)


def _spec(command: str, working_dir: Path, timeout: float, *, gaze: bool) -> "ExternalSpec":
    from eval.systems.external import ExternalSpec
    from eval.systems.process import Limits
    from weights.errors import HeadshotError

    if command.endswith(".toml"):
        return ExternalSpec.load(Path(command))
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise HeadshotError(f"{command!r} is no command line: {error}") from None
    if not words:
        raise HeadshotError("the command is empty; give the program with its arguments, such as 'python infer.py'")
    limits = Limits(task_s=timeout, total_s=2 * timeout)
    return ExternalSpec(command=words, working_dir=working_dir.resolve(), gaze=gaze, limits=limits)
