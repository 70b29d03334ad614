"""`results.json`: every number of a report, for other programs.

`python -m reports.results_file docs/schemas` writes its JSON Schema; a test compares it with the code.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from eval.marking import MarkedValue, known_effect
from eval.runs.results import CostRecord, DatasetRecord, FailureCount, Run, Undelivered, WeightRecord
from eval.runs.schemas import schema_of
from eval.specs.spec import MetricSpec
from eval.statistics.cells import Cell, Flag
from eval.statistics.difference import Difference, Test, Verdict
from eval.statistics.ranks import Rank, Ranking
from eval.study.record import StudyScore
from eval.tasks.motion import Stratum
from reports.answer import AnswerSection
from reports.charts.records import AgreementRecord, IdentityRecord, agreement_records, identity_records
from reports.findings import Findings
from reports.html import headshot_version
from reports.legend import SystemKey
from reports.motion import stratum_sizes
from reports.study.column import user_cells
from reports.table import cell_key
from weights.files import publish_text
from weights.record import Record

SCHEMA_FILE = "results.schema.json"


class TestRecord(Record):
    """What was tested, on whom."""

    run: str
    """Name of the run's folder."""
    protocol: str
    caveats: tuple[str, ...]
    size_px: int
    shots: tuple[int, ...]
    draws: tuple[int, ...]
    """For each number of shots."""
    people: int
    clips: int
    frames: int
    """To draw in each setting: a system at a number of shots, in the first draw of the source frames."""
    tasks_sha256: str
    score_key: str
    """Equal keys mean equal scores."""


class ContenderRecord(Record):
    """A system, or a reference: a floor or a ceiling, which competes with nobody."""

    name: str
    title: str
    reference: bool
    pictures: str
    """What its pictures are, in words."""
    label: str
    """What is written below its pictures; empty below recorded ones."""


class CellRecord(Record):
    """A mean over people with its interval; null where there is nothing to measure."""

    key: str
    """`stratum:shots:metric:system`, by which the page names the number."""
    system: str
    shots: int
    metric: str
    stratum: Stratum | None
    """Null: over all frames."""
    value: float | None
    low: float | None
    """95% interval over people, cut where the range of the metric ends; null below two people."""
    high: float | None
    identities: int
    frames: int
    failed: int
    value_measured_only: float | None
    """Without the frames that failed."""
    flag: Flag
    separated: bool
    """Bold: better than second place in the paired test, corrected, by a difference whose interval leaves out zero."""


class DifferenceRecord(Record):
    """System minus baseline, paired by person; null where there is no such number."""

    system: str
    shots: int
    baseline: str
    baseline_shots: int
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n_identities: int
    test: Test
    p: float | None
    p_holm: float | None
    family: int
    smallest_p: float | None
    typical: float | None
    superiority: float | None
    rank_biserial: float | None
    detectable: float | None
    """Null, too, where no difference would be found."""
    verdict: Verdict


class RankRecord(Record):
    """A system's place in one metric at one number of shots, with its 95% interval."""

    metric: str
    shots: int
    system: str
    place: int
    low: int
    high: int
    first: float | None
    groups: str


class StratumRecord(Record):
    """How much of the test is so far from the source frames."""

    stratum: Stratum
    frames: int
    elsewhere: int
    """Of these from another clip of the person."""
    people: int


class ResultsFile(Record):
    """Every number of a report."""

    schema_version: Literal[1] = 1
    generator: str
    title: str
    headline: str
    answer: tuple[str, ...]
    dataset: DatasetRecord
    test: TestRecord
    systems: tuple[ContenderRecord, ...]
    metrics: tuple[MetricSpec, ...]
    headline_metrics: tuple[str, ...]
    """Those of the main table; the others are compared with nothing."""
    weights: tuple[WeightRecord, ...]
    cells: tuple[CellRecord, ...]
    comparisons: tuple[DifferenceRecord, ...]
    """All systems against each other at each number of shots, over all frames."""
    gains: tuple[DifferenceRecord, ...]
    """Each system at more shots against itself at the fewest."""
    limits: str
    """What so few people cannot show."""
    ranks: tuple[RankRecord, ...]
    strata: tuple[StratumRecord, ...]
    judged: tuple[StudyScore, ...]
    """What people said in a study; empty where nobody was asked."""
    failures: tuple[FailureCount, ...]
    undelivered: tuple[Undelivered, ...]
    costs: tuple[CostRecord, ...]
    marks_left_out: tuple[str, ...]
    """Marks of synthetic media that were turned off when the report was written."""
    marking: tuple[MarkedValue, ...]
    """What scoring marked frames would have changed; empty where nobody measured it."""
    people: tuple[IdentityRecord, ...]
    """Every person's values, at the largest number of shots."""
    agreement: tuple[AgreementRecord, ...]
    """How far each pair of metrics agrees, there, too."""


