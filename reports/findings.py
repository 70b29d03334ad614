"""What a run says, read and computed once: the sections of a page are all drawn from this."""

from collections.abc import Mapping
from dataclasses import dataclass

from eval.runs.results import Run
from eval.specs.profiles import headline_specs
from eval.specs.spec import MetricSpec
from eval.statistics.cells import Cell, summarise
from eval.study.record import StudyRecord
from pipeline.store import Store
from reports.leads import Comparisons, Lead, leads
from reports.legend import SystemKey, legend
from reports.media import Media
from reports.numbers import plural
from reports.strata import StratumView, stratum_views
from reports.table import Column, MainTable, main_table, within_range

MOST_PICTURES = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """A finished benchmark with everything that is derived from its scores."""

    run: Run
    """Its contenders alone."""
    references: Run
    """Its floors and ceilings alone."""
    store: Store
    media: Media
    """Takes the pictures and videos of the page."""
    most_pictures: int
    """Roughly how many pictures of test clips to show."""
    specs: tuple[MetricSpec, ...]
    """Of the main table."""
    others: tuple[MetricSpec, ...]
    """The metrics that are not in the main table; nothing in them is compared."""
    keys: Mapping[str, SystemKey]
    """How each contender looks, in order."""
    floor_keys: Mapping[str, SystemKey]
    comparisons: Comparisons
    cells: tuple[Cell, ...]
    """Of the main table; intervals end where the range of the metric does."""
    other_cells: tuple[Cell, ...]
    floor_cells: tuple[Cell, ...]
    leading: tuple[Lead, ...]
    views: tuple[StratumView, ...]
    """The same over near, middle and far frames alone, the farthest first; those that have any."""
    table: MainTable
    more: MainTable
    floors: MainTable
    study: StudyRecord | None
    """What people said of the systems, as far as these are still the same; None where nobody was asked."""

    @property
    def people(self) -> int:
        """How many people are under test."""
        return len({task.identity for task in self.run.tasks.tasks})

    @property
    def title(self) -> str:
        """What the report is of."""
        systems, people = plural(len(self.keys), "system"), plural(self.people, "person", "people")
        return f"{self.run.record.dataset.title}: {systems} on {people}"

    @property
    def clips(self) -> int:
        """How many clips of them."""
        return len({task.clip for task in self.run.tasks.tasks})

    @property
    def most_shots(self) -> int:
        """The largest number of shots."""
        return max(self.run.tasks.shots)

    def spec(self, metric: str) -> MetricSpec:
        """Return a metric of the main table."""
        return next(spec for spec in self.specs if spec.id == metric)

    def column(self, metric: str) -> Column:
        """Return the heading of a metric of the main table."""
        return next(column for column in self.table.columns if column.metric == metric)


def findings(run: Run, store: Store, media: Media, *, most_pictures: int = MOST_PICTURES) -> Findings:
    """Return what a finished benchmark says.

    Args:
        run: The benchmark.
        store: The data it ran on.
        media: Takes the pictures and videos of the page.
        most_pictures: Roughly how many pictures of test clips to show.
    """
    run, references = run.split()
    specs = headline_specs(run.record.specs)
    others = tuple(spec for spec in run.record.specs if spec not in specs)
    keys = legend([(system.name, system.title) for system in run.record.systems])
    floor_keys = legend([(one.name, one.title) for one in references.record.systems])
    comparisons = Comparisons(run.scores, specs)
    cells = within_range(comparisons.statistics.cells, specs)
    other_cells = within_range(summarise(run.scores, others), others)
    floor_cells = within_range(summarise(references.scores, specs), specs)
    leading = leads(cells, specs, comparisons)
    table = main_table(cells, specs, leading, keys, run.record.cost)
    return Findings(
        run=run,
        references=references,
        store=store,
        media=media,
        most_pictures=most_pictures,
        specs=specs,
        others=others,
        keys=keys,
        floor_keys=floor_keys,
        comparisons=comparisons,
        cells=cells,
        other_cells=other_cells,
        floor_cells=floor_cells,
        leading=leading,
        views=stratum_views(run, keys),
        table=table,
        more=main_table(other_cells, others, (), keys),
        floors=main_table(floor_cells, specs, (), floor_keys, references.record.cost, heads=table.columns),
        study=StudyRecord.of(run.folder, run.record),
    )
