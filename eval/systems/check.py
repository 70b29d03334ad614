"""Whether a program keeps the contract, and what to do where it does not."""

import hashlib
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from eval.systems.external import ExternalSpec, start
from eval.systems.process import Ending
from eval.systems.protocol import Asked
from eval.systems.received import Found, read_pngs
from eval.systems.request import FRAMES_FOLDER, REQUEST_FILE, TASKS_FOLDER, Request, write_tasks

ADVICE = (
    ("missing", "Write every path in `outputs` of every task. A frame that cannot be drawn may be left out: it fails."),
    ("is empty", "The file was made, but nothing was written: look whether the writer says that it failed."),
    ("is no PNG", "Write PNG whatever the model makes; a name that ends in .png is not enough."),
    ("is cut off", "Wait until the file is written before the program ends."),
    ("checksum", "Two writers may have shared the file, or something wrote into it afterwards."),
    ("colour type", "Write three channels of 8 bits: no alpha, no grey, no palette, no 16 bits."),
    ("pixels", "Draw `size_px` x `size_px`, as the request says: resize what the model makes."),
    ("link", "Write the file itself; what lies behind a link is not read."),
    ("is no file", "Write a file at that path."),
    ("too much", "One frame in one PNG, without anything else in it."),
    ("cannot be decoded", "Open the file with another program, and write it again with OpenCV or Pillow."),
    ("timed_out", "Raise `limits.task_s`, or --timeout here, if the program only needs longer."),
    ("out_of_memory", "Raise `limits.memory_gib`, or draw fewer frames at a time."),
    ("disk_full", "Keep scratch files out of the folder of the frames, print less, or raise `limits.disk_gib`."),
    ("not_started", "Give the full path of the program, and look whether the file may be executed."),
    ("crashed", "The log below says where. The path of request.json is the last word of the command."),
)
"""What to do about a reason that holds these words; the first that fits."""

WHOLE_LOG_LINES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str
    kept: bool | None
    """Whether the contract is kept; None is a remark on something that it leaves open."""
    said: str
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a program did with two tasks."""

    findings: tuple[Finding, ...]
    log: str
    """The end of what it printed."""

    @property
    def kept(self) -> bool:
        """Whether the contract is kept."""
        return not any(finding.kept is False for finding in self.findings)


def check(spec: ExternalSpec, asked: Sequence[Asked]) -> Checked:
    """Run a program on a few tasks and look at all that it did.

    Args:
        spec: The program.
        asked: The tasks.
    """
    with tempfile.TemporaryDirectory(prefix="headshot-check-", ignore_cleanup_errors=True) as place:
        folder = Path(place).resolve() / "request"
        folder.mkdir()
        log = folder.parent / "log"
        request = write_tasks(folder, asked)
        before = _hashes(folder / TASKS_FOLDER)
        began = time.monotonic()
        with closing(start(spec, log, folder, request, began + spec.limits.total_s)) as events:
            ending = next(event for event in events if isinstance(event, Ending))
        took_s = time.monotonic() - began
        found = {
            task.id: read_pngs([folder / path for path in task.outputs], request.size_px) for task in request.tasks
        }
        findings = (
            _how_it_ended(ending, took_s),
            *_frames(found, ending),
            _strays(folder, request),
            _inputs(before, _hashes(folder / TASKS_FOLDER)),
            *_looks(asked, found),
        )
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
        return Checked(findings=findings, log="\n".join(lines[-WHOLE_LOG_LINES:]))


def _how_it_ended(ending: Ending, took_s: float) -> Finding:
    what = "starts, and ends by itself with exit code 0"
    if ending.reason:
        return Finding(what=what, kept=False, said=ending.reason, advice=_advice(ending.reason))
    return Finding(what=what, kept=True, said=f"after {took_s:.1f} s")


def _frames(found: dict[str, Found], ending: Ending) -> Iterator[Finding]:
    """Yield how many frames are as they should be, and a finding for each reason why one is not."""
    frames = [frame for task in found.values() for frame in task.values()]
    reasons = Counter(frame for frame in frames if isinstance(frame, str))
    good = len(frames) - reasons.total()
    yield Finding(
        what="frames are there", kept=not reasons, said=f"{good} of {len(frames)} frames of {len(found)} tasks"
    )
    for reason, count in reasons.items():
        first = next(
            f"{FRAMES_FOLDER}/{task}/{place:05d}.png"
            for task, places in found.items()
            for place, frame in places.items()
            if frame == reason
        )
        advice = _advice(reason) if not ending.reason or not reason.startswith("missing") else ""
        yield Finding(what=f"{count} frames", kept=False, said=f"{reason} (first: {first})", advice=advice)


def _strays(folder: Path, request: Request) -> Finding:
    what = "writes nothing but the frames"
    expected = {REQUEST_FILE, *(output for task in request.tasks for output in task.outputs)}
    paths = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if not path.is_dir()]
    strays = [path for path in paths if path not in expected and not path.startswith(f"{TASKS_FOLDER}/")]
    if not strays:
        return Finding(what=what, kept=True, said="nothing else in the folder of the request")
    said = f"{len(strays)} other files, such as {strays[0]}"
    advice = (
        "Nobody reads them. If they are frames, use the paths in `outputs` as they are; put scratch files elsewhere."
    )
    return Finding(what=what, kept=None, said=said, advice=advice)


def _inputs(before: dict[str, str], after: dict[str, str]) -> Finding:
    what = "leaves what it is given alone"
    changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    if not changed:
        return Finding(what=what, kept=True, said=f"{len(before)} files as they were")
    return Finding(
        what=what,
        kept=False,
        said=f"changed {', '.join(changed[:3])}",
        advice="A program that is started again finds these files as it left them: write elsewhere.",
    )


def _looks(asked: Sequence[Asked], found: dict[str, Found]) -> Iterator[Finding]:
    """Yield remarks on pictures that are valid and look wrong all the same."""
    tasks = {one.id: one for one in asked}
    drawn = {
        task: np.stack([frame for frame in places.values() if not isinstance(frame, str)])
        for task, places in found.items()
        if not all(isinstance(frame, str) for frame in places.values())
    }
    if any((frames == frames[:, :1, :1]).all() for frames in drawn.values()):
        yield _remark(
            "every frame of a task is of one colour", "Look at the range: models mostly give [-1, 1] or [0, 1]."
        )
    elif drawn and all(len(frames) > 1 and (frames == frames[0]).all() for frames in drawn.values()):
        yield _remark("all frames of a task are the same", "Fine for a copy; else the driving landmarks are not used.")
    if any(_is_swapped(frames, tasks[task].support.frames) for task, frames in drawn.items()):
        yield _remark(
            "red and blue look swapped", "OpenCV reads and writes BGR, most models and Pillow take and give RGB."
        )


def _remark(said: str, advice: str) -> Finding:
    return Finding(what="pictures look right", kept=None, said=said, advice=advice)


def _is_swapped(
    frames: UInt8[np.ndarray, "frames size size 3"], support: UInt8[np.ndarray, "shots size size 3"]
) -> bool:
    def colour(pictures: UInt8[np.ndarray, "frames size size 3"]) -> Float[np.ndarray, " 3"]:
        return np.asarray(pictures.reshape(-1, 3).mean(axis=0))

    shown, wanted = colour(frames), colour(support)
    return bool(np.abs(shown[::-1] - wanted).sum() < 0.5 * np.abs(shown - wanted).sum())


def _advice(reason: str) -> str:
    return next((advice for words, advice in ADVICE if words in reason), "")


def _hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
