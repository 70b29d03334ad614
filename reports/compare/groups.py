"""Which of several runs may stand side by side, by which metrics, and why the others may not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eval.runs.comparable import metric_obstacles, obstacles
from eval.runs.results import Run
from eval.specs.profiles import headline_specs


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What is not compared, and why."""

    what: str
    """A run, or a metric."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Runs over the same data and tasks, with the metrics that all of them measured alike."""

    runs: tuple[Run, ...]
    metrics: tuple[str, ...]
    """Ids, of the headline of any of them; none where nothing was measured alike."""
    refused: tuple[Refusal, ...]
    """Metrics of the headline that are not compared."""

    @property
    def comparable(self) -> bool:
        """Whether there is anything to put side by side."""
        return len(self.runs) > 1 and bool(self.metrics)


def groups(runs: Sequence[Run]) -> tuple[Group, ...]:
    """Return the runs in groups, each run in the first one whose data and tasks it shares."""
    found: list[list[Run]] = []
    for run in runs:
        home = next((group for group in found if not any(obstacles(group[0], run))), None)
        if home is None:
            found.append([run])
        else:
            home.append(run)
    return tuple(_group(group) for group in found)


def refusals(found: Sequence[Group]) -> tuple[Refusal, ...]:
    """Return why runs of different groups, and metrics within a group, are not compared."""
    return tuple(_refusals(found))


def _group(runs: Sequence[Run]) -> Group:
    wanted = dict.fromkeys(spec.id for run in runs for spec in headline_specs(run.record.specs))
    reasons = {metric: tuple(metric_obstacles(runs, metric)) for metric in wanted}
    return Group(
        runs=tuple(runs),
        metrics=tuple(metric for metric, why in reasons.items() if not why),
        refused=tuple(Refusal(what=metric, reason=reason) for metric, why in reasons.items() for reason in why),
    )


def _refusals(found: Sequence[Group]) -> Iterator[Refusal]:
    for place, group in enumerate(found):
        for earlier in found[:place]:
            for run in group.runs:
                for reason in obstacles(earlier.runs[0], run):
                    yield Refusal(what=str(run.folder), reason=reason)
        yield from group.refused
