"""What a benchmark leaves behind: score rows, the run record, and the tasks they belong to."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import JsonValue
from pydantic_core import from_json, to_json

from eval.runs.migration import migrated
from eval.specs.spec import MetricSpec
from eval.tasks.task_set import TaskSet
from weights.errors import HeadshotError
from weights.files import publish, publish_text
from weights.record import Record

SCORE_SCHEMA = pa.schema(
    [
        pa.field("system", pa.string(), nullable=False),
        pa.field("shots", pa.int32(), nullable=False),
        pa.field("draw", pa.int32(), nullable=False),
        pa.field("identity", pa.string(), nullable=False),
        pa.field("clip", pa.string(), nullable=False),
        pa.field("query_clip", pa.string(), nullable=False),
        pa.field("frame", pa.int32(), nullable=False),
        pa.field("stratum", pa.string(), nullable=False),
        pa.field("metric", pa.string(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
    ]
)
"""One row for each system, shots, draw, clip of the support, frame and metric.

`frame` is a row of `query_clip`, which is another clip of the same person than `clip` where they have more.
`stratum` is `near`, `middle` or `far`: how far the frame is from the support (see `eval.tasks.motion`).

A frame-level metric has a row for every query frame: `status` is `ok`, or `value` is NaN and `status` says
why. A status that begins with `target_` is about the target frame, not about the system.