def results_file(found: Findings, top: AnswerSection) -> ResultsFile:
    """Return every number of a report.

    Args:
        found: What the run says.
        top: The answer on top of the page.
    """
    record, statistics = found.run.record, found.comparisons.statistics
    both = (found.run, found.references)
    return ResultsFile(
        generator=f"headshot {headshot_version()}",
        title=found.title,
        headline=top.headline,
        answer=top.paragraphs,
        dataset=record.dataset,
        test=_test(found.run, found),
        systems=tuple(
            _contender(keys[one.name], reference=one.reference)
            for run, keys in zip(both, (found.keys, found.floor_keys), strict=True)
            for one in run.record.systems
        ),
        metrics=(*found.specs, *found.others, *([found.study.spec] if found.study else [])),
        headline_metrics=tuple(spec.id for spec in found.specs),
        weights=record.weights,
        cells=_cells(found),
        comparisons=tuple(map(_difference, statistics.pairs)),
        gains=tuple(map(_difference, statistics.gains)),
        limits=statistics.limits,
        ranks=tuple(_rank(ranking, rank) for ranking in statistics.rankings for rank in ranking.ranks),
        strata=tuple(
            StratumRecord(stratum=one.stratum, frames=one.frames, elsewhere=one.elsewhere, people=one.people)
            for one in stratum_sizes(found.run)
        ),
        judged=found.study.scores if found.study else (),
        failures=tuple(one for run in both for one in run.record.failures),
        undelivered=record.undelivered,
        costs=tuple(one for run in both for one in run.record.cost),
        marks_left_out=found.media.marks.left_out,
        marking=effect.values if (effect := known_effect(found.run)) else (),
        people=identity_records(found),
        agreement=agreement_records(found),
    )


def schema() -> str:
    """Return the JSON Schema of the file."""
    return schema_of(ResultsFile)


def _test(run: Run, found: Findings) -> TestRecord:
    tasks = run.tasks
    return TestRecord(
        run=run.folder.name,
        protocol=tasks.label,
        caveats=tasks.caveats,
        size_px=tasks.size_px,
        shots=tasks.shots,
        draws=tasks.draws,
        people=found.people,
        clips=found.clips,
        frames=tasks.frame_count(None),
        tasks_sha256=run.record.tasks_sha256,
        score_key=run.record.score_key,
    )


def _contender(key: SystemKey, *, reference: bool) -> ContenderRecord:
    return ContenderRecord(name=key.name, title=key.title, reference=reference, pictures=key.pictures, label=key.mark)


def _cells(found: Findings) -> tuple[CellRecord, ...]:
    """Return the cells of all tables, each once."""
    groups = [(found.cells, found.leading), (found.other_cells, ()), (found.floor_cells, ())]
    groups.append((user_cells(found.study), ()))
    groups += [(view.cells, view.leading) for view in found.views]
    records = []
    for cells, leading in groups:
        ahead = {(lead.leader, lead.shots, lead.metric) for lead in leading if lead.separated}
        records += [_cell(cell, separated=(cell.system, cell.shots, cell.metric) in ahead) for cell in cells]
    return tuple(records)


def _cell(cell: Cell, *, separated: bool) -> CellRecord:
    return CellRecord(
        key=cell_key(cell),
        system=cell.system,
        shots=cell.shots,
        metric=cell.metric,
        stratum=cell.stratum,
        value=_known(cell.value),
        low=_known(cell.low),
        high=_known(cell.high),
        identities=cell.n_identities,
        frames=cell.n_frames,
        failed=cell.n_failed,
        value_measured_only=_known(cell.value_measured_only),
        flag=cell.flag,
        separated=separated,
    )


def _difference(one: Difference) -> DifferenceRecord:
    content = {name: _known(value) if isinstance(value, float) else value for name, value in asdict(one).items()}
    return DifferenceRecord.model_validate(content)


def _rank(ranking: Ranking, rank: Rank) -> RankRecord:
    return RankRecord(
        metric=ranking.metric,
        shots=ranking.shots,
        system=rank.system,
        place=rank.place,
        low=rank.low,
        high=rank.high,
        first=_known(rank.first),
        groups=rank.groups,
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def write_schema(folders: Sequence[str]) -> None:
    """Write the schema into each of some folders."""
    for folder in folders:
        publish_text(Path(folder) / SCHEMA_FILE, schema())


if __name__ == "__main__":
    write_schema(sys.argv[1:])
