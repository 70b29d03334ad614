"""A small finished benchmark on drawn faces, written by the harness's own writers."""

from collections.abc import Collection
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pyarrow as pa
import pytest

from eval.rendering import predictions
from eval.runs.results import (
    SCORE_SCHEMA,
    CostRecord,
    DatasetRecord,
    FailureCount,
    GitRecord,
    HardwareRecord,
    Run,
    RunRecord,
    SystemRecord,
    WeightRecord,
)
from eval.specs.profiles import SPECS
from eval.specs.spec import MetricSpec
from eval.systems.baselines import CopySource, MeanFrame
from eval.systems.protocol import Support
from eval.tasks.making import make_tasks
from eval.tasks.queries import driving_landmarks, target_frames
from eval.tasks.task_set import Task, TaskSet
from pipeline.config import PipelineConfig
from pipeline.dataset_info import DatasetInfo
from pipeline.files import LocalFiles
from pipeline.landmarks import rescale
from pipeline.reject_picture import draw
from pipeline.store import ClipEntry, RejectRow, Store
from reports.findings import findings
from reports.media import Media
from reports.page import Page, compose
from tests.reports.drawing import drawn_face, drawn_landmarks

SIZE_PX = 64
BESIDE = ("kd.efficientnet-lite0", "psnr@mouth")
SPECS_HERE = tuple(spec for spec in SPECS["embedded"] if spec.tier == "headline" or spec.id in BESIDE)
"""The main table, a set-level metric beside it and one of a region."""
MANIFEST_SHA256 = "a" * 64
HOSTILE = "<img src=x onerror=alert(1)>"
SHOTS = (1, 8, 32)
PEOPLE = ("ada", "ben", "cleo")
FRAMES = 90


class DrawnStore(Store):
    """A data set whose pictures are drawn when they are read."""

    def index(self) -> pa.Table:
        named = ("key", "identity", "split", "frames", "usable_frames", "licence", "consent", "credit")
        rows = [{name: getattr(clip, name) for name in named} | {"face_px": 60.0, "pad": 0.0} for clip in self.clips]
        return pa.Table.from_pylist(rows)

    def clip(self, key: str) -> ClipEntry:
        return next(clip for clip in self.clips if clip.key == key)

    def usable_rows(self, clip: ClipEntry) -> np.ndarray:
        return np.arange(clip.frames)

    def frames(self, clip: ClipEntry, rows: object, size_px: int | None = None) -> np.ndarray:
        return np.stack([drawn_face(clip.identity, int(row), size_px or SIZE_PX) for row in np.asarray(rows)])

    def column(self, clip: ClipEntry, name: str) -> np.ndarray:
        return np.arange(clip.frames) * 0.2 if name == "yaw_deg" else np.zeros(clip.frames)

    def reject_pictures(self, keys: Collection[str]) -> dict[str, bytes]:
        return {key: draw(drawn_face("eve", 0, 160), [np.array([0.2, 0.2, 0.8, 0.8])], None) for key in keys}

    def landmarks(self, clip: ClipEntry, rows: object, size_px: int | None = None) -> np.ndarray:
        assert max(rows) < clip.frames
        points = np.stack([drawn_landmarks(int(row)) for row in np.asarray(rows)])
        return rescale(points, 64, size_px or SIZE_PX)


def drawn_store() -> DrawnStore:
    """Return three drawn people to test on, one to train on, and one clip that was left out."""
    clips = (
        *(_entry(identity, "test") for identity in PEOPLE),
        _entry("dora", "train", consent="", source_url="javascript:alert(1)"),
    )
    reject = RejectRow(
        key="eve/v/c",
        identity="eve",
        split="train",
        reason="ambiguous_face",
        detail=f"two people of like size {HOSTILE}",
        licence="CC0",
        source_url="",
    )
    info = DatasetInfo(
        name="drawn",
        title=f"drawn faces {HOSTILE}",
        description="Three people who are circles.",
        manifest_sha256=MANIFEST_SHA256,
        config=PipelineConfig(size_px=SIZE_PX),
        scheme="drawn",
        weights=(),
        shards=(),
        clips=len(clips),
        frames=FRAMES * len(clips),
        usable_frames=FRAMES * len(clips),
        clips_per_split={"test": 3, "train": 1},
        identities_per_split={"test": 3, "train": 1},
        rejects_by_reason={"ambiguous_face": 1},
    )
    return DrawnStore(LocalFiles(Path("drawn")), info, "d" * 64, clips, (reject,))


