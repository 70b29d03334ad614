"""The whole page as data, and as HTML: everything inlined, nothing fetched."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from eval.runs.results import FailureCount, Run, WeightRecord
from eval.specs.profiles import headline_specs
from eval.specs.spec import MetricSpec
from eval.statistics.cells import summarise
from pipeline.store import Store
from reports import curves as curve_geometry
from reports.answer import Evidence, answer, far_answer, headline
from reports.curves import Curve, curves
from reports.gallery import ClipGallery, galleries
from reports.html import headshot_version, style, templates
from reports.leads import Comparisons, leads
from reports.legend import SystemKey, legend
from reports.numbers import number, plural
from reports.people import People, people
from reports.places import PlaceRow, place_rows
from reports.provenance import CostRow, Fact, Provenance, costs, machines, provenance, summary_facts
from reports.strata import MotionSection, StratumView, motion_section, stratum_views
from reports.table import Column, LeadRow, MainTable, lead_rows, main_table, within_range
from reports.worst import WorstGallery, worst_cases

MOST_PICTURES = 900
"""Pictures of test clips on the page; at about 6 kB each they leave room below the page's limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """An entry of the contents."""

    anchor: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFacts:
    """A metric's definition with the networks it stands on."""

    spec: MetricSpec
    column: Column
    range: str
    networks: tuple[WeightRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything the templates show."""

    title: str
    caveats: tuple[str, ...]
    """How the test falls short of what it is named after; shown above everything."""
    across: bool
    """Whether another person drives, so that there are no targets."""
    question: str
    version: str
    headline: str
    answer: tuple[str, ...]
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
    keys: tuple[SystemKey, ...]
    shots: tuple[int, ...]
    table: MainTable
    floors: MainTable
    """Floors and ceilings: the references of the run."""
    floor_keys: tuple[SystemKey, ...]
    corrected: str
    leads: tuple[LeadRow, ...]
    places: tuple[PlaceRow, ...]
    failures: tuple[FailureCount, ...]
    """Of the metrics in the main table."""
    more: MainTable
    """The metrics that are not in the main table; nothing in it is compared."""
    curves: tuple[Curve, ...]
    motion: MotionSection
    galleries: tuple[ClipGallery, ...]
    pictures_note: str
    worst: tuple[WorstGallery, ...]
    metrics: tuple[MetricFacts, ...]
    people: People
    costs: tuple[CostRow, ...]
    hardware: str
    provenance: Provenance


SECTIONS = (
    ("answer", "The answer"),
    ("results", "Results"),
    ("floors", "Floors and ceilings"),
    ("shots", "More shots"),
    ("motion", "Near and far"),
    ("pictures", "Look closer"),
    ("worst", "Worst cases"),
    ("metrics", "Metrics"),
    ("people", "People and data"),
    ("costs", "Cost"),
    ("reproduce", "Run it again"),
)


def compose(run: Run, store: Store, *, most_pictures: int = MOST_PICTURES) -> Page:
    """Return the page of a finished benchmark.

    Args:
        run: The benchmark.
        store: The data it ran on.
        most_pictures: Roughly how many pictures of test clips to show.
    """
    run, references = run.split()
    record, specs = run.record, headline_specs(run.record.specs)
    others = tuple(spec for spec in record.specs if spec not in specs)
    keys = legend([(system.name, system.title) for system in record.systems])
    comparisons = Comparisons(run.scores, specs)
    cells = within_range(comparisons.statistics.cells, specs)
    leading = leads(cells, specs, comparisons)
    table = main_table(cells, specs, leading, keys)
    more = main_table(within_range(summarise(run.scores, others), others), others, (), keys)
    floor_keys = legend([(one.name, one.title) for one in references.record.systems])
    floor_cells = within_range(summarise(references.scores, specs), specs)
    tested = {task.clip: task.identity for task in run.tasks.tasks}
    n_people, n_clips = len(set(tested.values())), len(tested)
    evidence = Evidence(
        cells=cells,
        specs=specs,
        leading=leading,
        comparisons=comparisons,
        keys=keys,
        people=n_people,
        clips=n_clips,
    )
    views = stratum_views(run, keys)
    shown = galleries(run, store, keys, most_pictures=most_pictures)
    facts = summary_facts(run, n_people, n_clips)
    return Page(
        title=f"{record.dataset.title}: {plural(len(keys), 'system')} on {plural(n_people, 'person', 'people')}",
        caveats=run.tasks.caveats,
        across=run.tasks.across,
        question=(
            "Given a few frames of a person it has never met, how well does a system draw that person making "
            f"{'another person’s ' if run.tasks.across else ''}movements of which it knows only the landmarks?"
        ),
        version=headshot_version(),
        headline=headline(evidence),
        answer=(*answer(evidence), *filter(None, [_about_far(views, evidence)])),
        facts=facts,
        sections=tuple(
            Section(anchor=anchor, title=title) for anchor, title in SECTIONS if floor_keys or anchor != "floors"
        ),
        keys=tuple(keys.values()),
        shots=run.tasks.shots,
        table=table,
        floors=main_table(floor_cells, specs, (), floor_keys),
        floor_keys=tuple(floor_keys.values()),
        corrected=_corrected(comparisons),
        leads=lead_rows(leading, table.columns),
        places=place_rows(comparisons.statistics.rankings, table.columns),
        failures=tuple(one for one in record.failures if one.metric in {spec.id for spec in specs}),
        more=more,
        curves=curves(cells, specs, table, keys),
        motion=motion_section(run, views, cells, table, keys),
        galleries=shown,
        pictures_note=_pictures_note(shown, n_clips),
        worst=worst_cases(run, store, table.columns, keys),
        metrics=tuple(
            _metric(spec, column, record.weights)
            for spec, column in zip((*specs, *others), (*table.columns, *more.columns), strict=True)
        ),
        people=people(
            store.info.description,
            store.clips,
            store.rejects,
            [(skip.clip, skip.reason) for skip in run.tasks.skipped],
        ),
        costs=costs(run, keys),
        hardware=machines(run),
        provenance=provenance(run, store.info.config.size_px, keys),
    )


def _about_far(views: Sequence[StratumView], evidence: Evidence) -> str:
    """Return the paragraph on the far frames, empty where there are none."""
    far = next((view for view in views if view.stratum == "far"), None)
    if far is None:
        return ""
    people = max(cell.n_identities for cell in far.cells)
    about = replace(evidence, cells=far.cells, leading=far.leading, comparisons=far.comparisons, people=people)
    return far_answer(about)


def render(page: Page) -> str:
    """Return the page as one HTML file that needs nothing else and lets nothing else in."""
    text, text_hash = style("style.css")
    template = _templates().get_template("report.html")
    return template.render(page=page, chart=curve_geometry, style=text, style_hash=text_hash)


@cache
def _templates() -> Environment:
    environment = templates().overlay()
    environment.filters = {**environment.filters, "names": _unbroken_names}
    return environment


def _unbroken_names(text: str, keys: Sequence[SystemKey]) -> Markup:
    """Return the text with the systems' names kept on one line each, though they contain hyphens."""
    names = sorted((key.name for key in keys), key=len, reverse=True)
    parts = re.split(f"({'|'.join(map(re.escape, names))})", text)
    span = Markup('<span class="nowrap">{}</span>')
    return Markup("").join(span.format(part) if place % 2 else part for place, part in enumerate(parts))


def _corrected(comparisons: Comparisons) -> str:
    """Say for how many comparisons p are corrected, and what so few people cannot show."""
    found = comparisons.statistics
    family = max((one.family for one in found.pairs), default=0)
    text = f"p are corrected for all comparisons of a metric, of which there are {family} (Holm)." if family > 1 else ""
    return " ".join(filter(None, (text, found.limits)))


def _pictures_note(shown: Sequence[ClipGallery], clips: int) -> str:
    if len(shown) == clips:
        return ""
    verb = "is" if len(shown) == 1 else "are"
    return f"{len(shown)} of {clips} clips {verb} shown, everybody once before anybody twice, to keep this page light."


def _metric(spec: MetricSpec, column: Column, weights: Sequence[WeightRecord]) -> MetricFacts:
    low, high = spec.range
    bounded = f"from {number(low or 0, 0)} up" if high is None else f"{number(low or 0, 0)} to {number(high, 0)}"
    ends = "any number" if low is None else bounded
    unit = f" {spec.unit}" if spec.unit else ""
    known = {weight.id: weight for weight in weights}
    return MetricFacts(
        spec=spec,
        column=column,
        range=f"{ends}{unit}; ground truth against itself: {spec.perfect:g}",
        networks=tuple(known[name] for name in spec.weights if name in known),
    )
