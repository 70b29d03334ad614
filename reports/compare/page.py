"""The page of several runs as data, and as HTML."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from markupsafe import Markup

from eval.runs.leaderboard import Leaderboard, leaderboard
from eval.runs.results import Run
from reports.compare.board import BoardGroup, Change, board_groups, changes
from reports.compare.gaps import GapGroup, gaps
from reports.compare.groups import Group, Refusal, groups, refusals
from reports.html import headshot_version, policy, style, templates
from reports.legend import SystemKey, legend
from reports.numbers import listing, plural
from reports.publish.summary import Chart, chart_of
from reports.table import Column, columns


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One of the runs."""

    name: str
    link: str
    """Its own report; empty where there is none."""
    dataset: str
    day: str
    people: int
    systems: int
    protocol: str
    caveats: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Runs that stand side by side."""

    names: tuple[str, ...]
    headline: str
    sample: str
    columns: tuple[Column, ...]
    keys: tuple[SystemKey, ...]
    groups: tuple[BoardGroup, ...]
    limits: str
    chart: Chart | None
    """For the card."""
    changes: tuple[Change, ...]
    changed: str
    """How much of what changed between runs is more than chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparePage:
    """Everything the template shows."""

    title: str
    version: str
    headline: str
    runs: tuple[RunRow, ...]
    refusals: tuple[Refusal, ...]
    sides: tuple[Side, ...]
    names: tuple[str, ...]
    gaps: tuple[GapGroup, ...]
    same: int
    """Things that are the same in all runs."""

    @property
    def comparable(self) -> bool:
        """Whether any two of the runs stand side by side."""
        return bool(self.sides)


def run_names(folders: Sequence[Path]) -> tuple[str, ...]:
    """Return a name for each run: that of its folder, with a number behind it where another folder has the same."""
    seen: Counter[str] = Counter()
    names = []
    for folder in folders:
        name = folder.resolve().name
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return tuple(names)


def compose(runs: Sequence[Run], links: Mapping[str, str] | None = None) -> ComparePage:
    """Return the page of several runs.

    Args:
        runs: At least two. They appear under `run_names`; no path gets onto the page.
        links: The address of each run's own report, by its name.
    """
    names = run_names([run.folder for run in runs])
    runs = [replace(run, folder=Path(name)) for run, name in zip(runs, names, strict=True)]
    found = groups(runs)
    sides = tuple(_side(group) for group in found if group.comparable)
    different, same = gaps(runs)
    return ComparePage(
        title=f"{listing(names) if len(names) < 4 else plural(len(names), 'run')} compared",
        version=headshot_version(),
        headline=sides[0].headline if sides else "None of these runs can be compared with another one",
        runs=tuple(_run_row(run, (links or {}).get(str(run.folder), "")) for run in runs),
        refusals=refusals(found),
        sides=sides,
        names=names,
        gaps=different,
        same=same,
    )


def render(page: ComparePage) -> str:
    """Return the page as one HTML file that needs nothing else and lets nothing else in."""
    look = style("style.css")
    return templates().get_template("compare.html").render(page=page, style=look, policy=policy(look, Markup("")))


def _run_row(run: Run, link: str) -> RunRow:
    run, tasks = run.split()[0], run.tasks
    return RunRow(
        name=str(run.folder),
        link=link,
        dataset=run.record.dataset.title,
        day=f"{datetime.fromisoformat(run.record.started_at):%-d %B %Y}",
        people=len(tasks.identities()),
        systems=len(run.record.systems),
        protocol=tasks.label,
        caveats=tasks.caveats,
    )


def _side(group: Group) -> Side:
    board = leaderboard(group.runs, metrics=group.metrics)
    heads = columns(board.specs, [entry.cell for entry in board.entries])
    titles = {system.name: system.title for run in group.runs for system in run.record.systems}
    names = dict.fromkeys(entry.cell.system for entry in board.entries)
    keys = legend([(name, titles.get(name, name)) for name in names])
    changed = changes(group.runs, group.metrics, heads)
    tasks = group.runs[0].tasks
    people = len(tasks.identities())
    return Side(
        names=tuple(str(run.folder) for run in group.runs),
        headline=_headline(board, heads),
        sample=f"{plural(people, 'person', 'people')}, {plural(tasks.frame_count(), 'frame')} a system",
        columns=heads,
        keys=tuple(keys.values()),
        groups=board_groups(board, heads, keys),
        limits=board.limits,
        chart=chart_of([entry.cell for entry in board.entries], board.specs[0]),
        changes=changed,
        changed=_changed(changed),
    )


def _headline(board: Leaderboard, heads: Sequence[Column]) -> str:
    """Say who is separated from all others at the largest number of shots, or that nobody is."""
    shots = max(entry.cell.shots for entry in board.entries)
    alone: dict[str, list[str]] = {}
    for head in heads:
        for entry in board.entries:
            if entry.best_alone and (entry.cell.shots, entry.cell.metric) == (shots, head.metric):
                alone.setdefault(entry.cell.system, []).append(head.name)
    where = f"With {plural(shots, 'shot')}"
    if not alone:
        return f"{where} no system is separated from all others in any metric"
    clauses = (f"{system} is better than all others in {listing(metrics)}" for system, metrics in alone.items())
    return f"{where} {listing(clauses)}"


def _changed(found: Sequence[Change]) -> str:
    """Say how many differences between runs a test tells from chance."""
    sentences = []
    for one in found:
        verdicts = Counter(row.gap.verdict for row in one.found)
        told = [f"{verdicts[kind]} {kind}" for kind in ("better", "worse") if verdicts[kind]]
        clear = f"{listing(told)}, the rest not separated" if told else "none of them separated"
        count = plural(len(one.found), "difference")
        sentences.append(f"From {one.before} to {one.after}: {count}, {clear}." if one.found else "")
    return " ".join(filter(None, sentences))
