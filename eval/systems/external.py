"""Somebody's program as a system: started once for many tasks, in its own environment, and never imported."""

import logging
import os
import shutil
import tempfile
import time
import tomllib
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, JsonValue, ValidationError

from eval.systems.process import GIBIBYTE, Bounds, Ending, Limits, Program, Written, modified, run
from eval.systems.protocol import Asked, Cost, Delivered
from eval.systems.received import MISSING, read_pngs
from eval.systems.request import FRAMES_FOLDER, Request, publish_request, without, write_tasks
from weights.errors import HeadshotError
from weights.files import sha256_of
from weights.record import Record

_LOG = logging.getLogger(__name__)
ALWAYS_PASSED = ("PATH", "HOME", "LANG")
MOST_FRUITLESS_RUNS = 2
"""A program that ends badly so many times in a row without a single frame is not started again."""
SPARE_BYTES = 64 * 2**20


class ExternalSpec(Record):
    """A program as its TOML file describes it."""

    schema_version: Literal[1] = 1
    command: Annotated[tuple[str, ...], Field(min_length=1)]
    """The path of `request.json` is added as the last argument."""
    title: str = ""
    version: int | str = 1
    """Raised when anything changes that `files` does not show; frames of another version are rendered anew."""
    files: tuple[Path, ...] = ()
    """Code and weights whose content the frames depend on, besides those that the command names."""
    working_dir: Path = Path()
    """Where the command is started; as the files, relative to the TOML file."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Variables to set. They are written into the record of the run: no secrets here."""
    pass_environment: tuple[str, ...] = ()
    """Names of variables that are passed on, besides PATH, HOME and LANG."""
    gaze: bool = False
    """The program takes 70 points."""
    training_identities: frozenset[str] = frozenset()
    """People the model learned from."""
    limits: Limits = Limits()

    @classmethod
    def load(cls, path: Path) -> "ExternalSpec":
        """Read the description of a program, with paths made absolute.

        Raises:
            HeadshotError: The file is missing, or does not describe a program; a file that it names is missing.
        """
        try:
            spec = cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise HeadshotError(f"{path} cannot be read ({error.strerror}); it has to describe a program") from None
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
            raise HeadshotError(f"{path} does not describe a program: {error}") from None
        folder = (path.parent / spec.working_dir).resolve()
        files = tuple((folder / file).resolve() for file in spec.files)
        absent = [str(file) for file in (folder, *files) if not file.exists()]
        if absent:
            raise HeadshotError(f"{path} names {', '.join(absent)}, which is not there; mend working_dir or files")
        return spec.model_copy(update={"working_dir": folder, "files": files})

    def variables(self) -> dict[str, str]:
        """Return all variables that the program gets."""
        passed = (*ALWAYS_PASSED, *self.pass_environment)
        return {name: os.environ[name] for name in passed if name in os.environ} | self.environment

    def hashes(self) -> dict[str, JsonValue]:
        """Return the hashes of files that frames depend on: those listed, and those that the command names.

        The first word of the command is left out, because it mostly is an interpreter.
        """
        named = [self.working_dir / word for word in self.command[1:]]
        files = dict.fromkeys(path for path in (*named, *self.files) if path.is_file())
        return {os.path.relpath(path, self.working_dir): sha256_of(path) for path in files}