def _entry(
    identity: str, split: str, consent: str = "asked", source_url: str = "https://example.org/clip"
) -> ClipEntry:
    return ClipEntry(
        key=f"{identity}/v/c",
        identity=identity,
        video="v",
        clip="c",
        split=split,
        shard=f"{split}-0",
        row_group=0,
        row_groups=1,
        first_row=0,
        frames=FRAMES,
        usable_frames=FRAMES,
        licence=f"CC BY 4.0 {HOSTILE}",
        consent=consent,
        credit=f"drawn by {HOSTILE}",
        source_url=source_url,
    )


class Softened:
    """Stands for a learned system: the target, the softer the fewer shots there are."""

    name = "reference-ft"
    title = f"Reference {HOSTILE}"
    config: ClassVar = {"preset": "tiny", "steps": 40, "dataset": "drawn", "checkpoint_sha256": "c" * 64}


def drawn_run(folder: Path, store: DrawnStore) -> Run:
    """Write and return a benchmark of three systems at three numbers of shots on three people."""
    tasks = make_tasks(store, SHOTS, size_px=SIZE_PX, query_frames=16)
    systems = (CopySource(), MeanFrame(), Softened())
    for task in tasks.tasks:
        for system in systems:
            _save_prediction(folder, store, system, task)
    run = Run(folder=folder, record=_record(systems, tasks), scores=_scores(tasks), tasks=tasks)
    run.save()
    return run


