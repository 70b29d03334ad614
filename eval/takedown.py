"""Take a person out of a run: predictions, tasks, features, and the scores that their frames went into."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from eval.features import Digest, Frames, pair_digest
from eval.rendering import predictions
from eval.rendering.references import NAMES as REFERENCE_NAMES
from eval.runs.results import MARKING_FILE, RUN_FILE, SCORES_FILE, TASKS_FILE, Run
from eval.tasks.task_set import SkippedClip, Task, TaskSet, clips_in
from pipeline.store import Store
from pipeline.takedown import Change
from weights.errors import HeadshotError
from weights.files import TEMPORARY_MARK, publish


def holds(run_dir: Path, identity: str) -> bool:
    """Return whether a run holds predictions, tasks or scores of a person."""
    return any(_predictions_of(run_dir, identity)) or _is_scored(run_dir, identity) or _has_tasks(run_dir, identity)


def made_from(run_dir: Path) -> str | None:
    """Return the name of the data set that a finished run was made from, None where there is no finished run."""
    try:
        return Run.open(run_dir).record.dataset.name
    except HeadshotError:
        return None


def take_out(run_dir: Path, identity: str, store: Store | None) -> tuple[Change, ...]:
    """Remove a person from a run and return what changed; called again, it finishes what is left.

    Scores and run record go as a whole where the person is in them, because distances between sets of frames were
    computed with their frames. The predictions and features of the others stay: the next benchmark renders nothing
    again, and only scores.

    Args:
        run_dir: Folder of the run.
        identity: Who.
        store: The data set without the person; None where it is not finished, and then no feature is kept.
    """
    return tuple(
        change
        for change in (
            _drop_scores(run_dir, identity),
            _drop_predictions(run_dir, identity),
            _filter_tasks(run_dir, identity),
            _filter_features(run_dir, store),
            _drop_temporaries(run_dir),
        )
        if change.files
    )


def _drop_temporaries(run_dir: Path) -> Change:
    """Remove what killed commands left behind: nobody can say whom it shows."""
    paths = list(run_dir.rglob(f".*{TEMPORARY_MARK}*"))
    for path in paths:
        path.unlink(missing_ok=True)
    return Change(what="leftovers of killed commands", files=len(paths), rows=0, unit="")


def _drop_scores(run_dir: Path, identity: str) -> Change:
    files, rows = [], 0
    if _is_scored(run_dir, identity) or _has_tasks(run_dir, identity):
        files = [path for path in (run_dir / RUN_FILE, run_dir / SCORES_FILE, run_dir / MARKING_FILE) if path.is_file()]
        rows = pq.read_metadata(run_dir / SCORES_FILE).num_rows if run_dir / SCORES_FILE in files else 0
    for path in files:  # the record first: without it, the run is not finished
        path.unlink()
    return Change(what="scores and run record, removed: score again", files=len(files), rows=rows, unit="scores")


def _filter_tasks(run_dir: Path, identity: str) -> Change:
    rows = 0
    if _has_tasks(run_dir, identity):
        known = TaskSet.load(run_dir / TASKS_FILE)
        tasks = tuple(task for task in known.tasks if identity not in _people_in(task))
        skipped = tuple(skip for skip in known.skipped if not _names(skip, identity))
        rows = len(known.tasks) - len(tasks) + len(known.skipped) - len(skipped)
        change = {"tasks": tasks, "skipped": skipped, "people": known.people - 1}
        known.model_copy(update=change).save(run_dir / TASKS_FILE)
    return Change(what="tasks", files=int(rows > 0), rows=rows, unit="tasks")


def _drop_predictions(run_dir: Path, identity: str) -> Change:
    paths = list(dict.fromkeys((*_references(run_dir), *_predictions_of(run_dir, identity))))
    rows = 0
    for path in paths:
        rows += _rows_in(path)
        path.unlink()
    return Change(what="predictions", files=len(paths), rows=rows, unit="frames")


def _filter_features(run_dir: Path, store: Store | None) -> Change:
    """Keep the features of frames that are still there, and no others: nobody has to know what was removed."""
    paths = sorted((run_dir / "features").rglob("[!.]*.parquet"))
    keep = pa.array(sorted(_digests(run_dir, store)) if paths and store else [], pa.binary(32))
    changed = dropped = 0
    for path in paths:
        table = pq.read_table(path)
        left = table.filter(pc.is_in(table["content_sha256"], keep))
        if len(left) < len(table):
            changed, dropped = changed + 1, dropped + len(table) - len(left)
            _replace(path, left)
    return Change(what="features", files=changed, rows=dropped, unit="frames")


def _replace(path: Path, table: pa.Table) -> None:
    if not len(table):
        path.unlink()
        return
    with publish(path) as temporary:
        pq.write_table(table, temporary, compression="none", use_dictionary=False)


def _digests(run_dir: Path, store: Store) -> set[Digest]:
    """Return the content hashes of all predicted frames, of their targets, and of the pairs of both."""
    here = {clip.key for clip in store.clips}
    of_targets: dict[tuple[_Target, ...], tuple[Digest, ...]] = {}
    found: set[Digest] = set()
    for path in _prediction_files(run_dir):
        prediction = predictions.read(path)
        if prediction is None:
            continue
        size_px = prediction.header.inputs.size_px
        targets = tuple(_Target(clip, row, size_px) for clip, row in prediction.places)
        if targets not in of_targets:
            known = all(target.clip in here for target in targets)
            of_targets[targets] = tuple(_digest_of(store, target) for target in targets) if known else ()
        generated = Frames.of(prediction.frames).digests
        found.update(generated, of_targets[targets], map(pair_digest, generated, of_targets[targets]))
    return found


class _Target(NamedTuple):
    """A frame of a clip that somebody was asked for."""

    clip: str
    row: int
    size_px: int


def _digest_of(store: Store, target: _Target) -> Digest:
    return Frames.of(store.frames(store.clip(target.clip), np.array([target.row]), target.size_px)).digests[0]


def _predictions_of(run_dir: Path, identity: str) -> Iterator[Path]:
    """Yield the predictions that show the person, or that they drive."""
    for path in _prediction_files(run_dir):
        if identity in {key.split("/")[0] for key in clips_in(path.stem)}:
            yield path


def _references(run_dir: Path) -> Iterator[Path]:
    """Yield the predictions that the harness made itself: they may show any of the people under test."""
    return (path for path in _prediction_files(run_dir) if path.parent.name in REFERENCE_NAMES)


def _prediction_files(run_dir: Path) -> Iterator[Path]:
    yield from sorted((run_dir / "predictions").glob("*/[!.]*.parquet"))


def _rows_in(path: Path) -> int:
    try:
        return int(pq.read_metadata(path).num_rows)
    except pa.ArrowInvalid:
        return 0


def _is_scored(run_dir: Path, identity: str) -> bool:
    path = run_dir / SCORES_FILE
    try:
        identities = pq.read_table(path, columns=["identity"])["identity"]
    except FileNotFoundError:
        return False
    except pa.ArrowInvalid:
        return True
    return bool(pc.any(pc.equal(identities, identity)).as_py())


def _has_tasks(run_dir: Path, identity: str) -> bool:
    try:
        known = TaskSet.load(run_dir / TASKS_FILE)
    except HeadshotError:
        return False
    return any(identity in _people_in(task) for task in known.tasks) or any(
        _names(skip, identity) for skip in known.skipped
    )


def _people_in(task: Task) -> set[str | None]:
    return {task.identity, task.driver}


def _names(skip: SkippedClip, identity: str) -> bool:
    """Return whether a clip that was left out is the person's, or was left out because of theirs."""
    return any(word.startswith(f"{identity}/") for word in (skip.clip, *skip.reason.split()))
