"""What can be taken from a report: its numbers as JSON and CSV, its table as LaTeX, and how to cite it as BibTeX."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from eval.runs.leaderboard import Entry, Leaderboard
from eval.runs.results import Run
from reports.answer import answer_section
from reports.export import csv_text, escaped, latex_text
from reports.findings import Findings
from reports.html import headshot_version
from reports.results_file import results_file

TYPES = {
    "results.json": ("application/json", "every number, with its schema in the documentation"),
    "results.csv": ("text/csv", "every number of the tables over all frames"),
    "table.tex": ("application/x-tex", "the main table for LaTeX"),
    "cite.bib": ("application/x-bibtex", "how to cite this report and what it stands on"),
}
"""Kind of each file, and what it is in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A link to a file."""

    name: str
    about: str
    address: str


def downloads(found: Findings) -> dict[str, str]:
    """Return the text of each file by its name."""
    return {
        "results.json": results_file(found, answer_section(found)).model_dump_json(indent=1) + "\n",
        "results.csv": csv_text(board(found, headline=False)),
        "table.tex": latex_text(board(found)),
        "cite.bib": bibtex(found.run),
    }


def links(files: Mapping[str, str], *, inside: bool) -> tuple[Download, ...]:
    """Return links to the files.

    Args:
        files: Their texts.
        inside: Put them into the links, for a page that stands alone.
    """
    return tuple(
        Download(
            name=name,
            about=TYPES[name][1],
            address=f"data:{TYPES[name][0]};base64,{base64.b64encode(text.encode()).decode()}" if inside else name,
        )
        for name, text in files.items()
    )


def board(found: Findings, *, headline: bool = True) -> Leaderboard:
    """Return the contenders' numbers over all frames as a leaderboard of one run.

    Args:
        found: What the run says.
        headline: Of the main table alone; the other metrics have no places.
    """
    ranks = {
        (rank.system, ranking.shots, ranking.metric): (rank, ranking)
        for ranking in found.comparisons.statistics.rankings
        for rank in ranking.ranks
    }
    entries = []
    for cell in (*found.cells, *(() if headline else found.other_cells)):
        rank, ranking = ranks.get((cell.system, cell.shots, cell.metric), (None, None))
        alone = ranking is not None and ranking.not_separated_from_best == (cell.system,) and len(ranking.ranks) > 1
        entries.append(Entry(cell=cell, run=found.run.folder.name, rank=rank, best_alone=alone))
    return Leaderboard(
        runs=(found.run,),
        specs=found.specs if headline else (*found.specs, *found.others),
        entries=tuple(entries),
        stratum=None,
        limits=found.comparisons.statistics.limits,
    )


def bibtex(run: Run) -> str:
    """Return entries for the report, the software, and the paper whose model and protocol they come from."""
    record = run.record
    when = datetime.fromisoformat(record.ended_at)
    return "\n".join(
        (
            f"@misc{{headshot-{record.score_key[:12]},",
            f"  title = {{{{{escaped(record.dataset.title)}: a headshot benchmark of "
            f"{len(record.systems)} few-shot talking-head systems}}}},",
            f"  year = {{{when.year}}},",
            f"  month = {{{when.month}}},",
            f"  note = {{{escaped(run.tasks.label)}; tasks {record.tasks_sha256[:12]}, "
            f"scores {record.score_key[:12]}, manifest {record.dataset.manifest_sha256[:12]}}}",
            "}",
            "",
            "@software{headshot,",
            "  title = {{headshot: a benchmark for few-shot talking-head models}},",
            f"  version = {{{escaped(headshot_version())}}},",
            f"  year = {{{when.year}}}",
            "}",
            "",
            "@inproceedings{zakharov2019fewshot,",
            "  title = {Few-Shot Adversarial Learning of Realistic Neural Talking Head Models},",
            "  author = {Zakharov, Egor and Shysheya, Aliaksandra and Burkov, Egor and Lempitsky, Victor},",
            "  booktitle = {IEEE/CVF International Conference on Computer Vision (ICCV)},",
            "  year = {2019}",
            "}",
            "",
        )
    )
