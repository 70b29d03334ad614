"""A large finished benchmark on disk, on drawn people: a data set, predictions and made-up scores."""

import platform
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float, UInt8

from benchmarks.made_up import Asked, made_up_scores
from eval.rendering import predictions
from eval.runs import provenance
from eval.runs.recording import count_failures
from eval.runs.results import CostRecord, DatasetRecord, Run, RunRecord, SystemRecord, WeightRecord
from eval.specs.profiles import choose_specs
from eval.tasks.making import make_tasks
from eval.tasks.motion import STRATA
from eval.tasks.task_set import Task, TaskSet
from manifests.schema import Clip, FileSource, Manifest
from pipeline.clip_frames import ClipFrames
from pipeline.config import PipelineConfig
from pipeline.description import write_description
from pipeline.images import encode
from pipeline.landmarks import MESH_SCHEME
from pipeline.layout import DatasetLayout
from pipeline.plan import Plan, ShardPlan
from pipeline.records import ClipRecord
from pipeline.schema import SHARD_SCHEMA, to_table
from pipeline.shard_writer import ShardPaths, WrittenShard, parquet_options
from pipeline.shards import commit_shard
from pipeline.store import Store
from pipeline.summary import add_up
from weights.files import publish_text

SIZE_PX = 64
CLIP_FRAMES = 100
"""Enough for 32 source frames and 32 to draw."""
CONFIG = PipelineConfig(size_px=SIZE_PX, jpeg_quality=90)
SPECS = choose_specs("embedded", "all")


def drawn_dataset(root: Path, people: int) -> Store:
    """Write and return a data set of so many people to test on, and one to train on; none of them exists."""
    clips = [_clip(f"id{place:05d}", "test") for place in range(people)] + [_clip("trained", "train")]
    manifest = Manifest(name="drawn", title="Drawn people", description="Nobody in it exists.", clips=tuple(clips))
    shards = tuple(
        ShardPlan(
            name=f"{split}-00000-of-00001", split=split, clips=tuple(clip for clip in clips if clip.split == split)
        )
        for split in ("test", "train")
    )
    plan = Plan(
        name=manifest.name,
        title=manifest.title,
        description=manifest.description,
        manifest_sha256=manifest.sha256(),
        config=CONFIG,
        shards=shards,
    )
    layout = DatasetLayout(root)
    publish_text(layout.plan, plan.model_dump_json())
    records = [commit_shard(layout, shard, CONFIG, partial(_write_clips, shard.clips)) for shard in shards]
    write_description(layout, add_up(plan, records, MESH_SCHEME, ()), records)
    return Store.open(root)


def drawn_run(folder: Path, store: Store, systems: int, shots: Sequence[int], frames: int) -> Run:
    """Write and return a finished benchmark of so many systems, with a prediction for every task.

    Args:
        folder: Where the run goes.
        store: A drawn data set.
        systems: How many.
        shots: Numbers of support frames.
        frames: To draw of each person.
    """
    tasks = make_tasks(store, shots, size_px=SIZE_PX, query_frames=frames)
    names = tuple(f"system-{place}" for place in range(systems))
    for task in tasks.tasks:
        (query,) = task.queries
        targets = store.frames(store.clip(query.clip), query.rows, SIZE_PX)
        for place, name in enumerate(names):
            _save_prediction(folder, name, task, _imitated(targets, place, task.shots))
    scores = _scores(tasks, names)
    run = Run(folder=folder, record=_record(store, tasks, names, scores), scores=scores, tasks=tasks)
    run.save()
    return run


def _clip(name: str, split: str) -> Clip:
    return Clip.model_validate(
        {
            "identity": name,
            "video": "video",
            "clip": "clip-1",
            "source": FileSource(path=f"{name}.mp4"),
            "split": split,
            "licence": "CC0-1.0",
            "consent": "drawn by a program; there is nobody to ask",
        }
    )