A set-level metric has, for each system, shots and draw: a row `member` (value NaN) or with a failure's reason
for every frame; one row with empty identity and clip and frame -1 whose status is `ok`, `unreliable` or
`refused`; the like row `measured-only` where frames are missing; and one row `leave-one-out` for each
identity, which holds the value without that identity. Such rows exist over all frames, with an empty stratum, and
over the frames of each stratum that has any.
"""

HELD_SCHEMA = pa.schema(
    field.with_type(pa.dictionary(pa.int32(), pa.string())) if pa.types.is_string(field.type) else field
    for field in SCORE_SCHEMA
)
"""The same in memory: names as places in a list of names, which takes less than half."""

RUN_FILE, SCORES_FILE, TASKS_FILE = "run.json", "scores.parquet", "tasks.json"
MARKING_FILE = "marking.json"
"""What marks would do to the scores; there once a report was written."""


class SystemRecord(Record):
    """A system as it was run."""

    name: str
    title: str
    config: dict[str, JsonValue]
    reference: bool = False
    """Real frames that the harness chose with the answer at hand: a floor or a ceiling, and no contender."""


class WeightRecord(Record):
    """A pretrained network that a number depends on."""

    id: str
    sha256: str
    """Of the file that was loaded, after conversion where the published one is a pickle."""
    licence: str
    source: str


class GitRecord(Record):
    """The code that ran."""

    revision: str
    dirty: bool


class HardwareRecord(Record):
    """The machine that ran it."""

    processor: str
    cores: int
    memory_gib: float
    accelerator: str | None
    platform: str


class FailureCount(Record):
    """How many frames of a system could not be scored by a metric, for one reason."""

    system: str
    shots: int
    metric: str
    reason: str
    frames: int


class Undelivered(Record):
    """A task for which a system delivered nothing, and why."""

    system: str
    task: str
    reason: str


class CostRecord(Record):
    """What a system cost at one number of shots: means over its tasks, and for memory the largest of them."""

    system: str
    shots: int
    tasks: int
    adaptation_s: float | None
    """None where nobody watched: finished predictions."""
    frames_per_s: float | None
    iterations: float | None
    parameters: int | None = None
    """Numbers in its networks; None where it does not count them."""
    memory_mib: float | None = None
    """How far main memory grew while it adapted and drew (see `cost.MemoryWatch`); None where nobody knows."""
    accelerator_mib: float | None = None
    """The like for the CUDA device; None where there was none."""
    machines: tuple[str, ...] = ()
    """Processor, threads and device that it had, each kind once; none where nobody wrote them down."""


class DatasetRecord(Record):
    """The data that were scored."""

    name: str
    title: str
    manifest_sha256: str
    dataset_sha256: str
    """Of dataset.json: configuration, networks and counts of the preprocessing."""


class RunRecord(Record):
    """Exactly how the scores of a run came about."""

    schema_version: Literal[3] = 3
    score_key: str
    """Hash of everything the scores depend on; equal keys mean equal scores."""
    config: dict[str, JsonValue]
    systems: tuple[SystemRecord, ...]
    specs: tuple[MetricSpec, ...]
    weights: tuple[WeightRecord, ...]
    dataset: DatasetRecord
    tasks_sha256: str
    seeds: dict[str, int]
    git: GitRecord | None
    """None outside a git checkout."""
    python: str
    packages: dict[str, str]
    hardware: HardwareRecord
    failures: tuple[FailureCount, ...]
    undelivered: tuple[Undelivered, ...]
    cost: tuple[CostRecord, ...]
    started_at: str
    ended_at: str


def read_record(path: Path) -> RunRecord:
    """Return a run record; one of an earlier version as it would be written now.

    Raises:
        FileNotFoundError: There is none.
        HeadshotError: It is of a version that cannot be read, and what to do.
        ValueError: It is damaged.
    """
    content = from_json(path.read_bytes())
    return RunRecord.model_validate_json(to_json(migrated(content, path)))


def read_scores(path: Path) -> pa.Table:
    """Return the score rows in a file, to `HELD_SCHEMA`.

    Raises:
        FileNotFoundError: There is none.
        ValueError: It is damaged, or holds something else.
    """
    texts = [field.name for field in SCORE_SCHEMA if pa.types.is_string(field.type)]
    return held(pq.read_table(path, read_dictionary=texts))


def held(scores: pa.Table) -> pa.Table:
    """Return score rows to `HELD_SCHEMA`, from that or from `SCORE_SCHEMA`; equal rows give equal tables.

    Raises:
        ValueError: They are to neither.
    """
    # One column after the other, so that a large table is never there twice.
    for place, name in enumerate(scores.column_names):
        column = scores[name]
        encoded = column.dictionary_encode() if pa.types.is_string(column.type) else column
        scores = scores.set_column(place, name, encoded.unify_dictionaries().combine_chunks())
        del column, encoded
    return scores.cast(HELD_SCHEMA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished benchmark: its record, score rows and tasks."""

    folder: Path
    record: RunRecord
    scores: pa.Table
    tasks: TaskSet

    def split(self) -> tuple["Run", "Run"]:
        """Return the run with its contenders alone, and with its references alone."""
        return self._with(reference=False), self._with(reference=True)

    def _with(self, *, reference: bool) -> "Run":
        systems = tuple(system for system in self.record.systems if system.reference == reference)
        names = [system.name for system in systems]
        everybody = len(systems) == len(self.record.systems)
        record = self.record.model_copy(
            update={
                "systems": systems,
                "failures": tuple(one for one in self.record.failures if one.system in names),
                "cost": tuple(one for one in self.record.cost if one.system in names),
            }
        )
        chosen = pc.is_in(self.scores["system"], pa.array(names, pa.string()))
        return replace(self, record=record, scores=self.scores if everybody else self.scores.filter(chosen))

    def save(self) -> None:
        """Write the three files; the record last, since its presence means that the run is complete."""
        self.tasks.save(self.folder / TASKS_FILE)
        with publish(self.folder / SCORES_FILE) as temporary:
            pq.write_table(self.scores.cast(SCORE_SCHEMA), temporary, compression="zstd")
        publish_text(self.folder / RUN_FILE, self.record.model_dump_json(indent=1))

    @classmethod
    def open(cls, folder: Path) -> "Run":
        """Read a finished benchmark.

        Raises:
            HeadshotError: The folder holds none, or one of another version.
        """
        try:
            record = read_record(folder / RUN_FILE)
            scores = read_scores(folder / SCORES_FILE)
        except FileNotFoundError as error:
            raise HeadshotError(
                f"no finished benchmark in {folder}: {error.filename} is missing; run it first"
            ) from None
        except (ValueError, pa.ArrowInvalid) as error:  # pydantic's errors are such, too
            raise HeadshotError(f"{folder} holds a benchmark this version cannot read: {error}; run it again") from None
        return cls(folder=folder, record=record, scores=scores, tasks=TaskSet.load(folder / TASKS_FILE))
