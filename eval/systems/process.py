"""A program that is not ours, run with bounds on time, memory and disk, and ended with everything it started."""

import os
import signal
import subprocess
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import psutil
from pydantic import Field

from weights.record import Record

GIBIBYTE = 2**30
POLL_S, MOST_POLL_S = 0.05, 2.0
"""Between two looks, at least and at most."""
POLL_SHARE = 0.05
"""Looking takes about this share of the time, however many files and processes there are."""
QUIET_S = 1.0
"""A task is taken as written once all its files are there and nothing was written to them for this long."""
GRACE_S = 3.0
"""Between asking a program to end and ending it."""
LOG_TAIL_BYTES = 4096


class Limits(Record):
    """What a program may take. Not part of what it is: a frame does not depend on them."""

    task_s: Annotated[float, Field(gt=0)] = 600
    """Without another task being finished; the first one has the start of the program in it."""
    total_s: Annotated[float, Field(gt=0)] = 86_400
    """For all tasks together."""
    memory_gib: Annotated[float, Field(gt=0)] | None = None
    """Of the program and all it starts, without the accelerator's; 90% of the machine where absent."""
    disk_gib: Annotated[float, Field(gt=0)] | None = None
    """Of frames and log; where absent, twice what the frames take as raw pixels and 64 MiB."""

    @property
    def memory_bytes(self) -> int:
        """The bound on memory."""
        return int(0.9 * psutil.virtual_memory().total if self.memory_gib is None else self.memory_gib * GIBIBYTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to start, and how."""

    command: tuple[str, ...]
    working_dir: Path
    environment: Mapping[str, str]
    """All variables that it gets."""
    log: Path
    """Gets what it prints, behind what is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Where a run of a program ends, whatever the program thinks."""

    task_s: float
    deadline: float
    """On the clock of `time.monotonic`."""
    memory_bytes: int
    disk_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """All files of a task are there and nobody writes to them."""

    task: str
    peak_memory_bytes: int
    """The most that the program took until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a program ended."""

    reason: str
    """Empty where it ended by itself and said that all is well."""
    exit_code: int | None
    """None where it was ended, or could not be started."""
    last: bool = False
    """There is no time, or no use, for another run."""
    peak_memory_bytes: int | None = None
    """The most that the program took."""


class Running:
    """A started program: how long, how much memory, and the end of it."""

    def __init__(self, program: Program) -> None:
        """Start the program in a process group of its own, without anything to read from."""
        program.log.parent.mkdir(parents=True, exist_ok=True)
        with program.log.open("ab") as log:
            self._process = subprocess.Popen(
                program.command,
                cwd=program.working_dir,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._known: dict[int, psutil.Process] = {}
        self.peak_memory_bytes = 0

    def exit_code(self) -> int | None:
        """Return the exit code, minus the signal that ended it, or None while it runs."""
        return self._process.poll()

    def takes_more_than(self, memory_bytes: int) -> bool:
        """Return whether the program and all it started take more memory than that.

        Resident memory is asked for first, as it is cheap. What processes share counts in each of them there, so only
        where it is too much does the proportional share decide, which counts it once.
        """
        resident = self._sum("rss")
        self.peak_memory_bytes = max(self.peak_memory_bytes, resident)
        return resident > memory_bytes and self._sum("pss") > memory_bytes

    def end(self) -> None:
        """End the program and everything it started: ask first, then do not ask."""
        self._tree()
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
            for process in self._known.values():
                with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    process.send_signal(number)
            psutil.wait_procs(list(self._known.values()), timeout=GRACE_S)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=GRACE_S)

    def _tree(self) -> list[psutil.Process]:
        """Return the processes that live; those that were seen once are known even where their parent is gone."""
        with suppress(psutil.NoSuchProcess):
            root = psutil.Process(self._process.pid)
            for process in root.children(recursive=True):
                self._known.setdefault(process.pid, process)
            return [root, *self._known.values()]
        return list(self._known.values())

    def _sum(self, measure: str) -> int:
        total = 0
        for process in self._tree():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                info = process.memory_info() if measure == "rss" else process.memory_full_info()
                total += getattr(info, measure, info.rss)
        return total


def run(
    program: Program, outputs: Mapping[str, Sequence[Path]], folder: Path, bounds: Bounds
) -> Generator[Written | Ending, None, None]:
    """Run a program; yield the tasks that it writes, and behind them how it ended.

    A task whose files are not all there when the program ends is not yielded. Where this generator is closed early, the
    program is ended.

    Args:
        program: What to start.
        outputs: The files of each task.
        folder: What counts against the bound on disk, with what is added to the log.
        bounds: Where it ends at the latest.
    """
    try:
        running = Running(program)
    except OSError as error:
        what = f"{program.command[0]} cannot be started in {program.working_dir}"
        yield Ending(reason=f"not_started: {what} ({error.strerror})", exit_code=None, last=True)
        return
    try:
        ending = yield from _watch(running, program, outputs, folder, bounds)
    finally:
        running.end()
    yield replace(ending, peak_memory_bytes=running.peak_memory_bytes)


def _watch(
    running: Running, program: Program, outputs: Mapping[str, Sequence[Path]], folder: Path, bounds: Bounds
) -> Generator[Written, None, Ending]:
    waiting, seen = dict(outputs), set[str]()
    log_bytes = _disk_bytes(program.log)
    progressed = time.monotonic()
    while True:
        exit_code = running.exit_code()
        finished = [task for task, paths in waiting.items() if all(os.path.lexists(path) for path in paths)]
        if not seen.issuperset(finished):
            seen.update(finished)
            progressed = time.monotonic()
        for task in finished:
            if exit_code is not None or _is_quiet(waiting[task]):
                del waiting[task]
                yield Written(task=task, peak_memory_bytes=running.peak_memory_bytes)
        if exit_code is not None:
            return Ending(reason=_reason(exit_code, program.log), exit_code=exit_code)
        began = time.monotonic()
        if began > bounds.deadline:
            return Ending(reason="timed_out: the time for all tasks is over", exit_code=None, last=True)
        if began - progressed > bounds.task_s:
            return Ending(reason=f"timed_out: finished no task for {bounds.task_s:g} s", exit_code=None)
        if running.takes_more_than(bounds.memory_bytes):
            limit = f"{bounds.memory_bytes / GIBIBYTE:.3g} GiB"
            return Ending(reason=f"out_of_memory: took more than {limit}", exit_code=None)
        if _disk_bytes(folder) + _disk_bytes(program.log) - log_bytes > bounds.disk_bytes:
            limit = f"{bounds.disk_bytes / GIBIBYTE:.3g} GiB"
            return Ending(reason=f"disk_full: wrote more than {limit}", exit_code=None)
        time.sleep(min(max(POLL_S, (time.monotonic() - began) / POLL_SHARE), MOST_POLL_S))


def _is_quiet(paths: Sequence[Path]) -> bool:
    times = modified(paths)
    return len(times) == len(paths) and time.time() - max(times) > QUIET_S


def modified(paths: Sequence[Path]) -> list[float]:
    """Return when the files were written last that are there, in seconds; a program may take them away meanwhile."""
    times = []
    for path in paths:
        with suppress(OSError):
            times.append(path.lstat().st_mtime)
    return times


def _disk_bytes(path: Path) -> int:
    """Return what a file, or a folder with all that is in it, takes on disk; links are not followed."""
    total = 0
    for entry in _entries(path):
        with suppress(FileNotFoundError):
            total += entry.lstat().st_blocks * 512
    return total


def _entries(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, _, names in os.walk(path):
        yield from (Path(folder) / name for name in names)


def _reason(exit_code: int, log: Path) -> str:
    """Return why a program ended that was not asked to, with the last thing it said."""
    if exit_code == 0:
        return ""
    how = f"exit code {exit_code}" if exit_code > 0 else f"killed by {_signal_name(-exit_code)}"
    return f"crashed: {how}: {last_line(log)}"


def last_line(log: Path) -> str:
    """Return the last line of a log that says anything."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