def _write_clips(clips: Sequence[Clip], paths: ShardPaths) -> WrittenShard:
    records = []
    with pq.ParquetWriter(paths.shard, SHARD_SCHEMA, **parquet_options(SHARD_SCHEMA)) as parquet:
        for place, clip in enumerate(clips):
            drawn = _drawn_frames(clip)
            parquet.write_table(to_table(drawn, [encode(image, CONFIG) for image in drawn.images], CONFIG))
            records.append(
                ClipRecord(
                    clip=clip,
                    first_row=place * CLIP_FRAMES,
                    frames=CLIP_FRAMES,
                    usable_frames=CLIP_FRAMES,
                    row_group=place,
                    row_groups=1,
                    width_px=SIZE_PX,
                    height_px=SIZE_PX,
                    source_fps=25.0,
                    codec="drawn",
                    rotation_deg=0,
                    interlaced=False,
                    colour_rule="none",
                    source_sha256="0" * 64,
                    crop_side_px=SIZE_PX,
                    pad=0.0,
                    face_px=SIZE_PX / 2,
                    scenes=1,
                    faces_compared=0,
                    note="",
                )
            )
    return WrittenShard(clips=tuple(records), rejects=())


def _drawn_frames(clip: Clip) -> ClipFrames:
    """Return a head that sways and speaks before a wall, with the grain of a camera."""
    rng = np.random.default_rng(sum(clip.identity.encode()))
    colours = rng.integers(50, 230, (3, 3))
    wall = cv2.resize(rng.integers(0, 60, (6, 6, 3), np.uint8), (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_CUBIC)
    time = np.arange(CLIP_FRAMES)
    sway, mouth = 12 * np.sin(time / 9 + rng.uniform(0, 6)), 0.5 + 0.5 * np.sin(time / 3)
    points = np.stack([_points(*pair) for pair in zip(sway, mouth, strict=True)])
    images = np.stack([_drawn(one, colours, wall, rng) for one in points])
    unknown = np.full(CLIP_FRAMES, np.nan, np.float32)
    pose = np.stack([sway, np.zeros(CLIP_FRAMES), np.zeros(CLIP_FRAMES)], axis=1).astype(np.float32)
    return ClipFrames(
        clip=clip,
        size_px=SIZE_PX,
        crop=np.tile(np.eye(2, 3, dtype=np.float32), (CLIP_FRAMES, 1, 1)),
        pad=np.zeros(CLIP_FRAMES, np.float32),
        images=images,
        landmarks=points,
        landmark_scores=np.ones((CLIP_FRAMES, 68), np.float32),
        box=np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1),
        det_score=np.ones(CLIP_FRAMES, np.float32),
        face_px=np.full(CLIP_FRAMES, SIZE_PX / 2, np.float32),
        sharpness=np.ones(CLIP_FRAMES, np.float32),
        pose_deg=pose,
        eye_openness=unknown,
        mouth_openness=mouth.astype(np.float32),
        irises=np.full((CLIP_FRAMES, 2, 2), np.nan, np.float32),
        gaze_deg=np.full((CLIP_FRAMES, 2), np.nan, np.float32),
        identity_similarity=unknown,
        searched=True,
        ok=np.ones(CLIP_FRAMES, bool),
        frame=time,
        pts_s=time / 25,
        source_frame=time,
    )


def _points(sway_deg: float, opening: float) -> Float[np.ndarray, "68 2"]:
    """Return the 68 points of a face in pixels: jaw, brows, nose, eyes, lips."""

    def ring(x: float, y: float, width: float, height: float, count: int) -> np.ndarray:
        turn = np.linspace(-np.pi, np.pi, count, endpoint=False)
        return np.stack([x + width * np.cos(turn), y + height * np.sin(turn)], axis=1)

    def line(start: tuple[float, float], end: tuple[float, float], count: int) -> np.ndarray:
        return np.linspace(start, end, count)

    bend = np.linspace(0.05 * np.pi, 0.95 * np.pi, 17)
    jaw = np.stack([32 - 19 * np.cos(bend), 30 + 24 * np.sin(bend)], axis=1)
    brows = (line((18, 22), (28, 21), 5), line((36, 21), (46, 22), 5))
    nose = (line((32, 26), (32, 36), 4), line((28, 39), (36, 39), 5))
    eyes = (ring(23, 27, 4, 2, 6), ring(41, 27, 4, 2, 6))
    lips = (ring(32, 46, 8, 2 + 3 * opening, 12), ring(32, 46, 5, 0.5 + 2.5 * opening, 8))
    points = np.concatenate([jaw, *brows, *nose, *eyes, *lips])
    return np.asarray(points + np.array([sway_deg / 4, 0.0]), np.float32)


