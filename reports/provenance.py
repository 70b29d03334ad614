"""How the numbers came about: what ran, on what, at what cost, and how to run it again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from eval.runs.results import CostRecord, Run, RunRecord, SystemRecord
from eval.specs.profiles import profile_of
from pipeline.config import PipelineConfig
from reports.commands import commands
from reports.findings import Findings
from reports.legend import SystemKey
from reports.numbers import MISSING, duration, listing, plural, speed


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A line of a definition list; `code` is set in a fixed-width face."""

    name: str
    value: str
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostCell:
    """What a system cost at one number of shots."""

    adaptation: str
    speed: str
    iterations: str
    memory: str
    """Main memory, and that of the CUDA device where one was used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """What a system cost, one cell for each number of shots."""

    key: SystemKey
    parameters: str
    rows: tuple[CostCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemFacts:
    """A system as it was run."""

    key: SystemKey
    config: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The section on reproduction."""

    commands: tuple[str, ...]
    hashes: tuple[Fact, ...]
    systems: tuple[SystemFacts, ...]
    packages: tuple[Fact, ...]
    weights: tuple[tuple[str, str, str, str], ...]
    """(id, sha256, licence, source) of each pretrained network."""
    config: str


def summary_facts(run: Run, people: int, clips: int) -> tuple[Fact, ...]:
    """Return the facts at the top of the page: what was run, by what, when."""
    record, tasks = run.record, run.tasks
    frames = sum(len(task.frames) for task in tasks.tasks if task.shots == tasks.shots[0] and task.draw == 0)
    facts = [
        Fact(name="Data", value=f"{record.dataset.title} ({record.dataset.name})"),
        Fact(
            name="People under test",
            value=f"{people}, in {plural(clips, 'clip')}; {plural(frames, 'frame')} to draw in each setting",
        ),
        Fact(
            name="Shots",
            value=f"{listing(map(str, tasks.shots))}, nested; {_draws(tasks.draws)} of the source frames",
        ),
        Fact(name="Protocol", value=tasks.label),
        Fact(name="Pictures", value=f"{tasks.size_px} × {tasks.size_px} pixels"),
        Fact(name="Systems", value=listing(system.name for system in record.systems)),
        *_checkpoints(record),
        Fact(
            name="Metrics", value=f"networks of the profile {profile}" if (profile := profile_of(record.specs)) else ""
        ),
        Fact(name="Seeds", value=", ".join(f"{name} {seed}" for name, seed in record.seeds.items())),
        Fact(name="Run", value=f"{_day(record.started_at)}, took {_took(record)}"),
        Fact(name="Hardware", value=_hardware(record)),
        Fact(name="Code", value=_code(record)),
    ]
    return tuple(fact for fact in facts if fact.value or fact.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostsSection:
    """The section on time, memory and size."""

    rows: tuple[CostRow, ...]
    shots: tuple[int, ...]
    hardware: str


def costs_section(found: Findings) -> CostsSection:
    """Return the section of the page."""
    return CostsSection(rows=costs(found.run, found.keys), shots=found.run.tasks.shots, hardware=machines(found.run))


def reproduce_section(found: Findings) -> Provenance:
    """Return the section of the page."""
    return provenance(found.run, found.references.record.systems, found.store.info.config, found.keys)


def costs(run: Run, keys: Mapping[str, SystemKey]) -> tuple[CostRow, ...]:
    """Return what each system cost at each number of shots: means over its tasks."""
    known = {(cost.system, cost.shots): cost for cost in run.record.cost}
    sizes = {cost.system: cost.parameters for cost in run.record.cost if cost.parameters is not None}
    return tuple(
        CostRow(
            key=key,
            parameters=_millions(sizes[name]) if name in sizes else "",
            rows=tuple(_cost_cell(known.get((name, shots))) for shots in run.tasks.shots),
        )
        for name, key in keys.items()
    )


def machines(run: Run) -> str:
    """Return what the costs were measured on: where nobody wrote it down, the machine of the run."""
    found = dict.fromkeys(machine for cost in run.record.cost for machine in cost.machines)
    return listing(found) or _hardware(run.record)


def _cost_cell(cost: CostRecord | None) -> CostCell:
    if cost is None:
        return CostCell(adaptation=MISSING, speed=MISSING, iterations=MISSING, memory=MISSING)
    return CostCell(
        adaptation=MISSING if cost.adaptation_s is None else duration(cost.adaptation_s),
        speed=MISSING if cost.frames_per_s is None else speed(cost.frames_per_s),
        iterations="" if cost.iterations is None else f"{cost.iterations:,.0f}",
        memory=_memory(cost),
    )


def _memory(cost: CostRecord) -> str:
    main = MISSING if cost.memory_mib is None else f"{cost.memory_mib:,.0f}"
    return main if cost.accelerator_mib is None else f"{main} + {cost.accelerator_mib:,.0f} GPU"


def _millions(count: int) -> str:
    return f"{count / 1e6:,.1f} M" if count >= 1e5 else f"{count:,}"


def provenance(
    run: Run, references: Sequence[SystemRecord], stored: PipelineConfig, keys: Mapping[str, SystemKey]
) -> Provenance:
    """Return everything needed to run it again and to see that it is the same.

    Args:
        run: The finished benchmark.
        references: Its floors and ceilings.
        stored: How its data set was made.
        keys: The systems, in order.
    """
    record = run.record
    hashes = (
        Fact(name="Manifest", value="the clips, whatever their order", code=record.dataset.manifest_sha256),
        Fact(
            name="Data set",
            value="settings and counts of the preprocessing",
            code=record.dataset.dataset_sha256,
        ),
        Fact(name="Tasks", value="which frames are shown and which are drawn", code=record.tasks_sha256),
        Fact(name="Scores", value="everything the scores depend on", code=record.score_key),
    )
    return Provenance(
        commands=commands(run, references, stored),
        hashes=hashes,
        systems=tuple(
            SystemFacts(
                key=keys[system.name],
                config=tuple(Fact(name=name, value="", code=_plain(value)) for name, value in system.config.items()),
            )
            for system in record.systems
        ),
        packages=(
            Fact(name="python", value=record.python),
            *(Fact(name=name, value=version) for name, version in sorted(record.packages.items())),
        ),
        weights=tuple((weight.id, weight.sha256, weight.licence, weight.source) for weight in record.weights),
        config=json.dumps(record.config, indent=2, sort_keys=True),
    )


def _draws(draws: Sequence[int]) -> str:
    """Return the number of draws, or one for each number of shots."""
    if len(set(draws)) == 1:
        return plural(draws[0], "draw")
    return f"{listing(map(str, draws))} draws"


def _checkpoints(record: RunRecord) -> list[Fact]:
    """Return the distinct checkpoints that the systems name in their configuration."""
    found = {}
    for system in record.systems:
        sha256, config = system.config.get("checkpoint_sha256"), system.config
        words = [f"preset {config['preset']}" if "preset" in config else ""]
        words += [plural(int(str(config["steps"])), "step") if "steps" in config else ""]
        words += [f"trained on {config['dataset']}" if "dataset" in config else ""]
        if sha256 is not None:
            value = ", ".join(filter(None, words))
            found[sha256] = Fact(name="Checkpoint", value=value, code=f"{str(sha256)[:16]}…")
    return list(found.values())


def _hardware(record: RunRecord) -> str:
    machine = record.hardware
    accelerator = machine.accelerator or "no accelerator"
    return f"{machine.processor}, {plural(machine.cores, 'core')}, {machine.memory_gib:.0f} GiB, {accelerator}"


def _code(record: RunRecord) -> str:
    if record.git is None:
        return "not run from a git checkout"
    return f"{record.git.revision[:12]}{' with uncommitted changes' if record.git.dirty else ''}"


def _day(moment: str) -> str:
    return f"{datetime.fromisoformat(moment):%-d %B %Y, %H:%M %Z}".rstrip()


def _took(record: RunRecord) -> str:
    gap = datetime.fromisoformat(record.ended_at) - datetime.fromisoformat(record.started_at)
    return duration(gap.total_seconds())


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