def _save_prediction(folder: Path, store: DrawnStore, system: object, task: Task) -> None:
    clip = store.clip(task.clip)
    if isinstance(system, Softened):
        targets = target_frames(store, task.queries, SIZE_PX)
        frames = np.stack([cv2.blur(frame, (9 - task.shots // 8, 9 - task.shots // 8)) for frame in targets])
    else:
        support = Support(
            frames=store.frames(clip, task.support),
            landmarks=store.landmarks(clip, task.support),
            size_px=SIZE_PX,
            seed=0,
        )
        frames = system.adapt(support).render(driving_landmarks(store, task.queries, SIZE_PX))
    inputs = predictions.PredictionInputs(
        system=system.name,
        system_config=dict(system.config),
        task=task.id,
        task_sha256=task.sha256(),
        content_sha256="d" * 64,
        size_px=SIZE_PX,
        seed=0,
    )
    header = predictions.PredictionHeader(key=inputs.sha256(), inputs=inputs, adaptation_s=0.01, render_fps=900.0)
    predictions.save(folder, header, task, frames)


QUALITY = {"copy-source": (0.55, 0.02), "mean-frame": (0.50, 0.05), "reference-ft": (0.60, 0.22)}
"""How good a system is on a scale from 0 to 1: at one shot, and how much thirty-two add."""


def _scores(tasks: TaskSet) -> pa.Table:
    rng = np.random.default_rng(0)
    rows: list[dict[str, object]] = []
    for spec in SPECS_HERE:
        for system in QUALITY:
            for task in tasks.tasks:
                rows += _frame_rows(spec, system, task, rng) if spec.level == "frame" else []
            if spec.level == "set":
                for shots in tasks.shots:
                    rows += _set_rows(spec, system, shots, tasks, rng)
    return pa.Table.from_pylist(rows, schema=SCORE_SCHEMA)


def _value(spec: MetricSpec, system: str, shots: int, wobble: float) -> float:
    start, gain = QUALITY[system]
    good = start + gain * np.log2(shots) / 5 + wobble
    scale = {"psnr": 30.0, "fd.efficientnet-lite0": 60.0}.get(spec.id, 1.0)
    return float(scale * (good if spec.higher_is_better else 1 - good))


def _frame_rows(spec: MetricSpec, system: str, task: Task, rng: np.random.Generator) -> list[dict[str, object]]:
    person = 0.02 * (PEOPLE.index(task.identity) - 1)
    rows = []
    for place, frame in enumerate(task.frames):
        failed = spec.id.startswith("nme") and system == "reference-ft" and task.shots == 1 and place < 2
        row = {
            "system": system,
            "shots": task.shots,
            "draw": 0,
            "identity": task.identity,
            "clip": task.clip,
            "query_clip": frame.clip,
            "frame": frame.row,
            "stratum": frame.stratum,
            "metric": spec.id,
            "value": float("nan") if failed else _value(spec, system, task.shots, person + rng.normal(0, 0.02)),
            "status": "no_face" if failed else "ok",
        }
        rows.append(row)
    return rows


def _set_rows(
    spec: MetricSpec, system: str, shots: int, tasks: TaskSet, rng: np.random.Generator
) -> list[dict[str, object]]:
    own = [task for task in tasks.tasks if task.shots == shots]
    shared = {"system": system, "shots": shots, "draw": 0, "metric": spec.id}
    members = [
        {
            **shared,
            "identity": task.identity,
            "clip": task.clip,
            "query_clip": frame.clip,
            "frame": frame.row,
            "stratum": frame.stratum,
            "value": float("nan"),
            "status": "member",
        }
        for task in own
        for frame in task.frames
    ]
    nowhere = {"clip": "", "query_clip": "", "frame": -1, "stratum": ""}
    whole = {**nowhere, "identity": "", "value": _value(spec, system, shots, 0), "status": "unreliable"}
    without = [
        {
            **shared,
            **nowhere,
            "identity": task.identity,
            "value": _value(spec, system, shots, rng.normal(0, 0.01)),
            "status": "leave-one-out",
        }
        for task in own
    ]
    return [*members, {**shared, **whole}, *without]


def _record(systems: tuple[object, ...], tasks: TaskSet) -> RunRecord:
    specs = SPECS_HERE
    networks = sorted({weight for spec in specs for weight in spec.weights})
    return RunRecord(
        score_key="e" * 64,
        config={"profile": "embedded", "query_frames": 16},
        systems=tuple(SystemRecord(name=one.name, title=one.title, config=dict(one.config)) for one in systems),
        specs=specs,
        weights=tuple(
            WeightRecord(id=name, sha256="f" * 64, licence=f"MIT {HOSTILE}", source="package==1.0") for name in networks
        ),
        dataset=DatasetRecord(
            name="drawn", title=f"drawn faces {HOSTILE}", manifest_sha256=MANIFEST_SHA256, dataset_sha256="b" * 64
        ),
        tasks_sha256=tasks.sha256(),
        seeds={"tasks": 0, "adaptation": 0},
        git=GitRecord(revision="0123456789abcdef0123456789abcdef01234567", dirty=True),
        python="3.11.9",
        packages={"numpy": "2.0.0", "torch": "2.8.0"},
        hardware=HardwareRecord(processor="a processor", cores=2, memory_gib=7.8, accelerator=None, platform="linux"),
        failures=(FailureCount(system="reference-ft", shots=1, metric="nme.interocular", reason="no_face", frames=6),),
        undelivered=(),
        cost=tuple(
            CostRecord(
                system=one.name,
                shots=shots,
                tasks=3,
                adaptation_s=12.3 if one.name == "reference-ft" else 0.002,
                frames_per_s=41.0 if one.name == "reference-ft" else 5000.0,
                iterations=200.0 if one.name == "reference-ft" else None,
                parameters=4_567_890 if one.name == "reference-ft" else None,
                memory_mib=812.3 if one.name == "reference-ft" else 1.2,
                machines=("a processor, torch on 3 threads",),
            )
            for one in systems
            for shots in tasks.shots
        ),
        started_at="2025-03-01T10:00:00+00:00",
        ended_at="2025-03-01T10:12:34+00:00",
    )


def composed(run: Run, store: Store, **options: int) -> Page:
    """Return the page of a run with everything inside."""
    return compose(findings(run, store, Media(), **options))


@pytest.fixture(scope="session")
def store() -> DrawnStore:
    """Three drawn people to test on and one to train on."""
    return drawn_store()


@pytest.fixture(scope="session")
def hostile() -> str:
    """What somebody might call a clip, a licence or a system."""
    return HOSTILE


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, store: DrawnStore) -> Run:
    """A finished benchmark on them."""
    return drawn_run(tmp_path_factory.mktemp("run"), store)


@pytest.fixture(scope="session")
def page(run: Run, store: DrawnStore) -> Page:
    """The page of that benchmark."""
    return composed(run, store)
