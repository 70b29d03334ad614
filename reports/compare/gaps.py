"""What is different about runs: software, networks, tasks, seeds, settings, as their records say."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from eval.runs.results import Run
from reports.numbers import MISSING

SHORT_HASH = 12


OF_SYSTEMS = "Settings of systems"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One thing that is not the same in all runs."""

    name: str
    values: tuple[str, ...]
    """One for each run; a dash where it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GapGroup:
    """Things of one kind."""

    title: str
    gaps: tuple[Gap, ...]


def gaps(runs: Sequence[Run]) -> tuple[tuple[GapGroup, ...], int]:
    """Return what is different, by kind, and how many things are the same in all runs."""
    facts = [_facts(run) for run in runs]
    kinds: dict[str, list[Gap]] = {}
    same = 0
    for kind, name in dict.fromkeys(name for one in facts for name in one):
        gap = Gap(name=name, values=tuple(one.get((kind, name), MISSING) for one in facts))
        # That a system is not there is said once, and not for each of its settings.
        different = set(gap.values) - ({MISSING} if kind == OF_SYSTEMS else set())
        if len(different) > 1:
            kinds.setdefault(kind, []).append(gap)
        else:
            same += 1
    return tuple(GapGroup(title=kind, gaps=tuple(found)) for kind, found in kinds.items()), same


def _facts(run: Run) -> dict[tuple[str, str], str]:
    """Return everything a run record says that could be other in another run, by kind and name."""
    record = run.record
    dataset = {"data set": record.dataset.name, "manifest": _cut(record.dataset.manifest_sha256)}
    tasks = {
        "preprocessing": _cut(record.dataset.dataset_sha256),
        "tasks": _cut(record.tasks_sha256),
        "protocol": run.tasks.label,
        "shots": ", ".join(map(str, run.tasks.shots)),
    }
    networks = {weight.id: _cut(weight.sha256) for weight in record.weights}
    machine = record.hardware
    code = MISSING if record.git is None else f"{_cut(record.git.revision)}{' and changes' if record.git.dirty else ''}"
    kinds: dict[str, Mapping[str, str]] = {
        "Data and tasks": dataset | tasks,
        "Systems": {system.name: "takes part" for system in record.systems},
        OF_SYSTEMS: {
            f"{system.name}: {name}": text for system in record.systems for name, text in _flat(system.config).items()
        },
        "Seeds": {name: str(seed) for name, seed in record.seeds.items()},
        "Settings": _flat(record.config),
        "Metrics": {spec.id: f"version {spec.version}" for spec in record.specs},
        "Networks": networks,
        "Software": {"code": code, "python": record.python} | record.packages,
        "Machine": {
            "processor": f"{machine.processor}, {machine.cores} cores",
            "accelerator": machine.accelerator or "none",
            "platform": machine.platform,
        },
    }
    return {(kind, name): value for kind, values in kinds.items() for name, value in values.items()}


def _flat(content: Mapping[str, JsonValue]) -> dict[str, str]:
    """Return settings as texts; hashes are cut."""
    texts = {name: _text(value) for name, value in content.items()}
    return {name: _cut(text) if name.endswith("sha256") else text for name, text in texts.items()}


def _text(value: JsonValue) -> str:
    if isinstance(value, list):
        return "; ".join(map(_text, value))
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _cut(sha256: str) -> str:
    return sha256[:SHORT_HASH]
