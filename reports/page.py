"""The report as data, and as HTML: a frame around sections, each of which is a line of `SECTIONS`."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from reports.answer import answer_section
from reports.charts import curves as curve_geometry
from reports.charts.agreement_chart import agreement_section
from reports.charts.cost_chart import tradeoffs_section
from reports.charts.curves import curves_section
from reports.charts.forest import differences_section
from reports.charts.heat_map import identities_section
from reports.charts.rank_chart import ranks_section
from reports.downloads import Download
from reports.findings import Findings
from reports.floors import floors_section
from reports.gallery import gallery_section
from reports.html import headshot_version, policy, script, style, templates
from reports.legend import SystemKey
from reports.marking import marks_section
from reports.metrics import metrics_section
from reports.motion import motion_section
from reports.people import people_section
from reports.provenance import costs_section, reproduce_section
from reports.results import results_section
from reports.study.section import study_section
from reports.worst import worst_section


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionPlan:
    """How a section of the report is made."""

    anchor: str
    title: str
    """In the contents."""
    template: str
    """Shows `section.content`; `page` and `parts` are there, too."""
    make: Callable[[Findings], object | None]
    """Returns the content, or None where the run has none, and the section is left out."""
    style: str = ""
    """A style sheet of its own."""
    script: str = ""
    """A script of its own; the section has to say all it says without it."""


SECTIONS = (
    SectionPlan(anchor="answer", title="The answer", template="answer.html", make=answer_section),
    SectionPlan(anchor="results", title="Results", template="results.html", make=results_section, script="table.js"),
    SectionPlan(anchor="user", title="What people see", template="study/section.html", make=study_section),
    SectionPlan(anchor="floors", title="Floors and ceilings", template="floors.html", make=floors_section),
    SectionPlan(anchor="shots", title="More shots", template="curves.html", make=curves_section),
    SectionPlan(anchor="differences", title="Differences", template="differences.html", make=differences_section),
    SectionPlan(anchor="ranks", title="Places", template="ranks.html", make=ranks_section),
    SectionPlan(anchor="motion", title="Near and far", template="motion.html", make=motion_section),
    SectionPlan(anchor="identities", title="Who is hard", template="identities.html", make=identities_section),
    SectionPlan(
        anchor="pictures",
        title="Look closer",
        template="gallery.html",
        make=gallery_section,
        style="player.css",
        script="player.js",
    ),
    SectionPlan(anchor="worst", title="Worst cases", template="worst.html", make=worst_section),
    SectionPlan(
        anchor="metrics", title="Metrics", template="metrics.html", make=metrics_section, script="definitions.js"
    ),
    SectionPlan(anchor="agreement", title="Do the metrics agree", template="agreement.html", make=agreement_section),
    SectionPlan(anchor="people", title="People and data", template="people.html", make=people_section),
    SectionPlan(anchor="marks", title="Marks", template="marks.html", make=marks_section),
    SectionPlan(anchor="costs", title="Cost", template="costs.html", make=costs_section),
    SectionPlan(anchor="tradeoffs", title="Quality against cost", template="tradeoffs.html", make=tradeoffs_section),
    SectionPlan(anchor="reproduce", title="Run it again", template="reproduce.html", make=reproduce_section),
)
"""The report, from top to bottom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section with its content."""

    anchor: str
    title: str
    template: str
    content: object


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
    alone: bool
    """Whether the page stands alone, without those on the data set and on running it again."""
    downloads: tuple[Download, ...]
    keys: tuple[SystemKey, ...]
    sections: tuple[Section, ...]
    styles: tuple[str, ...]
    scripts: tuple[str, ...]

    def content(self, anchor: str) -> Any:
        """Return the content of a section.

        Raises:
            KeyError: The page has no such section.
        """
        return {section.anchor: section.content for section in self.sections}[anchor]


def compose(found: Findings, downloads: Sequence[Download] = ()) -> Page:
    """Return the page of a finished benchmark.

    Args:
        found: What it says.
        downloads: What the page offers to take away.
    """
    tasks = found.run.tasks
    made = [(plan, plan.make(found)) for plan in SECTIONS]
    return Page(
        title=found.title,
        caveats=tasks.caveats,
        across=tasks.across,
        question=(
            "Given a few frames of a person it has never met, how well does a system draw that person making "
            f"{'another person’s ' if tasks.across else ''}movements of which it knows only the landmarks?"
        ),
        version=headshot_version(),
        alone=found.media.inside,
        downloads=tuple(downloads),
        keys=tuple(found.keys.values()),
        sections=tuple(
            Section(anchor=plan.anchor, title=plan.title, template=plan.template, content=content)
            for plan, content in made
            if content is not None
        ),
        styles=(
            "style.css",
            "charts.css",
            *(plan.style for plan, content in made if plan.style and content is not None),
        ),
        scripts=tuple(plan.script for plan, content in made if plan.script and content is not None),
    )


def render(page: Page) -> str:
    """Return the page as one HTML file, which lets in nothing but its own style, scripts and media."""
    look, run = style(*page.styles), script(*page.scripts)
    template = _templates().get_template("report.html")
    return template.render(page=page, chart=curve_geometry, style=look, script=run, policy=policy(look, run))


def render_again(page: Page) -> str:
    """Return the page on running it again."""
    look = style("style.css")
    template = _templates().get_template("again_page.html")
    return template.render(page=page, content=page.content("reproduce"), style=look, policy=policy(look, script()))


def render_more(page: Page) -> str | None:
    """Return the page of the metrics that are not in the main table, None where there are none."""
    if not page.content("results").more.columns:
        return None
    look, run = style("style.css"), script("definitions.js")
    template = _templates().get_template("more_page.html")
    return template.render(page=page, style=look, script=run, policy=policy(look, run))


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
