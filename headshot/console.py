"""Where text goes: results to standard output, everything else to standard error."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

LOG_WIDTH = 160
"""Columns where there is no terminal: a log file wraps nothing."""


def _console(*, stderr: bool) -> Console:
    """Return a console as wide as the terminal, or as a log where there is none."""
    made = Console(stderr=stderr, highlight=False, soft_wrap=True)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, soft_wrap=True, width=LOG_WIDTH)


out = _console(stderr=False)
err = _console(stderr=True)


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Yield progress bars on standard error, which stay silent where that is not a terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bars:
        yield bars


class Bar:
    """One bar that follows (done, total, note)."""

    def __init__(self, bars: Progress, description: str) -> None:
        self._bars = bars
        self._task = bars.add_task(description, total=None, note="")

    def show(self, done: float, total: float | None, note: str = "") -> None:
        """Move to `done` of `total`, None if nobody knows how much there is."""
        self._bars.update(self._task, completed=done, total=total, note=note)


class Downloads:
    """A bar for each archive that is being downloaded; several threads may report."""

    def __init__(self, bars: Progress) -> None:
        self._bars, self._of = bars, dict[str, Bar]()

    def __call__(self, name: str, done_bytes: int, total_bytes: int) -> None:
        """Show how much of an archive has arrived, in megabytes."""
        if name not in self._of:
            self._of[name] = Bar(self._bars, f"fetching {name}")
        self._of[name].show(round(done_bytes / 1e6), max(1, round(total_bytes / 1e6)), "MB")


def table(title: str, *columns: str) -> Table:
    """Return an empty table with these columns, plain enough for a log file."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made