class ExternalSystem:
    """A program that gets a folder of tasks, and leaves a picture for each frame that was asked for.

    It is started once. Where it crashes, hangs, or takes too much memory or disk, the task that it was at loses the
    frames that are missing, and the program is started again for those that are left.

    Args:
        name: Of the system.
        spec: The program.
        log: Where to keep what it prints.

    Raises:
        HeadshotError: There is no such program.
    """

    def __init__(self, name: str, spec: ExternalSpec, log: Path) -> None:
        first = spec.command[0] if os.sep not in spec.command[0] else str(spec.working_dir / spec.command[0])
        if shutil.which(first, path=spec.variables().get("PATH")) is None:
            raise HeadshotError(f"{name}: there is no program {spec.command[0]}; give its full path in `command`")
        self.name = name
        self.title = spec.title or name
        self.gaze = spec.gaze
        self.training_identities = spec.training_identities
        self._spec, self._log, self._logged = spec, log, False

    @cached_property
    def config(self) -> dict[str, JsonValue]:
        """Everything that is known to decide about the frames."""
        return {
            "kind": "external process",
            "contract": 1,
            "version": self._spec.version,
            "command": list(self._spec.command),
            "environment": dict(self._spec.environment),
            "files_sha256": self._spec.hashes(),
        }

    def render_all(self, asked: Iterable[Asked]) -> Iterator[Delivered]:
        """Start the program until every task is answered or failed; yield each as soon as it is written.

        The log is begun with the first request, and goes on with further ones.
        """
        with tempfile.TemporaryDirectory(prefix="headshot-", ignore_cleanup_errors=True) as place:
            folder = Path(place).resolve()
            request = write_tasks(folder, asked)
            self._log.parent.mkdir(parents=True, exist_ok=True)
            if not self._logged:
                self._log.write_bytes(b"")
            self._logged = True
            deadline, fruitless = time.monotonic() + self._spec.limits.total_s, 0
            while request.tasks:
                reader = _Reader(folder, request)
                with closing(start(self._spec, self._log, folder, request, deadline)) as events:
                    for event in events:
                        if isinstance(event, Ending):
                            ending = event
                        else:
                            yield reader.read(event.task, event.peak_memory_bytes)
                if ending.reason:
                    _LOG.warning("%s: %s; its log is %s", self.name, ending.reason, self._log)
                for task in reader.begun() if ending.reason else list(reader.waiting):
                    yield reader.read(task, ending.peak_memory_bytes, missing=ending.reason)
                fruitless = 0 if reader.found_any else fruitless + 1
                for task in list(reader.waiting) if ending.last or fruitless == MOST_FRUITLESS_RUNS else ():
                    yield reader.read(task, ending.peak_memory_bytes, missing=ending.reason)
                request = without(request, reader.done)
                _clear(folder / FRAMES_FOLDER)


def start(
    spec: ExternalSpec, log: Path, folder: Path, request: Request, deadline: float
) -> Generator[Written | Ending, None, None]:
    """Write `request.json`, start a program on it, and yield what it does; see `eval.systems.process.run`.

    Args:
        spec: The program.
        log: Gets what it prints.
        folder: Where the files of the tasks are.
        request: What to ask.
        deadline: When to end it, on the clock of `time.monotonic`.
    """
    path = publish_request(folder, request)
    outputs = {task.id: [folder / output for output in task.outputs] for task in request.tasks}
    raw_bytes = sum(map(len, outputs.values())) * request.size_px**2 * 3
    limits = spec.limits
    program = Program(
        command=(*spec.command, str(path)),
        working_dir=spec.working_dir,
        environment=spec.variables(),
        log=log,
    )
    bounds = Bounds(
        task_s=limits.task_s,
        deadline=deadline,
        memory_bytes=limits.memory_bytes,
        disk_bytes=2 * raw_bytes + SPARE_BYTES if limits.disk_gib is None else int(limits.disk_gib * GIBIBYTE),
    )
    return run(program, outputs, folder / FRAMES_FOLDER, bounds)


class _Reader:
    """Reads what one run of a program left for each task, and when."""

    def __init__(self, folder: Path, request: Request) -> None:
        self.waiting = {task.id: [folder / output for output in task.outputs] for task in request.tasks}
        self.done: set[str] = set()
        self.found_any = False
        self._size_px = request.size_px
        self._since = time.time()

    def begun(self) -> list[str]:
        """Return the tasks that are done, and those that the program was at: those with a file, else the next one."""
        files = {task: len(modified(paths)) for task, paths in self.waiting.items()}
        whole = [task for task, count in files.items() if count == len(self.waiting[task])]
        parts = [task for task, count in files.items() if count and task not in whole]
        return whole + (parts or [task for task in files if task not in whole][:1])

    def read(self, task: str, peak_memory_bytes: int | None, missing: str = "") -> Delivered:
        """Return what is there of a task; what is not there is so for the reason given."""
        paths = self.waiting.pop(task)
        self.done.add(task)
        found = read_pngs(paths, self._size_px)
        if missing:
            found = {place: missing if isinstance(one, str) and one == MISSING else one for place, one in found.items()}
        self.found_any |= not all(isinstance(one, str) for one in found.values())
        return Delivered.of(task, found, self._size_px, self._cost(modified(paths), peak_memory_bytes))

    def _cost(self, times: list[float], peak_memory_bytes: int | None) -> Cost:
        """Return the time until the first frame, counted from the end of the task before, and the pace of the rest."""
        if not times:
            return Cost(peak_memory_bytes=peak_memory_bytes)
        first, last, since = min(times), max(times), self._since
        self._since = max(since, last)
        return Cost(
            adaptation_s=max(0.0, first - since),
            render_fps=(len(times) - 1) / (last - first) if last > first else None,
            peak_memory_bytes=peak_memory_bytes,
        )


def _clear(place: Path) -> None:
    """Remove what a program left, whatever it made of it; scratch files would count against the next run."""
    if place.is_symlink() or place.is_file():
        place.unlink()
    else:
        shutil.rmtree(place, ignore_errors=True)