def _drawn(
    points: Float[np.ndarray, "68 2"], colours: np.ndarray, wall: UInt8[np.ndarray, "64 64 3"], rng: np.random.Generator
) -> UInt8[np.ndarray, "64 64 3"]:
    image = wall.copy()
    skin, hair, shirt = (tuple(int(one) for one in colour) for colour in colours)
    x, y = (int(one) for one in points[:17].mean(axis=0))
    cv2.ellipse(image, (x, SIZE_PX + 8), (30, 18), 0, 0, 360, shirt, -1, cv2.LINE_AA)
    cv2.ellipse(image, (x, y - 16), (23, 20), 0, 0, 360, hair, -1, cv2.LINE_AA)
    cv2.ellipse(image, (x, y - 10), (19, 24), 0, 0, 360, skin, -1, cv2.LINE_AA)
    for part, colour in ((slice(36, 42), (245,) * 3), (slice(42, 48), (245,) * 3), (slice(48, 60), (150, 40, 50))):
        cv2.fillPoly(image, [np.round(points[part]).astype(np.int32)], colour, cv2.LINE_AA)
    grain = rng.normal(0, 3, image.shape)
    return np.clip(cv2.GaussianBlur(image, (3, 3), 0) + grain, 0, 255).astype(np.uint8)


def _imitated(targets: UInt8[np.ndarray, "frames 64 64 3"], system: int, shots: int) -> np.ndarray:
    """Return what a system makes of the targets: softer with fewer shots, in a tint of its own."""
    width = 2 * max(0, 3 - shots.bit_length() // 2) + 1
    soft = np.stack([cv2.blur(one, (width, width)) for one in targets])
    tint = np.array([2 * system - 10, 0, 10 - 2 * system], np.int16)
    return np.clip(soft + tint, 0, 255).astype(np.uint8)


def _save_prediction(folder: Path, system: str, task: Task, frames: np.ndarray) -> None:
    inputs = predictions.PredictionInputs(
        system=system,
        system_config={},
        task=task.id,
        task_sha256=task.sha256(),
        content_sha256="0" * 64,
        size_px=SIZE_PX,
        seed=0,
    )
    header = predictions.PredictionHeader(key=inputs.sha256(), inputs=inputs, adaptation_s=1.0, render_fps=50.0)
    predictions.save(folder, header, task, frames)


def _scores(tasks: TaskSet, systems: tuple[str, ...]) -> pa.Table:
    first = {task.clip: task for task in tasks.tasks if task.shots == tasks.shots[0]}
    return made_up_scores(
        SPECS,
        Asked(
            systems=systems,
            shots=tasks.shots,
            people=tuple(task.identity for task in first.values()),
            clips=tuple(first),
            rows=np.array([[frame.row for frame in task.frames] for task in first.values()]),
            strata=np.array([[STRATA.index(frame.stratum) for frame in task.frames] for task in first.values()]),
        ),
    )


def _record(store: Store, tasks: TaskSet, systems: tuple[str, ...], scores: pa.Table) -> RunRecord:
    networks = dict.fromkeys(weight for spec in SPECS for weight in spec.weights)
    return RunRecord(
        score_key="0" * 64,
        config={"label": tasks.label, "query_frames": tasks.query_frames},
        systems=tuple(SystemRecord(name=name, title=f"Made-up system {name}", config={}) for name in systems),
        specs=SPECS,
        weights=tuple(WeightRecord(id=one, sha256="0" * 64, licence="none", source="made up") for one in networks),
        dataset=DatasetRecord(
            name=store.info.name,
            title=store.info.title,
            manifest_sha256=store.info.manifest_sha256,
            dataset_sha256=store.sha256,
        ),
        tasks_sha256=tasks.sha256(),
        seeds={"tasks": tasks.seed},
        git=None,
        python=platform.python_version(),
        packages=provenance.package_versions(),
        hardware=provenance.hardware(),
        failures=count_failures(scores),
        undelivered=(),
        cost=tuple(
            CostRecord(system=name, shots=shots, tasks=1, adaptation_s=1.0 + place, frames_per_s=50.0, iterations=None)
            for place, name in enumerate(systems)
            for shots in tasks.shots
        ),
        started_at="2025-03-01T10:00:00+00:00",
        ended_at="2025-03-01T11:00:00+00:00",
    )
