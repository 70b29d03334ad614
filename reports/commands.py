"""The commands that make a report from nothing."""

import shlex
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import manifests
from eval.runs.results import Run, RunRecord, SystemRecord
from eval.specs.profiles import SETS, choose_specs, profile_of
from eval.systems.builtin import NAMES
from eval.tasks.task_set import TaskSet
from manifests.readers import read_manifest
from pipeline.config import PipelineConfig

FINISHED = "finished predictions"
HEADSHOT = ".venv/bin/headshot"
OWN_MANIFEST, OWN_VIDEOS, OWN_PAIRS = "MANIFEST.toml", "VIDEOS", "PAIRS.csv"
"""What stands for files that are not part of headshot; whoever runs the commands puts their own there."""


def commands(run: Run, references: Sequence[SystemRecord], stored: PipelineConfig) -> tuple[str, ...]:
    """Return the shell commands that make the report of a run from nothing, in a checkout of headshot.

    Args:
        run: The finished benchmark, its contenders alone.
        references: Its floors and ceilings.
        stored: How its data set was made.
    """
    record, tasks = run.record, run.tasks
    name, own = record.dataset.name, shipped_manifest(record.dataset.manifest_sha256)
    manifest = f"manifests/{own}" if own else OWN_MANIFEST
    videos = "data/raw" if own else OWN_VIDEOS
    data, folder = shlex.quote(f"data/{name}"), shlex.quote(f"runs/{run.folder.name}")
    site = shlex.quote(f"reports/out/{run.folder.name}")
    presets = dict.fromkeys(str(system.config["preset"]) for system in record.systems if "preset" in system.config)
    return (
        *_notes(run, own),
        *([f"git checkout {record.git.revision}"] if record.git else []),
        "make setup",
        *([f"{HEADSHOT} samples fetch --manifest {manifest} --into {videos}"] if own else []),
        f"{HEADSHOT} preprocess --manifest {manifest} --videos {videos} --data {data} {_stored(stored)}",
        *(f"{HEADSHOT} train {shlex.quote(preset)} --data {data} --run {folder}" for preset in presets),
        f"{HEADSHOT} benchmark --data {data} --run {folder} --shots {','.join(map(str, tasks.shots))} \\\n"
        f"    --systems {_systems(record)} \\\n"
        f"    --profile {profile_of(record.specs) or 'embedded'} --size {tasks.size_px}"
        f" {_task_options(tasks)} --seed {tasks.seed} --metrics {metrics_of(record, across=tasks.across)}"
        f"{'' if references else ' --no-floors'}",
        f"{HEADSHOT} report {folder} --data {data} -o {site}",
    )


@cache
def shipped_manifest(sha256: str) -> str:
    """Return the file name of the manifest of headshot's own that has this hash; empty where none has."""
    for path in sorted(Path(manifests.__file__).parent.glob("*.toml")):
        if read_manifest(path).sha256() == sha256:
            return path.name
    return ""


def metrics_of(record: RunRecord, *, across: bool = False) -> str:
    """Return what `--metrics` has to say for the same metrics: the name of a set, or their ids."""
    measured = [spec.id for spec in record.specs]
    profile = profile_of(record.specs) or "embedded"
    sets = {name: {spec.id for spec in choose_specs(profile, name, across=across)} for name in SETS}
    return next((name for name, ids in sets.items() if ids == set(measured)), ",".join(measured))


def _notes(run: Run, own: str) -> list[str]:
    """Return comments on what stands for files of other people."""
    record = run.record
    others = [system for system in record.systems if system.name not in NAMES]
    return [
        *(
            []
            if own
            else [
                f"# {OWN_MANIFEST}: the manifest with the SHA-256 {record.dataset.manifest_sha256}, which is none of "
                f"headshot's own; {OWN_VIDEOS}: the folder of its videos"
            ]
        ),
        *([f"# {OWN_PAIRS}: who drives whom, SHA-256 {run.tasks.pairs_sha256}"] if run.tasks.pairs_sha256 else []),
        *(
            f"# {_as_asked(one)}: {one.name} is none of headshot's own systems; put there what it needs"
            for one in others
        ),
        *(["# the code that ran had changes that are in no commit"] if record.git and record.git.dirty else []),
    ]


def _stored(config: PipelineConfig) -> str:
    """Return the options of `headshot preprocess`: the size, and what is not as it usually is."""
    usual = PipelineConfig()
    options = {
        "--backend": (config.backend, usual.backend),
        "--detector": (config.detector, usual.detector),
        "--crop": (config.crop_mode, usual.crop_mode),
        "--identity-every": (config.identity_every, usual.identity_every),
    }
    switches = {
        "--gaze": config.gaze,
        "--audio": config.audio,
        "--no-recognise": not config.recognise,
    }
    return " ".join(
        (
            f"--size {config.size_px}",
            *(f"{name} {value}" for name, (value, standard) in options.items() if value != standard),
            *(name for name, chosen in switches.items() if chosen),
        )
    )


def _systems(record: RunRecord) -> str:
    """Return what `--systems` has to say."""
    return shlex.quote(",".join(_as_asked(system) for system in record.systems))


def _as_asked(system: SystemRecord) -> str:
    """Return how `--systems` names a system; what stands for a file of somebody else is said in the notes."""
    if system.name in NAMES:
        return system.name
    finished = system.config.get("kind") == FINISHED
    return f"{system.name}=dir:{system.name}" if finished else f"{system.name}=cmd:{system.name}.toml"


def _task_options(tasks: TaskSet) -> str:
    """Return the options that say which tasks; a quick look fixes the number of query frames by itself."""
    each = [f"{shots}:{count}" for shots, count in zip(tasks.shots, tasks.draws, strict=True)]
    draws = str(tasks.draws[0]) if len(set(tasks.draws)) == 1 else ",".join(each)
    frames = f"--query-frames {tasks.query_frames}" if tasks.limit is None else f"--limit {tasks.limit}"
    protocol = f" --protocol {tasks.protocol}" if tasks.protocol != "self" else ""
    return f"{frames} --draws {draws}{protocol}{f' --pairs {OWN_PAIRS}' if tasks.pairs_sha256 else ''}"
